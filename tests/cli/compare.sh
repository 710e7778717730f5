#!/bin/bash
# `orrery compare`: side by side; with itself nothing differs; differences of accounts sum to that of the GPU-seconds.
. "$(dirname "$0")/../support/cli.sh"

quick=$ROOT/scenarios/quickstart.yaml
serving=$ROOT/scenarios/serving/llama-3.1-70b-poisson.yaml
campaign=$ROOT/scenarios/failures/llama-3.1-405b-54-days.yaml
sed 's/^name: .*/name: full/; s/recompute: selective/recompute: full/' "$quick" >full.yaml

# numbers: the lists of out, one a line: "key a b".
numbers() {
    awk '/" : \[/ { key = $1; list = ""; next } /^ *\]/ { print key list; next } { sub(/,$/, "", $1); list = list " " $1 }' out
}

# With itself: every pair is equal and no key differs.
for scenario in "$quick" "$serving" "$campaign"; do
    expect_exit 0 "$ORRERY" compare "$scenario" "$scenario" --json
    expect_json
    numbers | awk '$1 !~ /scenarios|verdicts/ { if (NF != 3 || $2 != $3) exit 1; lines++ } END { exit lines < 8 }' ||
        fail "$scenario differs from itself"
    grep -q 'take the same GPU-seconds' out || fail "$scenario loses against itself"
    expect_exit 0 "$ORRERY" compare "$scenario" "$scenario"
    expect_text out '^Nothing differs'
done

# The differences of accounts sum to the difference of the GPU-seconds, which are those of each run.
check_sum() {
    numbers | awk '$1 ~ /total_gpu_s/ { total = $3 - $2; inside = 0; scale = $2 } inside { sum += $3 - $2 }
        $1 ~ /'"$1"'/ { inside = 1 }
        END { error = sum - total; if (error < 0) error = -error; exit !(scale > 0 && total != 0 && error < 1e-9 * scale) }' ||
        fail "the differences of accounts do not sum to that of the total"
}
expect_exit 0 "$ORRERY" compare "$quick" full.yaml --json
check_sum memory_headroom
grep -q '"plan.recompute" : \[' out || fail "the key that differs is not named"
[ "$(sed -n '/"differences"/,/}/p' out | grep -c ' : \[')" = 1 ] || fail "more keys differ than one"
numbers | grep -q '"step_time_s" ' || fail "no step time"
step=$(numbers | awk '$1 ~ /"step_time_s"/ { print $3 }')
expect_exit 0 "$ORRERY" run full.yaml --json
[ "$(json_value step_time_s)" = "$step" ] || fail "the step is not that of orrery run"

# A sentence on where the loser loses most; the order of the two does not change who loses.
expect_exit 0 "$ORRERY" compare "$quick" full.yaml
expect_text out '^full takes [0-9.]+ % more GPU-seconds a token than quickstart'
expect_text out 'loses most in recomputation'
expect_exit 0 "$ORRERY" compare full.yaml "$quick"
expect_text out '^full takes [0-9.]+ % more GPU-seconds a token than quickstart'
expect_exit 0 "$ORRERY" compare "$quick" full.yaml "$quick"
[ "$(grep -c 'GPU-seconds' out)" -ge 3 ] || fail "three scenarios have no two verdicts"

# A base is expanded: another node differs in its figures; --set reaches both.
sed 's/^name: .*/name: h100/; s/dgx-a100-80gb/dgx-h100/' "$quick" >h100.yaml
expect_exit 0 "$ORRERY" compare "$quick" h100.yaml --set plan.recompute=full
expect_text out 'cluster.node.gpu.memory_bandwidth: 2.039 TB/s \| 3.35 TB/s'
expect_text out 'two machines'

# Serving and campaigns: the same sums; their one change is named.
sed 's/^name: .*/name: two/; s/tensor: 4/tensor: 2/' "$serving" >two.yaml
expect_exit 0 "$ORRERY" compare "$serving" two.yaml --json
check_sum slo_attainment
grep -q '"serve.tensor" : \[' out || fail "serve.tensor is not named"
sed 's/^name: .*/name: other/' "$campaign" >other.yaml
expect_exit 0 "$ORRERY" compare "$campaign" other.yaml
expect_text out '^ETTR, %'
expect_text out '^Nothing differs'

expect_exit 2 "$ORRERY" compare "$quick" "$serving"
expect_text err 'only scenarios of one kind'
expect_exit 2 "$ORRERY" compare "$quick" "$campaign"
expect_exit 2 "$ORRERY" compare "$quick"
expect_exit 2 "$ORRERY" compare
finish

#!/bin/bash
# `orrery run --what-if`: each entry is the simulation that --set would give, closed forms hold, threads change nothing.
. "$(dirname "$0")/../support/cli.sh"

scenario=$ROOT/scenarios/quickstart.yaml

# entry TEXT KEY: the value of KEY in the entry of the change TEXT.
entry() {
    awk -v text="\"$1\"" -v key="\"$2\"" -F ' : ' '
        index($0, "\"change\" : " text) { inside = 1 }
        inside && /}/ { inside = 0 }
        inside && index($1, key) { sub(/,$/, "", $2); print $2; exit }' out
}

# between NAME VALUE LEAST MOST
between() {
    awk -v value="$2" -v least="$3" -v most="$4" 'BEGIN { exit !(value != "" && value >= least && value <= most) }' ||
        fail "$1 is '$2', not from $3 to $4"
}

expect_exit 0 "$ORRERY" run "$scenario" --what-if --json --threads 1
expect_json
cp out one
expect_exit 0 "$ORRERY" run "$scenario" --what-if --json --threads 7
cmp one out || fail "the number of threads changes the answer"

# Sorted by effect; what cannot be says why.
awk -F ' : ' '/"effect_fraction"/ && $2 !~ /null/ { if (seen && $2 + 0 < last) exit 1; last = $2 + 0; seen = 1 }' out ||
    fail "the entries are not sorted"
grep -q '"cannot_be" : "does not fit: stage 0' out || fail "nothing is marked as infeasible"

# Each is the simulation that --set gives.
own=$(json_value step_time_s) larger=$(entry 'larger microbatches' step_time_s)
hbm=$(entry 'HBM bandwidth +10 %' step_time_s) peak=$(entry 'peak of fp16 +10 %' step_time_s)
[ "$(entry 'HBM size +10 %' step_time_s)" = "$own" ] || fail "more memory changes the step"
fraction=$(awk -v a="$(json_value memory_fraction)" -v b="$(entry 'HBM size +10 %' memory_fraction)" 'BEGIN { print a / b }')
between 'memory over memory of 10 % more' "$fraction" 1.0999999 1.1000001
check_set() {
    expect_exit 0 "$ORRERY" run "$scenario" --json --set "$1"
    [ "$(json_value step_time_s)" = "$2" ] || fail "$1 gives $(json_value step_time_s), --what-if said $2"
}
check_set plan.micro_batch=2 "$larger"
check_set "cluster.node.gpu.memory_bandwidth=2242900 MB/s" "$hbm"
check_set "cluster.node.gpu.peak.fp16=343.2 TFLOP/s" "$peak"

# Products alone: 10 % more peak takes 1 - 1/1.1 = 9.09 % of what runs at the peak's rate, so never more, and with
# 92 % of the step in products (of which prologues of tiles stay) most of it.
cat >toy.yaml <<'YAML'
model: {name: wide, hidden: 8192, layers: 2, heads: 64, kv_heads: 64, ffn: 32768, vocab: 1024, max_sequence: 4096}
cluster: {node: dgx-a100-80gb, gpus: 1}
plan: {precision: bf16, attention: flash, sequence_length: 1024, micro_batch: 8, global_batch: 2048}
cost: {gpu_hour: $2.00/h}
YAML
expect_exit 0 "$ORRERY" run toy.yaml --what-if --json
between 'peak on products' "$(entry 'peak of bf16 +10 %' effect_fraction)" -0.090910 -0.0750
between 'NIC of one GPU' "$(entry 'NIC bandwidth +10 %' effect_fraction)" 0 0
price=$(awk -v a="$(json_value usd_per_million_tokens)" -v b="$(entry 'price +10 %' usd_per_million_tokens)" 'BEGIN { print b / a }')
between 'price over price' "$price" 1.0999999 1.1000001

# One token: the optimizer's pass over HBM, and weights that are read once.
one_token=(--set plan.sequence_length=1 --set plan.micro_batch=1)
expect_exit 0 "$ORRERY" run toy.yaml --what-if --json "${one_token[@]}" --set plan.global_batch=1
between 'bandwidth on passes' "$(entry 'HBM bandwidth +10 %' effect_fraction)" -0.090910 -0.0750
between 'peak on passes' "$(entry 'peak of bf16 +10 %' effect_fraction)" -0.001 0

# Two replicas over 1 Gb/s: the exposed all-reduce shrinks by 1/11, of which its software stays.
slow=("${one_token[@]}" --set plan.global_batch=2 --set plan.data=2 --set cluster.gpus=2 --set cluster.node.gpus=1
    --set cluster.node.scale_up_gpus=1 --set cluster.node.nics=1 --set 'cluster.node.nic_bandwidth=1 Gbps')
expect_exit 0 "$ORRERY" run toy.yaml --json "${slow[@]}"
share=$(awk -F ' : ' '/"exposed_data/ { data = $2 + 0 } /"step_time_s"/ && !step { step = $2 + 0 } END { print data / step / 2 }' out)
between 'share of exposed traffic' "$share" 0.9 1
expect_exit 0 "$ORRERY" run toy.yaml --what-if --json "${slow[@]}"
effect=$(entry 'NIC bandwidth +10 %' effect_fraction)
between 'NIC bandwidth' "$(awk -v e="$effect" -v s="$share" 'BEGIN { print -11 * e / s }')" 0.999 1.001

# Serving: TPOT and throughput at the scenario's load.
expect_exit 0 "$ORRERY" run "$ROOT/scenarios/serving/llama-3.1-70b-poisson.yaml" --what-if --json --threads 1
cp out one
tensor=$(entry 'less tensor parallelism' tpot_s)
expect_exit 0 "$ORRERY" run "$ROOT/scenarios/serving/llama-3.1-70b-poisson.yaml" --what-if --json --threads 5
cmp one out || fail "the number of threads changes the answer of serving"
between 'bandwidth in serving' "$(entry 'HBM bandwidth +10 %' effect_fraction)" -0.0910 -0.02
expect_exit 0 "$ORRERY" run "$ROOT/scenarios/serving/llama-3.1-70b-poisson.yaml" --json --set serve.tensor=2 --set serve.replicas=2
grep -q "\"mean\" : $tensor" out || fail "serve.tensor=2 has no TPOT of $tensor"

expect_exit 2 "$ORRERY" run "$scenario" --what-if --threads -1
expect_exit 2 "$ORRERY" run "$scenario" --what-if --out there
finish

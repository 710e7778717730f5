#!/bin/bash
# The shipped coefficients of prefill, decode and experts on the tables that they were fitted to: median
# and p90 error within the targets, per GPU. Skipped where the tables are not at hand.
. "$(dirname "$0")/../support/cli.sh"
tables=$ROOT/../shared/kernel_data
[ -r "$tables/a100_sxm.moe.sglang-0.5.10.csv" ] || exit 77

# expect_within NAME OPERATION MEDIAN P90: of the line of all rows of the operation, in percent.
expect_within() {
    awk -v operation="$2" -v median="$3" -v p90="$4" '
        index($0, operation) && / all / {
            sub(/.* all +/, ""); seen = $1 > 1000
            bad = !($2 <= median) || !($4 <= p90) }
        END { exit !seen || bad }' out || fail "$1: $2 misses $3 % / $4 %:" "$(grep "$2" out)"
}

for gpu in a100:dgx-a100-80gb h100:dgx-h100 h200:hgx-h200 b200:dgx-b200; do
    name=${gpu%:*}
    expect_exit 0 "$ORRERY" fit --check --node "${gpu#*:}" "$tables/$name"_sxm.context_attention.*.csv \
        "$tables/$name"_sxm.generation_attention.*.csv "$tables/$name"_sxm.moe.*.csv
    expect_text out 'prefill, head_128 +all '
    expect_text out '0\.1 to 1 ms'
    expect_within "$name" 'prefill attention  ' 6 15
    expect_within "$name" 'decode attention  ' 6 16
    expect_within "$name" ' moe   ' 8 25
done
finish

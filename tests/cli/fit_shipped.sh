#!/bin/bash
# `orrery fit` on the tables that the shipped collectives were fitted to prints the shipped rows, but for
# their source. Skipped where the tables are not at hand.
. "$(dirname "$0")/../support/cli.sh"
tables=$ROOT/../shared/kernel_data
[ -r "$tables/a100_sxm.nccl.nccl-2.27.3.csv" ] || exit 77

# row FILE NAME: the row of a catalog or of a fit, without its source.
row() {
    awk -v name="$2:" '/^[^ #]/ { on = $0 == name } on && !/^  source:/' "$1"
}

# expect_shipped CATALOG NAME FIT_ARGUMENT...
expect_shipped() {
    local catalog=$ROOT/topology/catalog/$1 name=$2
    shift 2
    expect_exit 0 "$ORRERY" fit "$@"
    row out "$name" >fitted
    [ -s fitted ] || fail "no row $name:" "$(head out)"
    row "$catalog" "$name" | diff -u - fitted >difference ||
        fail "$name is not what the fit prints:" "$(cat difference)"
}

expect_shipped protocols.yaml nvlink3 --node dgx-a100-80gb "$tables"/a100_sxm.nccl.*.csv
expect_shipped protocols.yaml nvlink4 --node dgx-h100 "$tables"/h100_sxm.nccl.*.csv
expect_shipped protocols.yaml nvlink4-h200 --node hgx-h200 "$tables"/h200_sxm.nccl.*.csv
expect_shipped protocols.yaml nvlink5 --node dgx-b200 "$tables"/b200_sxm.nccl.*.csv
for gpu in a100:dgx-a100-80gb h100:dgx-h100 h200:hgx-h200 b200:dgx-b200; do
    expect_shipped engine_kernels.yaml "vllm-${gpu%:*}" --node "${gpu#*:}" --engine "vllm-${gpu%:*}" \
        "$tables/${gpu%:*}"_sxm.custom_allreduce.*.csv
done

# The target: a median error of at most 10 % over 64 kB to 1 GB, in one table.
expect_exit 0 "$ORRERY" fit --check --json dgx-a100-80gb="$tables/a100_sxm.nccl.nccl-2.27.3.csv" \
    dgx-h100="$tables/h100_sxm.nccl.nccl-2.29.2.csv" hgx-h200="$tables/h200_sxm.nccl.nccl-2.29.2.csv" \
    dgx-b200="$tables/b200_sxm.nccl.nccl-2.29.2.csv"
expect_json
awk -v worst="$(json_value worst_median_error_fraction)" 'BEGIN { exit !(worst > 0 && worst <= 0.10) }' ||
    fail "the worst median error is $(json_value worst_median_error_fraction)"
finish

#!/bin/bash
# `orrery fit`: a table in, coefficients out; tables that are none are refused.
. "$(dirname "$0")/../support/cli.sh"

# Rates that grow with the size, at 50 % of the peak of an H100 at most.
{
    echo 'op_name,gemm_dtype,m,n,k,latency'
    for m in 128 256 512 1024 2048; do
        for n in 512 1024 2048 4096 8192; do
            awk -v m=$m -v n=$n 'BEGIN {
                printf "gemm,bfloat16,%d,%d,4096,%.6f\n", m, n, 0.003 + 2 * m * n * 4096 / 495e9 }'
        done
    done
    echo 'gemm,int4,1,1,1,1'
} >table.csv
expect_exit 0 "$ORRERY" fit --node dgx-h100 table.csv
expect_text out 'rows: 25'
expect_text out '; 1 lines of other kinds'
cp out first
expect_exit 0 "$ORRERY" fit --node dgx-h100 table.csv
cmp first out || fail "two fits differ"

: >empty.csv
expect_exit 2 "$ORRERY" fit --node dgx-h100 empty.csv
expect_text err 'empty\.csv: the table is empty'
echo 'a,b' >other.csv
expect_exit 2 "$ORRERY" fit --node dgx-h100 other.csv
expect_exit 2 "$ORRERY" fit --node abacus table.csv
expect_text err 'abacus'
expect_exit 2 "$ORRERY" fit table.csv
expect_exit 2 "$ORRERY" fit --node dgx-h100
finish

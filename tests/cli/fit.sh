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

echo 'a,b' >other.csv

# Block scales behind a host of 90 us, 60 below 32 rows; weights of 4 bits that stream at 2 TB/s.
{
    echo 'op_name,gemm_dtype,m,n,k,latency'
    for m in 1 16 64 256 4096; do
        for n in 512 1024 2048 8192 16384; do
            awk -v m=$m -v n=$n 'BEGIN {
                s = 0.005 + 2 * m * n * 4096 / 990e9; host = m < 32 ? 0.06 : 0.09
                printf "gemm,fp8_block,%d,%d,4096,%.6f\n", m, n, s < host ? host : s
                printf "gemm,int4_wo,%d,%d,4096,%.6f\n", m, n, 0.01 + n * 2048 / 2e9 + s }'
        done
    done
} >narrow.csv
expect_exit 0 "$ORRERY" fit --node dgx-h100 narrow.csv
expect_text out '^    fp8_block:$'
expect_text out '^      host: (89|90|91)\.[0-9]+ us$'
expect_text out '^      host_few: (59|60|61)\.[0-9]+ us$'
expect_text out '^    int4_wo:$'
expect_text out '^      dequantise_per_clock: [0-9.]+$'
expect_text out '^      rows: 25$'
expect_exit 0 "$ORRERY" fit --check --brief --folds 2 --node dgx-h100 narrow.csv
expect_text out 'gemm, fp8_block +all +25( +[0-9.]+ %){4}'
! grep -q int4_wo out || fail "a type without a fit is judged"

# Collectives on wires of 450 GB/s: a launch and the bytes, up to a fifth of noise by size.
{
    echo 'op_name,kernel_source,nccl_dtype,num_gpus,message_size,latency'
    for gpus in 2 4 8; do
        for power in 8 10 12 14 16 18 20 22 24 26 28; do
            awk -v n=$gpus -v p=$power 'BEGIN {
                bytes = 2 ^ (p + 1)
                printf "all_gather,NCCL,half,%d,%d,%.6f\n", n, 2 ^ p,
                    (0.012 + (n - 1) / n * bytes / 300e6) * (1 + (p % 3) / 10)
                printf "alltoall,NCCL,int8,%d,%d,%.6f\n", n, 2 ^ (p + 1), 0.012 + bytes / 300e6 }'
        done
    done
    echo 'broadcast,NCCL,half,8,1024,0.01'
} >nccl.csv
expect_exit 0 "$ORRERY" fit --node dgx-h100 nccl.csv
expect_text out '^nvlink4:$'
expect_text out 'source: "orrery fit --node dgx-h100 on nccl\.csv"'
expect_text out '^  all_gather:$'
expect_text out '^  all_to_all:$'
expect_text out '^    rows: 33$'
expect_text out '^    large_rows: 21$'
expect_text out 'simple: \{base_latency: [0-9.]+ us, hop_latency: [0-9.]+ us, fraction: 0\.[0-9]+\}'
! grep -q 'all_reduce' out || fail "an operation that was not measured is printed"

# What is shipped, judged on the same table.
expect_exit 0 "$ORRERY" fit --check --node dgx-h100 nccl.csv
expect_text out '^dgx-h100 +nvlink4 +all_gather +64 kB to 1 MB +[0-9]+ '
expect_text out '64 kB to 1 GB +21 +[0-9.]+ % +[0-9.]+ %'
expect_text out '^Largest median error over 64 kB to 1 GB: [0-9.]+ % \(dgx-h100'
expect_exit 0 "$ORRERY" fit --check dgx-h100=nccl.csv hgx-h200=nccl.csv --json
expect_json
expect_text out '"coefficients" : "nvlink4-h200"'
expect_text out '"worst_median_error_fraction"'
expect_exit 0 "$ORRERY" fit --check --folds 2 --node dgx-h100 nccl.csv
expect_text out 'held out'
expect_text out '64 kB to 1 GB +21( +[0-9.]+ %){4}$'

# An engine's own all-reduces, in graphs and outside.
{
    echo 'op_name,kernel_source,allreduce_dtype,num_gpus,message_size,latency,backend'
    for gpus in 2 4 8; do
        for power in 8 10 12 14 16 18 20; do
            awk -v n=$gpus -v p=$power 'BEGIN {
                s = 0.005 + (n - 1) * 2 ^ (p + 1) / 250e6
                printf "all_reduce,x,bfloat16,%d,%d,%.6f,vllm_graph\n", n, 2 ^ p, s
                printf "all_reduce,x,bfloat16,%d,%d,%.6f,vllm_eager\n", n, 2 ^ p, s < 0.02 ? 0.02 : s }'
        done
    done
} >engine.csv
expect_exit 0 "$ORRERY" fit --node dgx-h100 --engine vllm-h100 engine.csv
expect_text out '^vllm-h100:$'
expect_text out '^  rows: 42$'
expect_text out '^  one_shot: \{base_latency: [0-9.]+ us, peer_latency'
expect_text out '^  at_4: \{one_shot_below: 512 KiB, two_shot_below: 8 MiB, staged_to: 32 MiB, staged_in_switch: true\}'
expect_exit 0 "$ORRERY" fit --check dgx-h100+vllm-h100=engine.csv
expect_text out '^dgx-h100 +vllm-h100 +all_reduce, graph'
expect_text out 'all_reduce, eager'
expect_exit 2 "$ORRERY" fit --check --node dgx-h100 engine.csv
expect_text err "an engine's own all-reduces need its name"
expect_exit 2 "$ORRERY" fit --check --node dgx-h100 other.csv
expect_exit 2 "$ORRERY" fit --node dgx-h100 --engine vllm-abacus engine.csv
expect_text err 'vllm-abacus'

: >empty.csv
expect_exit 2 "$ORRERY" fit --node dgx-h100 empty.csv
expect_text err 'empty\.csv: the table is empty'
echo 'a,b' >other.csv
expect_exit 2 "$ORRERY" fit --node dgx-h100 other.csv
expect_exit 2 "$ORRERY" fit --node abacus table.csv
expect_text err 'abacus'
expect_exit 2 "$ORRERY" fit table.csv
expect_exit 2 "$ORRERY" fit --node dgx-h100
expect_exit 2 "$ORRERY" fit --node dgx-h100 --json table.csv
expect_text err 'go with --check'
expect_exit 2 "$ORRERY" fit --check --folds 1 --node dgx-h100 nccl.csv
expect_exit 0 "$ORRERY" fit --check --node dgx-h100 table.csv
expect_text out '^dgx-h100 +h100 +gemm, bf16 +all +25 +[0-9.]+ %'
expect_exit 0 "$ORRERY" fit --check --brief --node dgx-h100 nccl.csv
[ "$(wc -l <out)" = 4 ] || fail "a heading, two operations and the largest:" "$(cat out)"

# By decade of the measured time too, in every kind of columns; what lies far off is not passed over.
expect_exit 0 "$ORRERY" fit --check --node dgx-h100 table.csv
expect_text out '^ +10 to 100 us +[0-9]+ +[0-9.]+ %'
! grep -q extrapolated out || fail "rows that were fitted are no extrapolation:" "$(cat out)"
{
    echo 'op,dtype,m,n,k,latency_us'
    echo 'gemm,bf16,4096,4096,4096,250'
    echo 'gemm,bf16,4096,4096,1000000,60000'
    echo 'softmax,bf16,4096,4096,,5'
} >generic.csv
expect_exit 0 "$ORRERY" fit --check --node dgx-h100 generic.csv
expect_text out 'gemm, bf16 +all +2 .* 1 rows extrapolated$'
expect_exit 0 "$ORRERY" fit --check --json --node dgx-h100 generic.csv
expect_json
expect_text out '"extrapolated_rows" : 1'
awk -F, 'NR == 1 { print "op,dtype,m,n,k,latency_ms" } $2 == "bfloat16" {
    print "gemm,bf16," $3 "," $4 "," $5 "," $6 }' table.csv >plain.csv
"$ORRERY" fit --node dgx-h100 table.csv 2>/dev/null | grep -v '^#' >first
expect_exit 0 "$ORRERY" fit --node dgx-h100 plain.csv
grep -v '^#' out | cmp -s first - || fail "two kinds of columns, two fits:" "$(diff first out)"
expect_text out 'gemm: \{m_from: 128, m_to: 2048, n_from: 512, n_to: 8192, k_from: 4096, k_to: 4096\}'
printf 'layer,tokens,time_us\nqkv_proj,512,50\ndown_proj,512,60\n' >dense.csv
expect_exit 2 "$ORRERY" fit --check --node dgx-h100 dense.csv
expect_text err 'dense\.csv:1: the rows name layers of a model'
expect_exit 0 "$ORRERY" fit --check --node dgx-h100 --model llama-3.1-8b --tensor 2 dense.csv
expect_text out 'gemm, bf16 +all +2 '
printf 'op,dtype,m,n,k,seconds\ngemm,bf16,1,1,1,-1\n' >bad.csv
expect_exit 2 "$ORRERY" fit --node dgx-h100 bad.csv
expect_text err 'bad\.csv:2: seconds must be a number'
expect_exit 2 "$ORRERY" fit --node dgx-h100 --tensor 5000 table.csv
finish

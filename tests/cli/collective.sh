#!/bin/bash
# `orrery collective`: the figures of nccl-tests, over sizes; impossible groups are refused.
. "$(dirname "$0")/../support/cli.sh"

# busbw SIZE: the last column of that line.
busbw() {
    awk -v size="$1" '$1 == size { print $NF }' out
}

# expect_near WHAT GOT WANT: within 10 %.
expect_near() {
    awk -v got="$2" -v want="$3" 'BEGIN { exit !(got > 0.9 * want && got < 1.1 * want) }' ||
        fail "$1: $2 GB/s, not $3" "$(cat out)"
}

# What people at NVIDIA say that nccl-tests should show: nccl-tests issues 212 and 178, and the cap in
# NCCL 2.10, src/graph/tuning.cc.
expect_exit 0 "$ORRERY" collective --node dgx-h100 --max '8 GiB'
expect_text out '^all_reduce of 8 ranks on 1 x dgx-h100: nvlink4 in domains of 8$'
expect_text out '^ +65536 +ring +LL'
expect_text out '^ +8589934592 +nvls +Simple +24 '
expect_text out '^Average bus bandwidth: [0-9.]+ GB/s$'
expect_near '8 H100, NVLS' "$(busbw 8589934592)" 480
[ "$(wc -l <out)" = 21 ] || fail "18 sizes from 64 KiB to 8 GiB:" "$(cat out)"
expect_exit 0 "$ORRERY" collective --node dgx-h100 --min '8 GB' --max '8 GB' --algorithm ring
expect_near '8 H100, ring' "$(busbw 8000000000)" 370
expect_exit 0 "$ORRERY" collective --node dgx-a100-80gb --min '8 GB' --max '8 GB'
expect_near '8 A100' "$(busbw 8000000000)" 235
expect_exit 0 "$ORRERY" collective --node dgx-a100-80gb --ranks 2 --min '8 GB' --max '8 GB'
expect_near '2 A100' "$(busbw 8000000000)" 208

# Across nodes: the bandwidth is of the NICs, and two nodes are the fewest that hold 16 ranks.
expect_exit 0 "$ORRERY" collective --node dgx-h100 --ranks 16 --op all_gather --min 8GB --max 8GB
expect_text out '^all_gather of 16 ranks on 2 x dgx-h100: nvlink4 in domains of 8, rdma between$'
expect_near '16 H100' "$(busbw 8000000000)" 360

expect_exit 0 "$ORRERY" collective --node dgx-h100 --nodes 4 --op all_to_all --max 1MB --json
expect_json
expect_text out '"operation" : "all_to_all"'
expect_text out '"ranks" : 32'
expect_text out '"busbw_bytes_per_s" : [1-9]'

# A serving engine's own kernels, then the library's; 6.4 us is measured (AIConfigurator, vLLM 0.24).
expect_exit 0 "$ORRERY" collective --node dgx-h100 --engine vllm-h100
expect_text out '^ +65536 +one-shot +one_shot +- +6\.[0-9]+ '
expect_text out '^ +67108864 +nvls +staged_switch +- '
expect_text out '^ +134217728 +nvls +Simple +24 '
expect_exit 0 "$ORRERY" collective --node dgx-h100 --engine vllm-h100 --json
expect_json
expect_text out '"protocol" : "one_shot"'
expect_exit 2 "$ORRERY" collective --node dgx-h100 --engine abacus
expect_text err "unknown engine 'abacus'"
expect_exit 2 "$ORRERY" collective --node dgx-h100 --engine vllm-h100 --algorithm ring
expect_text err 'no --algorithm'

expect_exit 2 "$ORRERY" collective
expect_exit 2 "$ORRERY" collective --node dgx-h100 extra
expect_exit 2 "$ORRERY" collective --node abacus
expect_text err 'abacus'
expect_exit 2 "$ORRERY" collective --node dgx-h100 --op all_reduec
expect_text err "did you mean 'all_reduce'"
expect_exit 2 "$ORRERY" collective --node dgx-h100 --ranks 12
expect_text err '12 ranks do not fill domains of 8'
expect_exit 2 "$ORRERY" collective --node dgx-h100 --nodes 1 --ranks 9
expect_text err '9 ranks on 1 nodes'
expect_exit 2 "$ORRERY" collective --node dgx-h100 --min 1000
expect_text err "--min '1000'"
expect_exit 2 "$ORRERY" collective --node dgx-h100 --min 2GB
expect_text err '--min is above --max'
expect_exit 2 "$ORRERY" collective --node dgx-h100 --algorithm rings
expect_text err "unknown collective algorithm 'rings'"
expect_exit 2 "$ORRERY" collective --node dgx-h100 --algorithm direct
expect_text err 'cannot do all_reduce'
finish

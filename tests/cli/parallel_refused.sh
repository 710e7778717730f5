#!/bin/bash
# What is refused of how tensor and context ranks share a layer, each with its reason.
. "$(dirname "$0")/../support/cli.sh"

cat >s.yaml <<'YAML'
name: parallel
model: llama-3.1-8b
cluster: {node: dgx-h100, nodes: 4}
plan: {tensor: 2, context: 4, micro_batch: 1, global_batch: 16, sequence_length: 16384, recompute: full}
YAML
expect_exit 0 "$ORRERY" check s.yaml

# refused REGEX SETTING...: together they are wrong, and said to be so.
refused() {
    local settings=() setting
    for setting in "${@:2}"; do settings+=(--set "$setting"); done
    expect_exit 2 "$ORRERY" check s.yaml "${settings[@]}"
    expect_text err "$1"
}

# taken SETTING...
taken() {
    local settings=() setting
    for setting in "$@"; do settings+=(--set "$setting"); done
    expect_exit 0 "$ORRERY" check s.yaml "${settings[@]}"
}

kind=plan.context_parallel.kind
taken $kind=all-gather
taken $kind=ulysses
taken $kind=hybrid plan.context_parallel.heads=2
taken plan.context_parallel.order=contiguous
taken $kind=ulysses plan.context=1
refused "must be one of" $kind=rings
refused 'hybrid: context_parallel.heads 0 must be 2 or more' $kind=hybrid
refused 'heads 3 must be 2 or more, divide context 4' $kind=hybrid plan.context_parallel.heads=3
refused 'heads 4 must be 2 or more, divide context 4 and leave a ring' $kind=hybrid plan.context_parallel.heads=4
refused 'heads is for kind hybrid, not ulysses' $kind=ulysses plan.context_parallel.heads=2
refused 'heads needs context of 2 or more' plan.context=1 plan.context_parallel.heads=2
refused 'kind ulysses has no order of tokens' $kind=ulysses plan.context_parallel.order=contiguous
refused 'unfused scores have no softmax' plan.attention=unfused
refused '16 ranks exchange heads, but tensor 2 leaves each 14' $kind=ulysses plan.context=16 'model={base: llama-3.1-8b, heads: 28, kv_heads: 4, head_dim: 128}'
refused 'sequence_length 16388 does not split into 8 chunks .two a rank' plan.sequence_length=16388
taken plan.sequence_length=16388 plan.context_parallel.order=contiguous
refused 'does not split over context 4' plan.sequence_length=16386
refused 'which hybrid has not: use alpha-beta' $kind=hybrid plan.context_parallel.heads=2 network=fluid 'fabric={kind: leaf-spine}'

# Tensor ranks: what they must divide, in a row and in a grid.
refused "tensor 5 does not divide the model's 32 heads" plan.tensor=5
refused 'neither divides the other' plan.tensor=2 'model={base: llama-3.1-8b, heads: 36, kv_heads: 3, head_dim: 128}'
refused "does not divide the model's ffn" plan.tensor=8 plan.context=1 'model={base: llama-3.1-8b, ffn: 14340}'
refused 'chunks needs overlap.tensor' plan.tensor_parallel.chunks=4
taken plan.tensor_parallel.chunks=4 plan.overlap.tensor=true
refused 'depth 2 is for kind 2.5d, not 1d' plan.tensor_parallel.depth=2
grid='plan={tensor: 4, micro_batch: 2, global_batch: 32, sequence_length: 4096, recompute: full, tensor_parallel: {kind: 2d}}'
taken "$grid"
refused 'tensor 8 is no 2d grid' "$grid" plan.tensor=8
refused 'micro_batch 1 is not a multiple of 2: rows of the grid' "$grid" plan.micro_batch=1
refused 'leave sequence_parallel out' "$grid" plan.sequence_parallel=true
refused '2d with context 2' "$grid" plan.context=2
refused 'logits cut along both sides' "$grid" plan.tensor_parallel.gathers_logits=true
refused 'moves a panel a step' "$grid" plan.overlap.tensor_backward=true
refused 'does not divide kv_heads 8' "$grid" plan.tensor=256 plan.micro_batch=16 'cluster={node: dgx-h100, nodes: 32}'
refused 'which rows and columns of a grid are not' "$grid" network=fluid 'fabric={kind: leaf-spine}'
taken "$grid" plan.tensor=8 plan.micro_batch=4 plan.tensor_parallel.kind=2.5d plan.tensor_parallel.depth=2
refused 'depth 4 of grids of 2 x 2' "$grid" plan.tensor=16 plan.micro_batch=8 plan.tensor_parallel.kind=2.5d plan.tensor_parallel.depth=4
finish

#!/bin/bash
# Clusters of two kinds of nodes: what is refused, each with its reason, and what the report says.
. "$(dirname "$0")/../support/cli.sh"

cat >s.yaml <<'YAML'
name: mixed
model: llama-3.1-8b
cluster: {node: dgx-h100, gpus: 32, mixed: {node: dgx-a100-80gb, gpus: 16}}
plan: {tensor: 8, micro_batch: 1, global_batch: 16, sequence_length: 4096, recompute: full}
YAML

# refused REGEX SETTING...: together they are wrong, and said to be so.
refused() {
    local settings=() setting
    for setting in "${@:2}"; do settings+=(--set "$setting"); done
    expect_exit 2 "$ORRERY" check s.yaml "${settings[@]}"
    expect_text err "$1"
}

expect_exit 0 "$ORRERY" run s.yaml
expect_text out '16 x h100-sxm and 16 x a100-sxm-80gb'
refused 'each kind must have whole nodes' cluster.mixed.gpus=12
refused 'each kind must have whole nodes' cluster.mixed.gpus=32
refused 'as many GPUs in a node' cluster.mixed.node.gpus=4
refused 'missing key .node.' 'cluster.mixed={gpus: 8}'
refused 'the tensor group of rank 0 is on nodes of two kinds' plan.tensor=32 plan.global_batch=16
refused 'the context group of rank 0 is on nodes of two kinds' plan.context=4
refused 'fabrics are built of equal NICs' 'fabric={kind: fat-tree}'
refused 'offload with two kinds of nodes' plan.offload.optimizer=host
refused 'precision with two kinds of nodes: the second kind of GPU has no peak' plan.precision=fp8
refused 'schedule with two kinds of nodes' plan.pipeline=2 plan.schedule=dualpipe plan.virtual_stages=2 plan.global_batch=32
refused 'each keeps its own' kernels=h100
refused 'weak_nics count the NICs of one kind' 'faults={weak_nics: [{nic: 0, health: 0.5}]}'
deal=plan.replica_microbatches=by-speed
expect_exit 0 "$ORRERY" run s.yaml --set $deal
expect_text out 'Microbatches 2 x [0-9]+, 2 x [0-9]+ '
refused 'by-speed needs zero_stage 0 or 1: zero_stage 3' $deal plan.zero_stage=3
refused 'by-speed is for schedules of one chunk a stage' $deal plan.pipeline=2 plan.virtual_stages=2
refused 'by-speed needs cluster.mixed' $deal 'cluster={node: dgx-h100, gpus: 32}'
refused 'by-speed with experts' $deal model=mixtral-8x7b
expect_exit 2 "$ORRERY" search s.yaml --set 'search={objective: gpus}'
expect_text err 'search is over plans on equal nodes'
finish

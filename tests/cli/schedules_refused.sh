#!/bin/bash
# What each pipeline schedule asks of stages, chunks and microbatches, and says when it is not so.
. "$(dirname "$0")/../support/cli.sh"

cat >s.yaml <<'YAML'
name: schedules
model: korthikanti-22b
cluster: {node: dgx-a100-80gb, nodes: 4}
plan: {tensor: 2, pipeline: 8, global_batch: 32}
YAML

# refused KEY=VALUE MESSAGE [KEY=VALUE...]
refused() {
    local message=$2 sets=(--set "$1")
    shift 2
    for set in "$@"; do sets+=(--set "$set"); done
    expect_exit 2 "$ORRERY" check s.yaml "${sets[@]}"
    expect_text err "$message"
}

expect_exit 0 "$ORRERY" check s.yaml
for schedule in gpipe 1f1b zb-h1 zb-v dualpipe; do
    expect_exit 0 "$ORRERY" check s.yaml --set plan.schedule=$schedule
done
expect_exit 0 "$ORRERY" check s.yaml --set plan.schedule=dualpipe-v --set plan.pipeline=4
refused plan.schedule=dualpipe 'schedule dualpipe has virtual_stages of 2, not 1' plan.virtual_stages=1
refused plan.schedule=dualpipe 'needs an even pipeline, not 1?[13579]: stage i holds' \
    plan.pipeline=3 plan.tensor=1 cluster.gpus=24 plan.data=8
refused plan.schedule=dualpipe 'needs 16 microbatches or more, not 14' plan.global_batch=28
refused plan.schedule=dualpipe 'needs an even number of microbatches, not 17' plan.global_batch=34
refused plan.schedule=dualpipe 'holds the model twice and adds its gradients over both' plan.zero_stage=2
refused plan.schedule=dualpipe-v 'needs 16 microbatches or more, not 15' plan.global_batch=30
refused plan.schedule=dualpipe-v 'needs a pipeline of 2 or more' plan.pipeline=1
refused plan.virtual_stages=2 'in multiples of pipeline 8, not 9' plan.global_batch=18
finish

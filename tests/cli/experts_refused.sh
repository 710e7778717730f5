#!/bin/bash
# What is refused of models with experts: units of ZeRO-2 and 3, copies of shards, search over plans.
. "$(dirname "$0")/../support/cli.sh"

cat >s.yaml <<'YAML'
name: experts
model: deepseek-v2-lite
cluster: {node: dgx-h100, nodes: 2}
plan: {zero_stage: 1, expert: 8, micro_batch: 1, global_batch: 16, sequence_length: 2048}
cost: aws-p5
search: {reach: 1}
YAML
expect_exit 0 "$ORRERY" check s.yaml
for stage in 2 3; do
    expect_exit 2 "$ORRERY" check s.yaml --set "plan.zero_stage=$stage"
    expect_text err "zero_stage $stage with experts: units are gathered and reduced over the ranks"
done
expect_exit 2 "$ORRERY" check s.yaml --set plan.shard=8
expect_text err 'shard 8 with experts: copies of experts are on other ranks'
expect_exit 2 "$ORRERY" search s.yaml
expect_text err 'search is over training plans of dense models'
finish

#!/bin/bash
# What is refused of models with experts: each rule of layouts, loads and parts, units of ZeRO-2 and
# 3, copies of shards, search over plans.
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

# refused SETTING REGEX: SETTING is wrong, and said to be so.
refused() {
    expect_exit 2 "$ORRERY" check s.yaml --set "$1"
    expect_text err "$2"
}

for stage in 2 3; do
    refused "plan.zero_stage=$stage" "zero_stage $stage with experts: units are gathered and reduced over the ranks"
done
refused plan.shard=8 'shard 8 with experts: copies of experts are on other ranks'

refused plan.expert=7 '64 experts do not split over expert 7: each rank holds whole ones'
refused plan.expert=32 'expert 32 x expert_tensor 1 does not divide tensor 1 x context 1 x data 16'
refused plan.expert_tensor=2 'expert_tensor 2 is neither 1 nor tensor 1'
refused model=llama-3.1-8b 'expert 8: the model has no experts'
refused plan.expert_nodes=2 'expert_nodes needs expert_kernels'
refused plan.expert_capacity=0.5 'expert_capacity 0.5 would drop tokens of even routing'
refused plan.expert_imbalance=0.5 'expert_imbalance 0.5: the busiest of 8 ranks has from 1 to 8 times'
refused plan.expert_imbalance=9 'expert_imbalance 9: the busiest of 8 ranks has from 1 to 8 times'
refused 'plan={zero_stage: 1, expert: 8, global_batch: 16, sequence_length: 2048, expert_imbalance: 2, expert_zipf: 1}' \
    'expert_imbalance, expert_histogram and expert_zipf all say how full the busiest rank is'
refused 'plan.expert_histogram=3 4*62' 'is no list of whole numbers for 64 experts'
expect_exit 0 "$ORRERY" check s.yaml --set 'plan.expert_histogram=3 4*63'
refused 'plan={zero_stage: 1, expert: 8, tensor: 2, global_batch: 16, sequence_length: 2048}' \
    'experts with tensor 2 need sequence_parallel'
refused 'plan.recompute_parts={quantised_inputs: true}' 'quantised_inputs needs a precision below 16 bits'
expect_exit 0 "$ORRERY" check s.yaml --set 'plan.recompute_parts={up_projection: true}'
refused 'plan={global_batch: 16, sequence_length: 2048, pipeline: 2, virtual_stages: 5}' \
    'layers do not split over pipeline 2 x virtual_stages 5'
expect_exit 0 "$ORRERY" check s.yaml --set 'plan={global_batch: 16, sequence_length: 2048, pipeline: 2, virtual_stages: 5, uneven_layers: true}'

cat >dense.yaml <<'YAML'
name: dense
model: llama-3.1-8b
cluster: {node: dgx-h100, nodes: 1}
plan: {micro_batch: 1, global_batch: 8, sequence_length: 2048, recompute_parts: {up_projection: true}}
YAML
expect_exit 2 "$ORRERY" check dense.yaml
expect_text err 'up_projection is of latent attention: the model has no kv_lora_rank'

expect_exit 2 "$ORRERY" search s.yaml
expect_text err 'search is over training plans of dense models'
finish

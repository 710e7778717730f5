#!/bin/bash
# What is refused of a plan's memory levers, each with its reason.
. "$(dirname "$0")/../support/cli.sh"

cat >s.yaml <<'YAML'
name: levers
model: llama-3.1-8b
cluster: {node: dgx-h100, nodes: 1}
plan: {zero_stage: 3, micro_batch: 1, global_batch: 8, sequence_length: 2048, recompute: full}
YAML
expect_exit 0 "$ORRERY" check s.yaml

# refused SETTING REGEX: SETTING is wrong, and said to be so.
refused() {
    expect_exit 2 "$ORRERY" check s.yaml --set "$1"
    expect_text err "$2"
}

expect_exit 0 "$ORRERY" check s.yaml --set 'plan.recompute_layers={method: fraction, fraction: 0.5}'
refused 'plan={global_batch: 8, sequence_length: 2048, recompute_layers: {method: block, layers: 1}}' \
    'recompute_layers needs recompute full or selective: nothing is recomputed'
refused 'plan.recompute_layers={method: block}' 'takes `layers` with uniform and block'
refused 'plan.recompute_layers={method: fraction, layers: 2}' 'takes `layers` with uniform and block'
refused 'plan.recompute_layers={method: block, layers: 33}' 'a model chunk has 32 layers, not 33'
refused 'plan.recompute_layers={method: uniform, layers: 2}' "a group's weights would be gathered once"
refused 'plan={global_batch: 8, sequence_length: 2048, recompute: selective, recompute_layers: {method: uniform, layers: 2}}' \
    'they need recompute full'
refused 'plan={global_batch: 8, sequence_length: 2048, recompute: per-op, attention: unfused}' \
    'recompute per-op keeps the output of fused attention'
refused 'plan={global_batch: 8, sequence_length: 2048, attention: unfused, attention_kernels: flash-2}' \
    'attention_kernels name a generation of fused attention'
refused 'plan.owner_hop=14 us' 'owner_hop needs zero_stage 1'
expect_exit 0 "$ORRERY" check s.yaml --set plan.recompute=per-op
expect_exit 2 "$ORRERY" check s.yaml --set model=mixtral-8x7b --set plan.zero_stage=0 --set plan.recompute=per-op
expect_text err 'which it keeps of experts'
finish

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
refused 'plan.owner_hop=14 us' 'owner_hop needs zero_stage 1'
expect_exit 0 "$ORRERY" check s.yaml --set plan.recompute=per-op
expect_exit 2 "$ORRERY" check s.yaml --set model=mixtral-8x7b --set plan.zero_stage=0 --set plan.recompute=per-op
expect_text err 'which it keeps of experts'

# What is outside the GPU.
plan='global_batch: 8, sequence_length: 2048'
expect_exit 0 "$ORRERY" check s.yaml --set 'plan.offload={optimizer: host, parameters: host, activations: 0.5}'
refused 'plan.offload={optimizer: disk}' 'the node has no disk, disk_read or disk_write'
refused 'plan.offload={activations: 0.5, activation_layers: 3}' 'say one'
refused 'plan.offload={activation_layers: 33}' 'the model has 32 layers, not 33'
refused 'plan.offload={delayed_update: true}' 'delayed_update needs offload.optimizer'
refused "plan={$plan, zero_stage: 2, offload: {parameters: host}}" 'weights of zero_stage 2 are whole on the GPU'
refused "plan={$plan, zero_stage: 3, pipeline: 2, offload: {parameters: host}}" 'every microbatch would fetch every layer again'
refused "plan={$plan, optimizer: sgd, offload: {optimizer: host}}" "the host's update is Adam's"
refused "plan={$plan, no_master: true, offload: {optimizer: host}}" 'no_master and fp32_parameters'
refused "plan={$plan, pipeline: 2, schedule: zb-h1, offload: {activations: 1}}" 'keeps inputs for its second backward'
expect_exit 2 "$ORRERY" check s.yaml --set 'cluster={node: hgx-a800, nodes: 1}' --set 'plan.offload={optimizer: host}'
expect_text err 'nobody said how fast'
refused "plan={$plan, pipeline: 4, schedule: dualpipe-v, virtual_stages: 2, offload: {optimizer: host}}" 'no offload of it'
refused 'plan.optimizer=muon' 'muon multiplies whole matrices'
refused "plan={$plan, no_master: true, fp32_parameters: true}" 'have no copy to leave out'

# Adapters, teachers, sparse weights.
refused 'plan.adapters={rank: 8, nf4: true}' 'gathers of packed 4-bit weights are not modelled'
refused "plan={$plan, adapters: {rank: 8, double_quantisation: true}}" 'it needs nf4'
refused "plan={$plan, adapters: {rank: 8192}}" 'no low rank'
refused "plan={$plan, pipeline: 2, schedule: zb-h1, adapters: {rank: 8}}" 'frozen layers do not have'
refused "plan={$plan, adapters: {rank: 8}, sparsity: {gain: 1.5}}" 'sparse weights beside adapters'
refused 'plan.distill={teacher: mixtral-8x7b}' 'a teacher with experts'
refused "plan={$plan, tensor: 4, sequence_parallel: true, distill: {teacher: llama-3.1-70b, tensor: 3}}" "does not divide the teacher's heads"
refused "plan={$plan, tensor: 4, distill: {teacher: llama-3.1-70b, top_logits: 200000}}" 'the teacher has 128256 logits'
refused 'model={base: llama-3.1-8b, pruned_ffn: 1.5}' "'pruned_ffn' must be a number from 0 to 0.99"
finish

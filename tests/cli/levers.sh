#!/bin/bash
# Memory levers end to end, against what their papers fit and print.
. "$(dirname "$0")/../support/cli.sh"

scenarios=$ROOT/scenarios/training

# at_most A B: A is no more than B, in any notation.
at_most() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a + 0 <= b + 0) }' || fail "$1 is more than $2"
}

# ZeRO-Offload: 10 billion parameters fit one V100 and its host (14 bytes each there, section 4.2),
# and the host's part shows for less than 5 % of the step (512 sequences); without it they do not fit.
offload=$scenarios/zero-offload-10b-v100.yaml
expect_exit 0 "$ORRERY" run "$offload" --json
expect_json
at_most 140e9 "$(json_value host_bytes)" && at_most "$(json_value host_bytes)" 148e9
at_most "$(json_value exposed_offload)" 26
cp out host.json
expect_exit 1 "$ORRERY" run "$offload" --set plan.offload.optimizer=device
expect_text out 'does not fit'
# So do 13 billion (65 layers, batch 4; "over 13 billion" in its abstract), but not 20.
expect_exit 0 "$ORRERY" run "$offload" --set model.layers=65 --set plan.micro_batch=4
expect_exit 1 "$ORRERY" run "$offload" --set model.layers=100 --set plan.micro_batch=4
# 1.4 billion is the largest that its plain PyTorch trains, at 16 bytes each.
expect_exit 0 "$ORRERY" run "$offload" --set plan.offload.optimizer=device --set model.layers=7 --set plan.micro_batch=4
expect_exit 1 "$ORRERY" run "$offload" --set plan.offload.optimizer=device --set model.layers=10 --set plan.micro_batch=4

# Delayed updates cost no more than prompt ones.
expect_exit 0 "$ORRERY" run "$offload" --json
prompt=$(json_value step_time_s)
expect_exit 0 "$ORRERY" run "$offload" --json --set plan.offload.delayed_update=true
at_most "$(json_value step_time_s)" "$prompt"

# ZeRO-Infinity: a trillion parameters on one DGX-2.
expect_exit 0 "$ORRERY" run "$scenarios/zero-infinity-1t-dgx-2.yaml"
expect_text out 'on disk'
expect_exit 1 "$ORRERY" run "$scenarios/zero-infinity-1t-dgx-2.yaml" --set plan.offload.optimizer=host
expect_text out 'into host memory, where 16 GPUs of a node share'

# QLoRA: 65 billion parameters on one GPU of 48 GB; in 16 bits, or without double quantisation, not.
expect_exit 0 "$ORRERY" run "$scenarios/qlora-65b-48gb.yaml"
expect_exit 1 "$ORRERY" run "$scenarios/qlora-65b-48gb.yaml" --set plan.adapters.double_quantisation=false
expect_exit 1 "$ORRERY" run "$scenarios/qlora-65b-48gb.yaml" --set plan.adapters.nf4=false \
    --set plan.adapters.double_quantisation=false

# A teacher takes its part of the step; pruned shapes are those written out.
expect_exit 0 "$ORRERY" run "$scenarios/distill-8b-from-70b.yaml"
expect_text out "teacher's forward"
cat >pruned.yaml <<'YAML'
name: pruned
model: {base: llama-3.1-8b, pruned_heads: 0.25, pruned_ffn: 0.25, pruned_layers: 0.5}
cluster: {node: dgx-h100, gpus: 1}
plan: {micro_batch: 1, global_batch: 4, sequence_length: 2048, optimizer: adam-8bit}
YAML
sed 's/pruned_heads.*}/heads: 24, kv_heads: 6, head_dim: 128, ffn: 10752, layers: 16}/' pruned.yaml >written.yaml
expect_exit 0 "$ORRERY" run pruned.yaml --json
pruned=$(json_value step_time_s)
expect_exit 0 "$ORRERY" run written.yaml --json
[ "$pruned" = "$(json_value step_time_s)" ] || fail "pruned: $pruned, written: $(json_value step_time_s)"

# Both network models, and the commands that read plans, take levers.
expect_exit 0 "$ORRERY" run pruned.yaml --network fluid --set 'plan.offload={optimizer: host}' --set plan.optimizer=adam
expect_exit 0 "$ORRERY" run pruned.yaml --what-if --set 'plan.adapters={rank: 8}'
expect_exit 0 "$ORRERY" compare pruned.yaml written.yaml
finish

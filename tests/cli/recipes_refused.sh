#!/bin/bash
# What is refused of a plan's recipe of less than 16 bits, each with its reason.
. "$(dirname "$0")/../support/cli.sh"

cat >s.yaml <<'YAML'
name: recipes
model: llama-3.1-8b
cluster: {node: dgx-h100, nodes: 1}
plan: {precision: fp8, zero_stage: 1, micro_batch: 1, global_batch: 8, sequence_length: 2048}
YAML
expect_exit 0 "$ORRERY" check s.yaml

# refused SETTING REGEX: SETTING is wrong, and said to be so.
refused() {
    expect_exit 2 "$ORRERY" check s.yaml --set "$1"
    expect_text err "$2"
}

expect_exit 0 "$ORRERY" check s.yaml --set plan.quantise.recipe=fp8-current
refused plan.quantise.recipe=mxfp8 'tensor cores that read its scales \(Blackwell\): GPU h100-sxm'
refused plan.quantise.recipe=nvfp4 'nvfp4 is of another type than the products'
refused plan.quantise.recipe=fp9 "'recipe' must be one of fp8-delayed, fp8-current, fp8-row, fp8-block"
refused plan.quantise.wide_last=33 "more than the model's 32 layers"
expect_exit 2 "$ORRERY" check s.yaml --set plan.precision=bf16 --set plan.quantise.recipe=fp8-block
expect_text err 'fp8-block is of another type than the products'
expect_exit 0 "$ORRERY" check s.yaml --set cluster.node=dgx-b200 --set plan.quantise.recipe=mxfp8
finish

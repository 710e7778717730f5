#!/bin/bash
# Tokens on their way to experts share links with what else is on them.
. "$(dirname "$0")/../support/cli.sh"

# Experts of 32 ranks on two nodes under each of two leaves, oversubscribed four to one.
cat >one.yaml <<'YAML'
name: experts
network: fluid
model: {base: qwen3-30b-a3b, layers: 8}
cluster: {node: dgx-h100, nodes: 8, gpus: 32}
fabric: {kind: leaf-spine, nics_per_leaf: 32, leaf_oversubscription: 4, routing: d-mod-k}
placement: {kind: custom, nodes: [0, 1, 4, 5]}
plan: {base: nemo-2025, expert: 32, sequence_length: 4096, global_batch: 32}
YAML
cat one.yaml - >two.yaml <<'YAML'
jobs:
  - name: neighbour
    model: {base: qwen3-30b-a3b, layers: 8}
    placement: packed
    gpus: 32
    plan: {base: nemo-2025, expert: 32, sequence_length: 4096, global_batch: 32}
YAML

step() {
    expect_exit 0 "$ORRERY" run one.yaml --json "$@"
    awk -F '[:,]' '/"step_time_s"/ { print $2 * 1e3; exit }' out
}
alone=$(step) closed=$(step --network alpha-beta)
[ "$alone" = "$closed" ] || fail "alone $alone ms, priced $closed"

slowdowns() {
    expect_exit 0 "$ORRERY" run two.yaml --json "$@"
    awk -F '[:,]' '/"slowdown"/ { printf "%.3f ", $2 }' out
}
# Each leaf's way up has 8 of 32 ports; both jobs want it for half of what 16 ranks exchange.
slowdowns | awk '{ exit !($1 > 1.2 && $1 < 2 && $1 == $2) }' || fail "meeting on the spine: $(slowdowns)"
[ "$(slowdowns --set placement=packed)" = "1.000 1.000 " ] || fail 'a leaf each, and yet they meet'
finish

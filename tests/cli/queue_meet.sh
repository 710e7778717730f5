#!/bin/bash
# Jobs of a queue that say what they train slow each other down by what their steps do together.
. "$(dirname "$0")/../support/cli.sh"

# The two jobs of two-jobs-one-spine.yaml, in the same places: half of two leaves each.
cat >meet.yaml <<'YAML'
name: meet
network: fluid
cluster: {node: dgx-h100, nodes: 8, gpus: 64}
fabric: {kind: leaf-spine, nics_per_leaf: 32, leaf_oversubscription: 4, routing: d-mod-k}
queue:
  duration: 1000 s
  replications: 1
  nodes_per_leaf: 4
  placement: spread
  shared_leaf: 0.5
  jobs:
    - {name: a, gpus: 32, at: 0 s, work: 100 s, model: llama-3-8b,
       plan: {base: nemo-2025, tensor: 8, sequence_length: 2048, global_batch: 32}}
    - {name: b, gpus: 32, at: 1 s, work: 100 s, model: llama-2-7b,
       plan: {base: nemo-2025, tensor: 8, sequence_length: 2048, global_batch: 16}}
    - {name: c, gpus: 64, at: 2 s, work: 100 s}
YAML
expect_exit 0 "$ORRERY" run "$ROOT/scenarios/training/two-jobs-one-spine.yaml" --json
want=$(awk -F '[:,]' '/"slowdown"/ { printf "%.9f ", $2 - 1 }' out)
expect_exit 0 "$ORRERY" run meet.yaml --json --out queue
got=$(awk -F '[:,]' '/"longer_beside_fraction"/ { inside = 1; next }
    inside && /[0-9]/ { n++; if (n == 2 || n == 3) printf "%.9f ", $1 }' out)
[ "$want" = "$got" ] || fail "jobs together: $want; in the queue: $got"
[ "$(grep -c '^ *null,*$' out)" = 5 ] || fail 'what an unknown job does is not given'

# a starts alone; b beside it, longer by the second of these; c, over all leaves, when both are gone: alone.
slow=$(echo "$want" | cut -d" " -f2)
awk -F, -v slow="$slow" 'NR > 1 { end[$2] = $6 }
    END { b = 1 + 100 * (1 + slow); exit !(end["a"] == 100 && (end["b"] - b) ^ 2 < 1e-6 &&
                                            (end["c"] - end["b"] - 100) ^ 2 < 1e-6) }' queue/jobs.csv ||
    fail "runs do not take what was simulated: $(cat queue/jobs.csv)"

refused() {
    expect_exit 2 "$ORRERY" check meet.yaml --set "$1"
    expect_text err "$2"
}
refused network=alpha-beta 'jobs with a plan meet on a network that shares its links'
refused queue.nodes_per_leaf=1 'meet under leaves of several nodes'
refused 'queue.jobs=[{name: a, gpus: 8, work: 1 s, at: 0 s, model: llama-3-8b}]' 'go together'
refused 'queue.jobs=[{name: a, gpus: 12, work: 1 s, at: 0 s, model: llama-3-8b, plan: {tensor: 4, global_batch: 8}}]' \
    'use whole nodes of 8 GPUs'
refused 'queue.jobs=[{name: a, gpus: 8, work: 1 s, at: 0 s, model: llama-3-8b, plan: {tensor: 3, global_batch: 8}}]' \
    "job 'a': plan.tensor"
finish

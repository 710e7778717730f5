#!/bin/bash
# `orrery run` of a step with faults: what they cost against the step without, who waits, and what a
# scenario may not say.
. "$(dirname "$0")/../support/cli.sh"

scenario=$ROOT/scenarios/failures/bloom_failslow.yaml
expect_exit 0 "$ORRERY" run "$scenario"
expect_text out '^Faults +1 slow GPU: the step takes [0-9.]+ % longer than the 101'
expect_text out 'published 5\.60 %, so'
expect_text out '^Who waits'
expect_text out 'in lockstep with one +3 '
expect_silence err
[ "$(wc -l <out)" -le 60 ] || fail "the report is $(wc -l <out) lines long"
[ "$(wc -L <out)" -le 100 ] || fail "the report is $(wc -L <out) columns wide"

expect_exit 0 "$ORRERY" run "$scenario" --json
expect_json
folded=$(json_value slowdown_fraction)
awk "BEGIN { exit !($folded > 0.015 && $folded < 0.025) }" || fail "one GPU at 96.7 % costs $folded"

# A plan's own knobs and faults together; every rank simulated gives the same step.
faults='faults={slow: [{gpu: 17, clock: 0.8}], weak_nics: [{node: 3, nic: 2, health: 0.5}]}'
step() {
    expect_exit 0 "$ORRERY" run "$ROOT/scenarios/quickstart.yaml" --json --set "$faults" "$@"
    json_value step_time_s
}
[ "$(step)" = "$(step --fold off)" ] || fail "folding changes the step with faults"

expect_exit 2 "$ORRERY" run "$ROOT/scenarios/quickstart.yaml" --set 'faults={slow: [{gpu: 1000000, clock: 0.8}]}'
expect_text err 'GPU 1000000: the cluster has'
expect_exit 2 "$ORRERY" run "$ROOT/scenarios/failures/llama-3.1-405b-54-days.yaml" \
    --set 'faults={slow: [{gpu: 1, clock: 0.8}]}'
expect_text err 'a campaign has faults of its own'

finish

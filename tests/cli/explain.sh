#!/bin/bash
# orrery explain: figures by path, by their end and by the report's line; with a scenario their value
# and where the inputs came from; keys of scenarios; the nearest of what is unknown.
. "$(dirname "$0")/../support/cli.sh"

expect_exit 0 "$ORRERY" explain
expect_text out '^  training\.mfu_fraction '
expect_text out '^  serving\.ttft_s '
expect_text out '^  queue\.wait_s '
expect_silence err

expect_exit 0 "$ORRERY" explain training.mfu_fraction
expect_text out 'PaLM'
expect_text out '^  unit +1 \(a fraction\)'
mv out by_path
expect_exit 0 "$ORRERY" explain mfu
cmp -s out by_path || fail "the line of the report is another figure than the path"
expect_exit 0 "$ORRERY" explain mfu_fraction
cmp -s out by_path || fail "the end of a path is another figure than the path"
expect_exit 0 "$ORRERY" explain ledger_gpu_s
expect_text out 'pipeline_bubble'

# The value is the one of the run, and the rows behind it are named with their sources.
quickstart=$ROOT/scenarios/quickstart.yaml
expect_exit 0 "$ORRERY" run "$quickstart" --json
step=$(json_value step_time_s)
expect_exit 0 "$ORRERY" explain training.step_time_s "$quickstart"
got=$(sed -n 's/^  value *//p' out)
awk -v a="$step" -v b="$got" 'BEGIN { exit !(a > 0 && (a - b) ^ 2 < 1e-16 * a ^ 2) }' ||
    fail "explain has $got where run has $step"
expect_text out '^    model +korthikanti-175b: Korthikanti et al\. 2022'
expect_text out '^    GPU +a100-sxm-80gb: '
expect_text out '^    profile +a100: '
expect_text out 'median error [0-9.]+ %, p90 [0-9.]+ %, of [0-9]+ measured rows'
expect_text out '^    evidence '
expect_exit 0 "$ORRERY" explain serving.ttft_s "$quickstart"
expect_text out 'none: the answer of this scenario does not have it'
expect_exit 0 "$ORRERY" explain 'memory.*.peak_bytes' "$quickstart"
expect_text out 'memory\.7\.peak_bytes$'

# Keys.
expect_exit 0 "$ORRERY" explain plan.tensor "$quickstart"
expect_text out '^  takes +a whole number from 1 to 65536'
expect_text out '^  default +1'
expect_text out '^  value +8'
expect_exit 0 "$ORRERY" explain cluster.node.nic_latency
expect_text out "as in '5 us'"
expect_exit 0 "$ORRERY" explain network
expect_text out '^  names .*simgrid'

expect_exit 2 "$ORRERY" explain training.mfu_fractoin
expect_text err "did you mean 'training.mfu_fraction'"
expect_exit 2 "$ORRERY" explain plan.tensro
expect_text err "did you mean 'plan.tensor'"
expect_exit 2 "$ORRERY" explain training.mfu_fraction nothing.yaml
expect_exit 2 "$ORRERY" explain a b c

# A trace's replay has figures of its own; each of them is explained.
printf 'step,dp,pp,op,mb,start_us,dur_us\n1,0,0,forward-compute,0,0,10\n1,0,0,backward-compute,0,10,20\n' >ops.csv
expect_exit 0 "$ORRERY" replay ops.csv --json
mv out replay.json
for figure in step_s.no_stragglers slowdown lost_fraction ideal_s.forward-compute what_ifs.0.step_s \
    by_worker.0.slowdown by_stage.0.pp by_operation.0.slowdown; do
    key=${figure##*.}
    grep -q "\"$key\"" replay.json || fail "the replay has no $key"
    expect_exit 0 "$ORRERY" explain "$figure"
done
finish

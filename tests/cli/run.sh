#!/bin/bash
# `orrery run`: the answer, JSON with the same figures, files, overrides, and a plan that does not fit.
. "$(dirname "$0")/../support/cli.sh"

scenario=$ROOT/scenarios/quickstart.yaml
expect_exit 0 "$ORRERY" run "$scenario"
expect_text out '^Step time +[0-9.]+ s$'
expect_text out '^MFU +[0-9.]+ %'
expect_text out 'Korthikanti'
expect_silence err
[ "$(wc -l <out)" -le 45 ] || fail "the report is $(wc -l <out) lines long"
[ "$(wc -L <out)" -le 100 ] || fail "the report is $(wc -L <out) columns wide"

# JSON: the ledger sums to GPUs x step, twice the same bytes.
expect_exit 0 "$ORRERY" run "$scenario" --json
expect_json
[ "$(json_value schema)" = 1 ] || fail "schema is $(json_value schema)"
[ "$(json_value fits)" = true ] || fail "fits is $(json_value fits)"
awk -F ' : ' '
    /"gpus"/ { gpus = $2 + 0 }
    /"step_time_s"/ && !step { step = $2 + 0 }
    /"ledger_gpu_s"/ { inside = 1; next }
    inside && /}/ { inside = 0 }
    inside { sum += $2 }
    END { error = sum / (gpus * step) - 1; exit !(error < 1e-9 && error > -1e-9) }' out ||
    fail "the ledger does not sum to GPUs x step"
cp out first
expect_exit 0 "$ORRERY" run "$scenario" --json
cmp first out || fail "two runs differ"

# Every rank simulated gives the same step.
step=$(json_value step_time_s)
expect_exit 0 "$ORRERY" run "$scenario" --json --fold off
[ "$(json_value simulated_rank_classes)" = 64 ] || fail "--fold off did not unfold"
[ "$(json_value step_time_s)" = "$step" ] || fail "--fold off changed the step"

# Overrides reach the scenario, and their faults its author.
expect_exit 0 "$ORRERY" run "$scenario" --json --set plan.recompute=full --seed 7
[ "$(json_value seed)" = 7 ] || fail "the seed is $(json_value seed)"
[ "$(json_value step_time_s)" != "$step" ] || fail "--set changed nothing"
expect_exit 2 "$ORRERY" run "$scenario" --set plan.tensor=7
expect_text err 'plan\.tensor=7'
expect_exit 2 "$ORRERY" run "$scenario" --set plan.tensro=4
expect_text err "did you mean 'tensor'"
expect_exit 2 "$ORRERY" run "$scenario" --network carrier-pigeon
expect_text err 'carrier-pigeon'
expect_exit 2 "$ORRERY" run "$scenario" --fold maybe
expect_exit 2 "$ORRERY" run "$scenario" --seed many
expect_exit 2 "$ORRERY" run
expect_exit 2 "$ORRERY" run "$scenario" "$scenario"

# Files, also where folders are missing.
expect_exit 0 "$ORRERY" run "$scenario" --out results/one --trace timeline.json
for file in results/one/report.txt results/one/result.json results/one/trace.json timeline.json; do
    [ -s $file ] || fail "$file was not written"
done
cmp results/one/report.txt out || fail "report.txt is not what was printed"
cmp results/one/trace.json timeline.json || fail "the two traces differ"
expect_exit 0 "$ORRERY" run "$scenario" --json
cmp results/one/result.json out || fail "result.json is not what --json prints"
expect_exit 2 "$ORRERY" run "$scenario" --trace no/such/folder/trace.json

# What does not fit is said with stage, amount and remedy, and by the exit status.
expect_exit 1 "$ORRERY" run "$ROOT/scenarios/training/llama-3.1-70b-too-large.yaml"
expect_text out 'does not fit: stage 0 needs [0-9.]+ GB of [0-9.]+ GB'
expect_text out '<- does not fit'
expect_exit 1 "$ORRERY" run "$ROOT/scenarios/training/llama-3.1-70b-too-large.yaml" --json
expect_json
[ "$(json_value fits)" = false ] || fail "fits is $(json_value fits)"
expect_text out '"does not fit: stage 0'

# Jobs together: a table, the same figures in JSON, and no table where they cannot meet.
jobs=$ROOT/scenarios/training/two-jobs-one-spine.yaml
expect_exit 0 "$ORRERY" run "$jobs"
expect_text out '^Jobs at the same time'
expect_text out '^  neighbour +32 .* 1\.[0-9]+$'
expect_exit 0 "$ORRERY" run "$jobs" --json
expect_json
expect_text out '"jobs_links"'
expect_text out '"slowdown" : 1\.[0-9]*[1-9]'
expect_exit 0 "$ORRERY" run "$jobs" --json --set placement=packed
[ "$(grep -c '"slowdown" : 1\(\.0\)\?,' out)" = 2 ] || fail "jobs on leaves of their own notice each other"
expect_exit 0 "$ORRERY" run "$jobs" --network alpha-beta
expect_text out 'jobs do not meet'
! grep -q '^Jobs' out || fail "alpha-beta has jobs meet"

# Where ranks run is said, and felt.
expect_exit 0 "$ORRERY" run "$scenario" --json --set placement=rail-aligned
[ "$(json_value placement)" = '"rail-aligned"' ] || fail "placement is $(json_value placement)"
[ "$(json_value step_time_s)" != "$step" ] || fail "placement changed nothing"
expect_exit 2 "$ORRERY" run "$scenario" --set placement=scattered
expect_text err 'packed, spread, rail-aligned'
# What is less sure has a wider interval.
expect_exit 0 "$ORRERY" run "$ROOT/scenarios/quickstart.yaml" --json
narrow=$(json_value interval_half_width_fraction)
expect_text out '"evidence" : "(measured|interpolated|fitted|extrapolated|datasheet)"'
expect_exit 0 "$ORRERY" run "$ROOT/scenarios/quickstart.yaml" --json --set uncertainty.matrix_products=0.3 --set guesses=2
wide=$(json_value interval_half_width_fraction)
awk "BEGIN { exit !($wide > 2 * $narrow) }" || fail "half-width $wide, before $narrow"
finish

#!/bin/bash
# Serving under failure: the report and its JSON, the same faults under every recovery, files, spares,
# scenarios that are wrong.
. "$(dirname "$0")/../support/cli.sh"

scenario=$ROOT/scenarios/failures/serve-llama-3.1-70b.yaml
quick="--set serve.interval=false --set traffic.duration=120s"
expect_exit 0 "$ORRERY" run "$scenario" $quick
expect_text out '^Failures +1 faults, 1 outages, [1-9][0-9]* requests hurt, 0 of them failed'
expect_text out '[0-9.]+ % of the requests meet every objective, without'
expect_text out '^In months +0.792 faults a month'
expect_text out '  dead or restarting +[0-9.]+ %'
[ "$(wc -L <out)" -le 100 ] || fail "the report is $(wc -L <out) columns wide"

# The ledger sums to GPUs x the run, dead time counted; twice the same bytes; --exact the same.
expect_exit 0 "$ORRERY" run "$scenario" $quick --json
expect_json
awk -F ' : ' '
    /"gpus"/ { gpus = $2 + 0 }
    /"duration_s"/ { end = $2 + 0 }
    /"ledger_gpu_s"/ { inside = 1; next }
    inside && /}/ { inside = 0 }
    inside { sum += $2 }
    END { error = sum / (gpus * end) - 1; exit !(error < 1e-6 && error > -1e-6) }' out ||
    fail "the ledger does not sum to GPUs x the run"
calm=$(json_value calm_slo_attainment_fraction)
hurt=$(json_value hurt_requests)
lost=$(json_value lost_tokens)
cp out first
expect_exit 0 "$ORRERY" run "$scenario" $quick --json
cmp first out || fail "two runs differ"
expect_exit 0 "$ORRERY" run "$scenario" $quick --json --exact
[ "$(json_value hurt_requests)/$(json_value lost_tokens)" = "$hurt/$lost" ] ||
    fail "--exact changed who is hurt"

# Recoveries meet the same fault and the same traffic.
for recovery in $("$ORRERY" list serve-recoveries | grep -o '^[a-z][a-z-]*'); do
    more=
    [ "$recovery" != spare ] || more="--set serve.failures.spares=1 --set cluster.nodes=5"
    [ "$recovery" != shrink ] || continue # no expert group
    expect_exit 0 "$ORRERY" run "$scenario" $quick --json $more --set serve.failures.recovery=$recovery
    [ "$(json_value recovery)" = "\"$recovery\"" ] || [ "$(json_value recovery)" = "$recovery" ] ||
        fail "recovery is $(json_value recovery), not $recovery"
    [ "$(json_value calm_slo_attainment_fraction)" = "$calm" ] || fail "$recovery: other traffic"
    [ "$(json_value hurt_requests)/$(json_value lost_tokens)" = "$hurt/$lost" ] ||
        fail "$recovery: another fault"
    total=$(($(json_value finished) + $(json_value refused) + $(json_value failed)))
    [ "$total" = "$(json_value requests)" ] || fail "$recovery: requests are lost"
done

# Files.
expect_exit 0 "$ORRERY" run "$scenario" $quick --out run
[ "$(wc -l <run/outages.csv)" = 2 ] || fail "$(wc -l <run/outages.csv) lines of outages"
grep -q '^1,"node",60.0' run/outages.csv || fail "node 1 did not die at 60 s"

# What the scenarios say of published figures.
expect_exit 0 "$ORRERY" run "$ROOT/scenarios/failures/serving_stall.yaml"
expect_text out '^Published +stall 350 ms \(here 39[0-9.]+'

# Wrong ones.
wrong() {
    local says=$1
    shift
    expect_exit 2 "$ORRERY" run "$scenario" "$@"
    expect_text err "$says"
}
wrong 'unknown recovery of serving .pray., known: restart' --set serve.failures.recovery=pray
wrong 'recovery spare needs spares' --set serve.failures.recovery=spare
wrong 'give one of them' --set serve.failures.restart=1min
wrong 'only an expert group shrinks' --set serve.failures.recovery=shrink
wrong '4 replicas of 8 GPUs are 32, but there are 24' --set serve.failures.spares=1 --set serve.replicas=4
wrong 'no replicas that do prompts alone' --set serve.failures.prefill_spares=1
wrong 'come and go with the load or fail' --set serve.autoscale.min=1 --set serve.autoscale.target=8 \
    --set serve.autoscale.provisioning=1s --set serve.autoscale.engine_start=1s

wrong 'several answers are not modelled beside serve.failures' --set traffic.samples=4

# Spares.
expect_exit 0 "$ORRERY" spares --units 152 --mtbf '289 h' --away '2.2 h'
expect_text out '^ +6 spares \( 3.95 %\)'
expect_text out '^ +10 spares'
expect_exit 0 "$ORRERY" spares --units 1024 --mtbf '263.85 d' --away '6 h' --target 0.99 --json
expect_json
[ "$(json_value spares_binomial)" = 4 ] || fail "ByteRobust has 4 of 1024"
expect_exit 2 "$ORRERY" spares --units 152
expect_exit 2 "$ORRERY" spares --units 152 --mtbf '289' --away '2.2 h'
expect_text err 'mtbf: .289. has no unit'
expect_exit 2 "$ORRERY" spares --units 152 --mtbf '289 h' --away '2.2 h' --target 1
finish

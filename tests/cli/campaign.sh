#!/bin/bash
# `orrery run` of a scenario with a campaign: the published interruptions, a ledger that sums, the same
# bytes twice, policies on the same failures, and faults of the file.
. "$(dirname "$0")/../support/cli.sh"

scenario=$ROOT/scenarios/failures/llama-3.1-405b-54-days.yaml
expect_exit 0 "$ORRERY" run "$scenario"
expect_text out '^ETTR +9[0-9.]+ %'
expect_text out '^Published +interruptions 419, tolerance poisson: here 4[12][0-9.]+, within'
expect_text out '^ +ettr >= 0.90: here 0\.9[0-9]+, within'
expect_text out "^Dearest of the first history's 4[0-9]+ incidents"
expect_text out 'faulty GPU +14[0-9]\.[0-9]'
expect_silence err
[ "$(wc -l <out)" -le 60 ] || fail "the report is $(wc -l <out) lines long"
[ "$(wc -L <out)" -le 100 ] || fail "the report is $(wc -L <out) columns wide"

# 419 of Table 5, within the scatter of 1,000 means; above 0.90 as stated.
expect_exit 0 "$ORRERY" run "$scenario" --json
expect_json
[ "$(grep -c '"within" : true' out)" = 2 ] || fail "not both figures are within"
awk -F ' : ' '/"figure" : "interruptions"/ { next_is = 1 } next_is && /"predicted"/ { got = $2 + 0; exit }
    END { exit !(got > 414.8 && got < 423.2) }' out || fail "interruptions are off by more than 1 %"
awk -F ' : ' '
    /"google_goodput"/ { inside = 1; next }
    inside && /}/ { inside = 0 }
    inside { sum += $2 }
    END { exit !(sum > 0.999999 && sum < 1.000001) }' out || fail "Google's shares do not sum to 1"
awk -F ' : ' '
    /"campaign"/ { campaign = 1 }
    campaign && /"duration_s"/ { duration = $2 }
    campaign && /"gpus"/ { gpus += $2 }
    campaign && /"spare_gpus"/ { gpus += $2 }
    campaign && /"ledger_gpu_s"/ { inside = 1; next }
    inside && /}/ { inside = 0; campaign = 0 }
    inside { sum += $2 }
    END { error = sum / (gpus * duration) - 1; exit !(error < 1e-9 && error > -1e-9) }' out ||
    fail "the ledger does not sum to GPUs x duration"
cp out first
expect_exit 0 "$ORRERY" run "$scenario" --json
cmp first out || fail "two runs differ"
expect_exit 0 "$ORRERY" run "$scenario" --json --seed 2
cmp -s first out && fail "the seed changes nothing"

# Every policy runs. Those that lose a step at most spend less than a tenth on rework.
rework() {
    expect_exit 0 "$ORRERY" run "$scenario" --json --set campaign.replications=50 \
        --set campaign.recovery.policy="$1"
    awk -F ' : ' '/"rework"/ { print $2 + 0 }' out
}
base=$(rework restart)
for policy in in-memory just-in-time drop-replica; do
    got=$(rework $policy)
    awk "BEGIN { exit !($got > 0 && $got < 0.1 * $base) }" || fail "$policy: $got of $base"
done

# A slow GPU gets its step from the step level, in a time that is longer than nothing.
expect_exit 0 "$ORRERY" run "$ROOT/scenarios/quickstart.yaml" --json --set \
    'campaign={duration: 10 d, faults: greyhound-1-node, checkpoint: {interval: 1 h}}' --set campaign.recovery={}
awk -F ' : ' '/"degraded"/ { exit !($2 > 0) }' out || fail "slow GPUs cost nothing"

expect_exit 2 "$ORRERY" run "$scenario" --set campaign.recovery.policy=prayer
expect_text err 'unknown recovery policy'
expect_exit 2 "$ORRERY" run "$scenario" --set campaign.checkpoint.interval=often
expect_text err 'young, daly or optimised'
expect_exit 2 "$ORRERY" run "$scenario" --set campaign.faults=llama4
expect_text err 'llama3-h100'
expect_exit 2 "$ORRERY" run "$scenario" --set campaign.faults=alibaba-hpn-network
expect_text err 'nodes_per_leaf'
expect_exit 2 "$ORRERY" run "$scenario" --set 'campaign.recovery.detection=5'
expect_text err 'must be a time'

# Recorded faults: two stops at their times, in every history.
printf 'at_s,class,node\n3600,crash,3\n90000,crash,5\n' >faults.csv
trace="{classes: [{name: crash, unit: node, effect: stop, events: 0}], trace: $PWD/faults.csv}"
expect_exit 0 "$ORRERY" run "$scenario" --json --set "campaign.faults=$trace"
awk -F ' : ' '/"crash"/ { exit !($2 == 2) }' out || fail "a trace of two faults did not stop the job twice"
printf 'at_s,class,node\n3600,smash,3\n' >faults.csv
expect_exit 2 "$ORRERY" run "$scenario" --json --set "campaign.faults=$trace"
expect_text err "faults.csv:2: .*no class of faults is called 'smash'"
finish

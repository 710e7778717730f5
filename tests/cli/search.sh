#!/bin/bash
# `orrery search`: the answer and how to run it, JSON, what is wrong, what has no answer, an interrupt.
. "$(dirname "$0")/../support/cli.sh"

scenario=$ROOT/scenarios/serving/search-llama-3.1-70b.yaml
quick=(--set traffic.requests=200 --set serve.warm_up=20)
expect_exit 0 "$ORRERY" search "$scenario" "${quick[@]}"
expect_silence err
expect_text out '^Winner +[0-9]+ replica'
expect_text out '^Next best +[0-9]+ replica'
expect_text out '^Pareto set'
expect_text out 'does not fit in memory'
[ "$(wc -L <out)" -le 110 ] || fail "the report is $(wc -L <out) columns wide"

# What it says to run gives the same dollars.
expect_exit 0 "$ORRERY" search "$scenario" "${quick[@]}" --json
expect_json
cp out search.json
settings=$(json_value settings | tr -d '"')
usd=$(json_value usd_total)
# shellcheck disable=SC2086 # a list of options
expect_exit 0 "$ORRERY" run "$scenario" "${quick[@]}" $settings --json
[ "$(json_value usd_total)" = "$usd" ] || fail "run says $(json_value usd_total), search $usd"

expect_exit 0 "$ORRERY" search "$scenario" "${quick[@]}" --json --threads 3
cmp out search.json || fail "3 threads say something else"
expect_exit 1 "$ORRERY" search "$scenario" "${quick[@]}" --set 'serve.slo={ttft: 1 ms}'
expect_text out '^Winner +none'
expect_exit 2 "$ORRERY" search "$scenario" --set 'search.nodes=[dgx-h1000]' --set 'search.costs=[aws-p5]'
expect_text err 'dgx-h100'
expect_exit 2 "$ORRERY" search "$scenario" --set 'search.tensor=[1.5]'
expect_text err 'whole numbers'
expect_exit 2 "$ORRERY" search "$ROOT/scenarios/quickstart.yaml"
expect_exit 2 "$ORRERY" search
expect_exit 0 "$ORRERY" search --help
expect_text out 'objective'

# Training plans: the answer, what it says to run gives the same step, what is refused.
plans=$ROOT/scenarios/training/search-gpt-175b-1024-a100.yaml
small=(--set model=gpt3-6.7b --set cluster.gpus=16 --set 'plan={base: megatron-lm-2022, global_batch: 32}')
expect_exit 0 "$ORRERY" search "$plans" "${small[@]}"
expect_silence err
expect_text out '^Winner +tensor [0-9]+'
expect_text out 'it loses most on'
expect_text out '^Rejected, by rule'
expect_text out 'interleaved-1f1b needs virtual_stages of 2 or more'
[ "$(wc -L <out)" -le 110 ] || fail "the report is $(wc -L <out) columns wide"
expect_exit 0 "$ORRERY" search "$plans" "${small[@]}" --json --threads 1
expect_json
cp out plans.json
expect_exit 0 "$ORRERY" search "$plans" "${small[@]}" --json --threads 4
cmp out plans.json || fail "4 threads say something else"
settings=$(json_value settings | tr -d '"')
step=$(json_value step_time_s)
# shellcheck disable=SC2086 # a list of options
expect_exit 0 "$ORRERY" run "$plans" "${small[@]}" $settings --json
[ "$(json_value step_time_s)" = "$step" ] || fail "run says $(json_value step_time_s), search $step"
expect_exit 1 "$ORRERY" search "$plans" "${small[@]}" --set 'search.tensor=[5]'
expect_text out '^Winner +none'
expect_exit 2 "$ORRERY" search "$plans" --set 'search.schedule=[2f2b]'
expect_text err "unknown value '2f2b'"
long=(--set model=llama-3.1-8b --set cluster.gpus=16 --set 'plan={tensor: 2, global_batch: 8, sequence_length: 32768, recompute: full}'
    --set 'search={context: [1, 4], context_kind: [all-gather, ulysses], tensor: [2], micro_batch: [1]}')
expect_exit 0 "$ORRERY" search "$plans" "${long[@]}" --all
expect_text out 'plan.context_parallel.kind='
expect_text out 'one context rank has no keys to fetch'
expect_exit 2 "$ORRERY" search "$plans" --set 'search.context_kind=[hybrid]'
expect_text err "context_kind: unknown value 'hybrid'"

# An interrupt: what there is until then, marked, soon.
timeout -s INT -k 60 1 "$ORRERY" search "$scenario" --all --set traffic.requests=200000 >out 2>err
got=$?
[ $got = 124 ] || fail "exit $got of timeout instead of 124"
expect_text out 'STOPPED'
timeout -s INT -k 60 1 "$ORRERY" search "$plans" --all --set 'search.context=[1, 2, 4, 8]' >out 2>err
got=$?
[ $got = 124 ] || fail "exit $got of timeout instead of 124"
expect_text out 'STOPPED'
finish

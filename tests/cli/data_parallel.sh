#!/bin/bash
# Ways of replicas to agree, and training runs: what the report says of them, as text and JSON.
. "$(dirname "$0")/../support/cli.sh"
training=$ROOT/scenarios/training

expect_exit 0 "$ORRERY" run "$training/servers-ssp.yaml"
expect_text out '^Parameter servers \(8\) and 32 workers, at most 3 steps apart'
expect_text out 'staleness, updates by others: mean [0-9.]+;'
expect_exit 0 "$ORRERY" run "$training/servers-ssp.yaml" --json
expect_json
expect_text out '"steps_ahead_max" : 3,?$'
expect_text out '"staleness_p95"'
expect_exit 0 "$ORRERY" run "$training/servers-ssp.yaml" --set plan.data_parallel.servers='{count: 8, unbounded: true}'
expect_text out '32 workers, asynchronous'
expect_text out 'mean 31; 5 % 31, 25 % 31'
expect_exit 2 "$ORRERY" run "$training/servers-ssp.yaml" --set plan.zero_stage=1
expect_text err 'parameter-server with zero_stage 1: it needs whole gradients'

expect_exit 0 "$ORRERY" run "$training/diloco-three-continents.yaml"
expect_text out '^Islands: 14 of 8 replicas, averaged every 100 steps'
expect_text out '400 times fewer'
expect_exit 0 "$ORRERY" run "$training/diloco-three-continents.yaml" --json
expect_text out '"compute_utilisation_fraction" : 0.87|"compute_utilisation_fraction" : 0.86'

expect_exit 0 "$ORRERY" run "$training/llama-2-7b-large-batch.yaml"
expect_text out '<- the plan'
expect_text out 'soonest on these GPUs with [0-9]+ sequences; within 5 %'
expect_exit 0 "$ORRERY" run "$training/llama-2-7b-large-batch.yaml" --json
expect_json
expect_text out '"usd" :'

for scenario in ddp-buckets gossip-int8; do
    expect_exit 0 "$ORRERY" run "$training/$scenario.yaml"
    expect_text out 'exposed data comm\.'
done
expect_exit 0 "$ORRERY" run "$training/ddp-buckets.yaml" --json
! grep -q '"parameter_servers"\|"islands"\|"training_run"' out || fail "members without a reason"
finish

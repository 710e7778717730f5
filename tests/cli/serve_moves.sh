#!/bin/bash
# Caches between prefill and decode replicas: over the fabric of the scenario, whose oversubscription
# shows in how long they take, at a rate of their own, and what is refused.
. "$(dirname "$0")/../support/cli.sh"

scenario=$ROOT/scenarios/serving/disaggregated-llama-3.1-70b.yaml
moves() { # what the caches took, ms in the mean; nothing where there is no such line
    expect_exit 0 "$ORRERY" run "$scenario" "$@"
    awk '/^Moves/ { print $2 * ($3 == "us" ? 1e-3 : $3 == "s" ? 1e3 : 1) }' out
}
within() { # VALUE LOW HIGH
    awk -v v="$1" -v low="$2" -v high="$3" 'BEGIN { exit !(v >= low && v <= high) }' ||
        fail "$1 is not within $2 and $3"
}

# The scenario's own arithmetic: 14.5 ms behind leaves 8:1, 7.46 alone where nothing is short.
within "$(moves)" 14.2 14.8
expect_text out '^Links that held caches back the longest$'
expect_text out '^  leaf/0 -> spine/0 +and +3 alike'
expect_text out 'caches of prefill replica [0-3] for decode replica [01]$'
within "$(moves --set fabric.leaf_oversubscription=1)" 7.46 8.2
within "$(moves --set fabric.leaf_oversubscription=16)" 27 36
within "$(moves --set cluster.nodes=8 --set serve.replicas=4)" 14.2 14.8
# By layers: 13.42 / 80 ms, while others move at the pace of their prompts, and some us of latency.
within "$(moves --set serve.kv_transfer.overlap=layers)" 0.168 0.2
# One link a replica: 8 x 50 GB/s, or what is given, one after another.
within "$(moves --set network=alpha-beta)" 6.71 7.2
expect_text out 'caches move one after another over one link'
within "$(moves --set 'serve.kv_transfer.bandwidth=100 GB/s')" 26.8 40

expect_exit 0 "$ORRERY" run "$scenario" --json --exact --set traffic.requests=100
expect_json
mv out exact
expect_exit 0 "$ORRERY" run "$scenario" --json --set traffic.requests=100
grep -q '"move_s"' out && grep -q '"link" : "leaf/0 -> spine/0"' out || fail "no moves or no links"
for key in duration_s iterations waited_s; do
    [ "$(grep "\"$key\"" out)" = "$(grep "\"$key\"" exact)" ] || fail "--exact changes $key"
done

expect_exit 2 "$ORRERY" run "$scenario" --set network=simgrid
expect_text err 'network simgrid carries steps of training'
expect_exit 2 "$ORRERY" run "$scenario" --set network=alpha-beta --set serve.kv_transfer.overlap=layers
expect_text err 'layers need a network that shares its links'
expect_exit 2 "$ORRERY" run "$ROOT/tests/golden/serve_small.yaml" --set serve.kv_transfer.overlap=layers
expect_text err 'give serve.prefill'
finish

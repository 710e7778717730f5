#!/bin/bash
# Campaigns with a described storage: what checkpoints and restarts take is simulated where the scenario
# does not give it, and keys that need a storage ask for it.
. "$(dirname "$0")/../support/cli.sh"

scenario=$ROOT/scenarios/failures/llama-3.1-405b-54-days.yaml

# run KEY=VALUE...: the JSON of the scenario, changed, over a few histories.
run() {
    local sets=() set
    for set; do sets+=(--set "$set"); done
    expect_exit 0 "$ORRERY" run "$scenario" --json --set campaign.replications=5 "${sets[@]}"
}

expect_exit 0 "$ORRERY" run "$scenario"
expect_text out '^Checkpoint +5\.68. TB: in host memory after'
expect_text out '^Restart +reads 108\.8 TB in 54\.'
expect_silence err

# 2.84 s for 14 bytes a parameter at 2 TB/s; a restart reads the weights 128 times.
run
expect_json
load=$(json_value load_s) save=$(json_value save_s) block=$(json_value block_s)
awk "BEGIN { exit !($load > 54 && $load < 55 && $save > 2.8 && $save < 2.9 && $block < 0.01) }" ||
    fail "load $load, save $save, block $block"

# Synchronous: training waits for all of it. Written by all: 128 times the weights.
run campaign.checkpoint.mode=sync
[ "$(json_value block_s)" = "$save" ] || fail "a synchronous checkpoint stops for $(json_value block_s)"
run campaign.checkpoint.writers=all
awk "BEGIN { exit !($(json_value save_s) > 54) }" || fail "all write in $(json_value save_s)"

# Reading once and handing round is faster, and so the job is.
ettr() {
    awk -F ' : ' '/"ettr_fraction"/ { inside = 1 } inside && /"mean"/ { print $2 + 0; exit }' out
}
run
slow=$(ettr)
for restore in broadcast gather; do
    run campaign.recovery.restore=$restore
    awk "BEGIN { exit !($(json_value load_s) < 10 && $(ettr) > $slow) }" ||
        fail "$restore: load $(json_value load_s), ETTR $(ettr), with all $slow"
done

# Upper tiers that let through the hundredth part of 25 GB/s a node take four times as long as servers.
run 'campaign.storage={base: tectonic-llama3, node_link: 25 GB/s, oversubscription: 100}'
expect_text out "network to its servers"
awk "BEGIN { exit !($(json_value save_s) > 11 && $(json_value save_s) < 11.2) }" ||
    fail "through narrow tiers it takes $(json_value save_s)"

# Over the compute network a node has all its NICs: 400 GB/s here, a quarter of it behind a fabric of 4:1.
fast='{write: 10000 TB/s, read: 10000 TB/s, network: compute, host_copy: 1000 TB/s}'
run "campaign.storage=$fast"
awk "BEGIN { exit !($(json_value save_s) > 0.0069 && $(json_value save_s) < 0.0072) }" ||
    fail "over the compute network it takes $(json_value save_s)"
run "campaign.storage=$fast" 'fabric={kind: fat-tree, leaf_oversubscription: 4}'
awk "BEGIN { exit !($(json_value save_s) > 0.027 && $(json_value save_s) < 0.0285) }" ||
    fail "behind a fabric of 4:1 it takes $(json_value save_s)"

# Four servers of 400 GB/s each let in 1.6 TB/s, on closed forms; on the fabric, what its protocols leave.
servers='{base: tectonic-llama3, network: compute, servers: 4}'
for network in alpha-beta fluid; do
    expect_exit 0 "$ORRERY" run "$scenario" --json --network $network --set campaign.replications=5 \
        --set "campaign.storage=$servers"
    awk "BEGIN { exit !($(json_value save_s) > 3.55 && $(json_value save_s) < 4.1) }" ||
        fail "$network: to four servers it takes $(json_value save_s)"
done

# What is given holds, and is said to.
expect_exit 0 "$ORRERY" run "$scenario" --set campaign.replications=5 --set campaign.recovery.load="20 min"
expect_text out 'given instead'
run 'campaign.recovery.load=20 min'
awk "BEGIN { exit !($(ettr) < $slow - 0.02) }" || fail "a load of 20 min changes nothing: $(ettr), not $slow"

# Copies to peers, on closed forms and over the fabric.
for network in alpha-beta fluid; do
    expect_exit 0 "$ORRERY" run "$scenario" --json --network $network --set campaign.replications=5 \
        --set campaign.recovery.policy=in-memory --set campaign.checkpoint.peer_copy=blocking
    copy=$(json_value copy_s) block=$(json_value copy_block_s) back=$(json_value peer_load_s)
    awk "BEGIN { exit !($copy > 0.0069 && $copy < 0.01 && $block == $copy && $back > 0.13 && $back < 0.2) }" ||
        fail "$network: copy $copy, block $block, back $back"
done

shared=(--set campaign.recovery.policy=in-memory --set campaign.checkpoint.peer_copy=shared)
expect_exit 0 "$ORRERY" run "$scenario" --json --network fluid --set campaign.replications=5 "${shared[@]}"
awk "BEGIN { exit !($(json_value copy_block_s) > 0 && $(json_value copy_block_s) < $(json_value copy_s)) }" ||
    fail "copies beside a step cost it $(json_value copy_block_s) of $(json_value copy_s)"
expect_exit 2 "$ORRERY" run "$scenario" "${shared[@]}"
expect_text err 'only on a network that shares its links'

expect_exit 2 "$ORRERY" run "$scenario" --set campaign.storage=tectonic
expect_text err 'tectonic-llama3'
expect_exit 2 "$ORRERY" run "$scenario" --set campaign.storage.servers=4
expect_text err 'need network: compute'
expect_exit 2 "$ORRERY" run "$scenario" --set campaign.storage.write=7
expect_text err 'expected a rate'
expect_exit 2 "$ORRERY" run "$ROOT/scenarios/failures/year-of-131072.yaml" --set campaign.checkpoint.mode=sync
expect_text err 'mode needs campaign.storage'
expect_exit 2 "$ORRERY" run "$ROOT/scenarios/failures/year-of-131072.yaml" \
    --set 'campaign.checkpoint={interval: young}'
expect_text err 'block, or campaign.storage'
finish

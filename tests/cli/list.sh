#!/bin/bash
# `orrery list`: kinds with counts, rows with sources, JSON of both.
. "$(dirname "$0")/../support/cli.sh"

expect_exit 0 "$ORRERY" list
for kind in gpus nodes clusters models plans protocols engine-kernels expert-kernels profiles engines prices faults storages recoveries stragglers serve-recoveries figures queue-policies queue-placements schedulers routers recipes schedules optimizers context-kinds tensor-kinds exchanges compressions batch-laws \
    fabrics routings networks placements importers; do
    expect_exit 0 "$ORRERY" list
    expect_text out "^$kind +[1-9]"
    expect_exit 0 "$ORRERY" list $kind
    [ -s out ] || fail "no $kind"
    expect_exit 0 "$ORRERY" list $kind --json
    expect_json
    ! grep -q '"source" : ""' out || fail "a row of $kind has no source"
done
expect_exit 0 "$ORRERY" list fabrics
expect_text out '^leaf-spine +Clos 1953'
expect_text out '^ +keys: radix leaf_oversubscription nics_per_leaf'
expect_text out '^All also read: routing reduces_under flows_per_pair'
expect_text out '^  .*fec_latency'
expect_exit 0 "$ORRERY" list fabrics --json
expect_text out '"parameters" : "torus_dims"'
expect_exit 0 "$ORRERY" list models
expect_text out '^korthikanti-175b +Korthikanti'
expect_exit 0 "$ORRERY" list --json
expect_json
expect_exit 2 "$ORRERY" list gpu
expect_text err "did you mean 'gpus'"
expect_exit 2 "$ORRERY" list gpus nodes
finish

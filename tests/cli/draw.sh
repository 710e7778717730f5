#!/bin/bash
# `orrery draw`: a fabric as Graphviz reads it; `--network fluid`: the links in both reports.
. "$(dirname "$0")/../support/cli.sh"

scenario=$ROOT/scenarios/training/llama-3-8b-two-leaves.yaml
expect_exit 0 "$ORRERY" draw "$scenario"
expect_text out '^digraph fabric \{'
expect_text out '"leaf/0" -> "spine/0"'
expect_text out '^\}'
expect_exit 0 "$ORRERY" draw "$scenario" --set fabric.kind=rail-optimised --set cluster.gpus=64
expect_exit 2 "$ORRERY" draw "$scenario" --set fabric.kind=fat-treee
expect_text err "unknown fabric 'fat-treee', known: .*fat-tree"
expect_exit 2 "$ORRERY" draw "$scenario" --set fabric.routing=luck
expect_text err "unknown .*'luck'"
expect_exit 2 "$ORRERY" draw "$scenario" --set fabric.kind=single-switch --set fabric.radix=4
expect_text err 'fabric.radix 4: too small'
expect_exit 2 "$ORRERY" draw
expect_exit 0 "$ORRERY" run "$scenario"
expect_text out '^Links that held transfers back'
expect_text out '(leaf|spine)/[0-9]+ -> (leaf|spine)/[0-9]+'
expect_exit 0 "$ORRERY" run "$scenario" --json
expect_json
expect_text out '"waited_s"'
expect_exit 2 "$ORRERY" run "$scenario" --network fluidd
expect_text err "unknown network model 'fluidd', known: alpha-beta fluid"
finish

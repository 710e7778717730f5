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

# A picture without Graphviz; links that are unwell show in both.
own=$ROOT/scenarios/training/llama-3-8b-own-fabric.yaml
expect_exit 0 "$ORRERY" draw --svg "$own"
expect_text out '^<svg xmlns='
expect_text out '>spine/3</text>'
expect_text out 'stroke="#e08000"><title>leaf/0 - spine/2, 1 x 50 GB/s, health 0.5'
expect_text out '^</svg>'
[ "$(grep -c '<rect x=' out)" = 98 ] || fail "32 GPUs and NICs, 34 switches and sockets, not $(grep -c '<rect x=' out)"
expect_exit 0 "$ORRERY" draw "$own" --set 'fabric.health=[{link: spine/1, health: 0}]'
expect_text out '"leaf/0" -> "spine/1" \[label="100 GB/s", dir=none, style=dashed, color=red\]'
expect_exit 2 "$ORRERY" draw "$own" --set 'fabric.health=[{link: spine/8, health: 0}]'
expect_text err 'the fabric has no spine/8: 4 of the kind'
expect_exit 2 "$ORRERY" draw

# What the models do with links that are unwell.
expect_exit 0 "$ORRERY" check "$own"
expect_exit 0 "$ORRERY" run "$own"
expect_text out 'all wait for those that a fault holds back'
expect_exit 0 "$ORRERY" run "$own" --fold off
! grep -q 'a fault holds back' out || fail "nothing is folded"
expect_exit 0 "$ORRERY" run "$own" --network alpha-beta
expect_text out 'this network prices every transfer alone'
expect_exit 2 "$ORRERY" check "$own" --set 'fabric.links=[{from: nic/0..99, to: leaf/0, rate: 1 Gbps}]'
expect_text err 'fabric.links.0. names nic/99: the cluster has 32'
[ "$(wc -l <err)" = 1 ] || fail "said more than once"

expect_exit 0 "$ORRERY" run "$scenario"
expect_text out '^Links that held transfers back'
expect_text out '(leaf|spine)/[0-9]+ -> (leaf|spine)/[0-9]+'
expect_exit 0 "$ORRERY" run "$scenario" --json
expect_json
expect_text out '"waited_s"'
expect_exit 2 "$ORRERY" run "$scenario" --network fluidd
expect_text err "unknown network model 'fluidd', known: alpha-beta fluid"
finish

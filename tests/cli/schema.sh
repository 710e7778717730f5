#!/bin/bash
# orrery schema: every shipped scenario and catalog is valid by it, and what it refuses the loader
# refuses too. Documents are checked with python3-jsonschema.
. "$(dirname "$0")/../support/cli.sh"

expect_exit 0 "$ORRERY" schema
expect_silence err
cp out schema.json
expect_exit 2 "$ORRERY" schema gpu
expect_text err "did you mean 'gpus'"
expect_exit 2 "$ORRERY" schema schedules
expect_exit 0 "$ORRERY" schema --help

python=
for each in /usr/bin/python3 python3; do
    "$each" -c 'import jsonschema, yaml' 2>/dev/null && python=$each && break
done
if [ -z "$python" ]; then
    echo "skipped: python3-jsonschema and python3-yaml are not installed"
    exit $((failures > 0 ? 1 : 77))
fi

# by_schema FILE...: are all of them valid?
by_schema() {
    "$python" "$ROOT/tests/support/schema_check.py" "$schema" "$@"
}

schema=schema.json
mapfile -t scenarios < <(find "$ROOT/scenarios" -name '*.yaml' ! -path '*/devices/*' | sort)
[ ${#scenarios[@]} -gt 150 ] || fail "only ${#scenarios[@]} scenarios found"
by_schema "${scenarios[@]}" >refused || fail "shipped scenarios are refused:" "$(head -n 20 refused)"

# catalog KIND FILE...
catalog() {
    "$ORRERY" schema "$1" >"$1.json" || fail "no schema of $1"
    schema=$1.json
    by_schema "${@:2}" >refused || fail "the catalog of $1 is refused:" "$(head -n 20 refused)"
}
catalog models "$ROOT"/models/catalog/*.yaml
catalog profiles "$ROOT"/kernels/profiles/*.yaml
for each in gpus:topology/gpus nodes:topology/nodes clusters:topology/clusters \
    protocols:topology/protocols engine-kernels:topology/engine_kernels \
    expert-kernels:topology/expert_kernels plans:strategies/plans uncertainty:strategies/uncertainty \
    engines:strategies/engines prices:strategies/prices faults:strategies/faults \
    storages:strategies/storage; do
    path=${each#*:}
    catalog "${each%%:*}" "$ROOT/${path%/*}/catalog/${path#*/}.yaml"
done
schema=schema.json

# written FILE LINE...: writes a scenario of 64 GPUs, in which LINE... stand in place of the lines with
# the same keys and after the rest.
written() {
    local file=$1 line base=$'model: llama-3.1-8b\ncluster: {node: dgx-h100, gpus: 64}
plan: {base: nemo-2025, tensor: 4, micro_batch: 1, global_batch: 128}'
    shift
    for line; do
        base=$(grep -v "^${line%%:*}:" <<<"$base")
    done
    printf '%s\n' "$base" "$@" >"$file"
}

# accepted LINE... and refused LINE...: what the loader does; the schema is asked about all at once.
count=0
accepted() {
    written yes-$((count += 1)).yaml "$@"
    expect_exit 0 "$ORRERY" check yes-$count.yaml
}
refused() {
    written no-$((count += 1)).yaml "$@"
    expect_exit 2 "$ORRERY" check no-$count.yaml
}

accepted 'name: 175'
accepted 'uncertainty: {software: 0.2}'
accepted 'cluster: {base: selene, nodes: 8, node: {gpu: {memory: 70 GB}}}'
accepted 'cluster: {base: selene, node: {base: dgx-h100}, nodes: 8}'
accepted 'model: {base: llama-3.1-8b, layers: 16}'
accepted 'placement: {kind: custom, nodes: [7, 6, 5, 4, 3, 2, 1, 0]}'
accepted 'placement: spread'
accepted 'fabric: {kind: rail-optimised, switch_latency: +.5e3 ns}'
accepted 'fabric: {kind: rail-optimised, switch_latency: "0.3µs"}'

refused 'seeds: 1'
refused 'seed: -1'
refused 'seed: 1.5'
refused 'seed: "1"'
refused 'fold: yes'
refused 'fold: 1'
refused 'model: llama-3.1-9b'
refused 'model: {layers: 16}'
refused 'model: [llama-3.1-8b]'
refused 'cluster: {gpus: 64}'
refused 'cluster: {node: dgx-h100, gpus: 0}'
refused 'cluster: {node: dgx-h100, gpus: 64, nodez: 8}'
refused 'cluster: {base: selenium}'
refused 'plan: {tensor: 4, micro_batch: 1, global_batch: 128, schedule: 1f1c}'
refused 'plan: {base: nemo-2025, micro_batch: 1, global_batch: 128, tensor: four}'
refused 'plan: {base: nemo-2025, micro_batch: 1, global_batch: 128, overlap: {dta: true}}'
refused 'plan: {base: nemo-2025, micro_batch: 1, global_batch: 128, overlap: true}'
refused 'network: fluids'
refused 'placement: {kind: custom, nodes: 7}'
refused 'placement: {node: [1]}'
refused 'fabric: {kind: rail-optimized}'
for wrong in 5 '5' '5 m' '5us s' '-5 us' '0x5 us' '5 GB' '. us' us '[5 us]' '"5"'; do
    refused "fabric: {kind: rail-optimised, switch_latency: $wrong}"
done
refused 'fabric: {kind: torus, torus_dims: [4]}'
refused 'fabric: {kind: torus, torus_dims: [4, 4, 4, 1]}'
refused 'cost: {price: $0/h}'
by_schema yes-*.yaml >wrongly && : >wrongly
[ ! -s wrongly ] || fail "the schema refuses what the loader takes:" "$(cat wrongly)"
by_schema no-*.yaml >rightly
for file in no-*.yaml; do
    grep -q "^$file: " rightly || fail "the schema takes what the loader refuses:" "$(tail -n 1 "$file")"
done
finish

#!/bin/bash
# Same scenario, same seed: the same bytes.
. "$(dirname "$0")/../support/house.sh"

scenario=scenarios/quickstart.yaml
[ -e $scenario ] || skip "$scenario is absent"
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
for n in 1 2; do
    "${ORRERY:-build/orrery}" run $scenario --json >"$folder/$n.json" || exit 1
done
cmp "$folder/1.json" "$folder/2.json"

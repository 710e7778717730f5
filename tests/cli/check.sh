#!/bin/bash
# `orrery check`: every fault of every file; all that is shipped is sound.
. "$(dirname "$0")/../support/cli.sh"

expect_exit 0 "$ORRERY" check "$ROOT"/scenarios/*.yaml "$ROOT"/scenarios/*/*.yaml
expect_text out 'quickstart\.yaml: ok$'
expect_silence err

sed 's/tensor: 8/tensor: 7/; s/micro_batch: 1 /micro_batch: none /' "$ROOT/scenarios/quickstart.yaml" >two.yaml
printf 'no_such_key: 1\n' >unknown.yaml
expect_exit 2 "$ORRERY" check two.yaml unknown.yaml "$ROOT/scenarios/quickstart.yaml"
expect_text err '^two\.yaml:[0-9]+:[0-9]+: .*tensor'
expect_text err '^two\.yaml:[0-9]+:[0-9]+: .*micro_batch'
expect_text err '^unknown\.yaml:1:1:'
expect_text out 'quickstart\.yaml: ok$'

# Every scenario that is shipped runs, or says that it does not fit.
for scenario in "$ROOT"/scenarios/training/*.yaml; do
    "$ORRERY" run "$scenario" >out 2>err
    [ $? -le 1 ] || fail "$scenario does not run:" "$(cat err)"
done

# A catalog that is broken is not the author's fault.
mkdir -p data/models/catalog
ORRERY_DATA_DIR=$PWD/data expect_exit 3 "$ORRERY" check "$ROOT/scenarios/quickstart.yaml"
expect_exit 2 "$ORRERY" check
finish

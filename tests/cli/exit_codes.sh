#!/bin/bash
# What a script can rely on: 0 done, 2 the scenario is wrong; complaints go to stderr, never to stdout.
. "$(dirname "$0")/../support/cli.sh"

expect_exit 2 "$ORRERY" run no_such_file.yaml
expect_text err 'no_such_file\.yaml'
expect_silence out

printf 'surprise: [1\n' >broken.yaml
expect_exit 2 "$ORRERY" run broken.yaml
expect_text err 'broken\.yaml:[0-9]+:[0-9]+'
expect_silence out

printf 'no_such_key: 1\n' >unknown_key.yaml
expect_exit 2 "$ORRERY" check unknown_key.yaml
expect_text err 'unknown_key\.yaml:1:1'

if [ -e "$ROOT/scenarios/quickstart.yaml" ]; then
    expect_exit 0 "$ORRERY" run "$ROOT/scenarios/quickstart.yaml"
    expect_exit 0 "$ORRERY" run "$ROOT/scenarios/quickstart.yaml" --json
    expect_text out '"schema"'
fi
finish

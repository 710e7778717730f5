#!/bin/bash
# The screen of `orrery run` on a scenario that serves, to the letter. tests/run --update rewrites it.
. "$(dirname "$0")/../support/cli.sh"

golden=$ROOT/tests/golden/serve_small
expect_exit 0 "$ORRERY" run "$golden.yaml"
expect_silence err
expect_golden out "$golden.txt"
finish

#!/bin/bash
# The screen of `orrery run`, to the letter. tests/run --update rewrites it.
. "$(dirname "$0")/../support/cli.sh"

golden=$ROOT/tests/golden/run_profiled
expect_exit 0 "$ORRERY" run "$golden.yaml"
expect_silence err
expect_golden out "$golden.txt"
finish

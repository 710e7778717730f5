#!/bin/bash
# --help succeeds, on stdout, and names the first command that a person needs.
. "$(dirname "$0")/../support/cli.sh"

expect_exit 0 "$ORRERY" --help
expect_text out '\brun\b'
expect_silence err
finish

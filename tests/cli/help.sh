#!/bin/bash
# --help succeeds, on stdout, and names the first command that a person needs; so does each command.
. "$(dirname "$0")/../support/cli.sh"

expect_exit 0 "$ORRERY" --help
expect_text out '\brun\b'
expect_text out 'Exit status'
expect_silence err
expect_exit 0 "$ORRERY" help
expect_text out '\bvalidate\b'

for command in run compare sweep check validate list new explain schema completion man draw collective replay spares import fit calibrate; do
    expect_exit 0 "$ORRERY" $command --help
    expect_text out "orrery $command"
    expect_silence err
    expect_exit 0 "$ORRERY" help $command
    expect_text out "orrery $command"
done

expect_exit 0 "$ORRERY" --version
expect_text out '^orrery [0-9]+\.[0-9]+'

# Without a command there is nothing to do; an unknown one is answered with the nearest.
expect_exit 2 "$ORRERY"
expect_exit 2 "$ORRERY" vaildate
expect_text err "did you mean 'validate'"
expect_silence out
expect_exit 2 "$ORRERY" help nothing
expect_exit 2 "$ORRERY" run --no-such-option
expect_text err 'no-such-option'
finish

#!/bin/bash
# orrery man: a page that groff has nothing against, with every command and each option of run.
. "$(dirname "$0")/../support/cli.sh"

expect_exit 2 "$ORRERY" man page
expect_exit 0 "$ORRERY" --help
commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' out)
expect_exit 0 "$ORRERY" help run
options=$(grep -oE -- '--[a-z-]+' out | sort -u)
expect_exit 0 "$ORRERY" man
expect_silence err
for command in $commands; do
    expect_text out "^\.SS orrery $command\\b"
done
expect_text out '^\.SH "?EXIT STATUS'
expect_text out 'ORRERY_DATA_DIR'
[ "$(wc -w <<<"$commands")" -gt 10 ] || fail "commands are not read from the help"
[ "$(wc -w <<<"$options")" -gt 8 ] || fail "options are not read from the help"
mv out orrery.1
if ! command -v groff >/dev/null; then
    echo "skipped: groff-base is not installed"
    exit $((failures > 0 ? 1 : 77))
fi
groff -man -Tascii -P-cbou -ww orrery.1 >page 2>warnings || fail "groff fails"
[ ! -s warnings ] || fail "groff warns:" "$(head -n 5 warnings)"
for option in $options; do
    grep -qF -- "$option" page || fail "the page does not have $option"
done
! LC_ALL=C grep -n '.\{81,\}' page || fail "the page is wider than a terminal"
finish

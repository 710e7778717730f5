# shellcheck shell=bash
# Sourced by tests/cli/*.sh. Runs ORRERY from an empty folder that is removed at the end; `finish` ends
# a script with the verdict.
set -u
: "${ROOT:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${ORRERY:=$ROOT/build/orrery}"
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0

fail() {
    echo "$*"
    failures=$((failures + 1))
}

# expect_exit CODE COMMAND...: runs COMMAND; its output is in the files out and err.
expect_exit() {
    local want=$1 got
    shift
    "$@" >out 2>err </dev/null
    got=$?
    [ $got = "$want" ] || fail "exit $got instead of $want: $*" "$(head -n 20 out err)"
}

# expect_text FILE REGEX: FILE (out or err) of the last command has a line that matches.
expect_text() {
    grep -qE -- "$2" "$1" || fail "no line matches '$2' in $1:" "$(head -n 20 "$1")"
}

# expect_silence FILE: the last command wrote nothing there.
expect_silence() {
    [ ! -s "$1" ] || fail "$1 is not empty:" "$(head -n 20 "$1")"
}

# expect_golden FILE GOLDEN: FILE of the last command equals GOLDEN, or becomes it when golden files are
# being rewritten.
expect_golden() {
    [ -z "${ORRERY_UPDATE_GOLDEN:-}" ] || cp "$1" "$2"
    diff -u "$2" "$1" >difference || fail "$1 is not $2:" "$(head -n 40 difference)"
}

# expect_json: out of the last command is JSON (taken on trust where python3 is absent).
expect_json() {
    command -v python3 >/dev/null || return
    python3 -m json.tool out >/dev/null 2>difference || fail "out is no JSON:" "$(cat difference)"
}

# json_value KEY: the value of the first member KEY of out, as it is written.
json_value() {
    sed -n "s/^ *\"$1\" : \(.*[^,]\),\{0,1\}$/\1/p" out | head -n 1
}

finish() {
    exit $((failures > 0))
}

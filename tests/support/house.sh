# shellcheck shell=bash
# Sourced by tests/house/*.sh. ROOT is the tree to check, BUILD a build of it. A check prints every
# finding as "file:line: what" and exits 1, or 77 when it cannot be made here.
set -u
cd "${ROOT:=$(dirname "$0")/../..}" || exit 1

# shellcheck disable=SC2034 # used by the checks
layers=(sim models topology kernels strategies scenarios library)

# sources PATTERN...: files of ours whose name matches one of the find patterns, sorted.
sources() {
    local match=() pattern
    for pattern; do
        match+=(-o -name "$pattern")
    done
    find . \( -name .git -o -path './build*' -o -path ./out \) -prune -o -type f \
        \( "${match[@]:1}" \) -print | sed 's|^\./||' | LC_ALL=C sort
}

skip() {
    echo "skipped: $*"
    exit 77
}

# findings RULE: fails with RULE when stdin has any line, and shows the lines.
findings() {
    local found
    found=$(cat)
    [ -z "$found" ] && exit 0
    printf '%s\n%s\n' "$found" "rule: $1"
    exit 1
}

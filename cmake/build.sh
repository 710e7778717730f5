# shellcheck shell=sh
# Shared by ./orrery and tests/run: installs missing Debian packages and builds one tree. Sourced with
# the repository root as the current folder. Everything is said on stderr; details go to a log.

say() {
    printf 'orrery: %s\n' "$*" >&2
}

is_installed() {
    dpkg-query -W -f '${db:Status-Abbrev}\n' "$1" 2>/dev/null | grep -q '^.i'
}

# missing_packages ROW...: names the rows that are not installed. A row "a|b" is met by a or by b, and
# a is the one to install.
missing_packages() {
    for row; do
        (
            IFS='|'
            for name in $row; do
                is_installed "$name" && exit 0
            done
            exit 1
        ) || printf '%s ' "${row%%|*}"
    done
}

apt() {
    # shellcheck disable=SC2086 # $as_root is a command with its arguments, or nothing
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"
}

# install_packages LOG ROW...: installs what is missing, or says what to run and returns 1. Systems
# without dpkg are left to cmake's own complaints. The package lists are fetched only if apt needs them.
install_packages() {
    log=$1
    shift
    command -v dpkg-query >/dev/null || return 0
    missing=$(missing_packages "$@")
    missing=${missing% }
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif sudo -n true 2>/dev/null; then
        as_root='sudo -n'
    elif [ -t 2 ] && command -v sudo >/dev/null; then
        as_root=sudo
    else
        say "missing packages: $missing"
        say "run this as root, then try again:"
        say "  apt-get update && apt-get install -y --no-install-recommends $missing"
        return 1
    fi
    say "installing $missing"
    # shellcheck disable=SC2086 # one word a package
    apt install --no-install-recommends $missing >"$log" 2>&1 && return 0
    # shellcheck disable=SC2086
    apt update >>"$log" 2>&1 && apt install --no-install-recommends $missing >>"$log" 2>&1 && return 0
    tail -n 20 "$log" >&2
    say "could not install $missing (full log: $PWD/$log)"
    return 1
}

# On a terminal, keeps the last "[12/90]" of a build on one line; elsewhere silent.
moving_line() {
    if [ -t 2 ]; then
        sed -un 's/^\(\[[^]]*\]\).*/\1/p' | while read -r step; do
            printf '\r%s ' "$step" >&2
        done
        printf '\r\033[K' >&2
    else
        cat >/dev/null
    fi
}

# build_tree TREE CMAKE_ARGUMENT...: configures and builds folder TREE, or shows the end of its log and
# returns 1. A tree made for another place (the repository was moved) is configured afresh.
build_tree() {
    tree=$1
    shift
    mkdir -p "$tree"
    grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$tree/CMakeCache.txt" ||
        rm -rf "$tree/CMakeCache.txt" "$tree/CMakeFiles"
    if [ ! -e "$tree/CMakeCache.txt" ] && command -v ninja >/dev/null; then
        set -- -G Ninja "$@"
    fi
    rm -f "$tree/build.ok"
    {
        cmake -S . -B "$tree" "$@" && cmake --build "$tree" --parallel "$(nproc)" && : >"$tree/build.ok"
    } 2>&1 | tee "$tree/build.log" | moving_line
    [ -e "$tree/build.ok" ] && return 0
    sed -n '/FAILED:\|CMake Error\|[Ee]rror:/,$p' "$tree/build.log" | head -n 40 >&2
    say "the build failed (full log: $PWD/$tree/build.log)"
    return 1
}

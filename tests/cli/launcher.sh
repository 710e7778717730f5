#!/bin/bash
# The launcher, in a copy of the repository whose path has a space, with stand-ins for cmake, dpkg-query,
# apt-get, sudo and id that write down how they were called: nothing is installed or compiled.
. "$(dirname "$0")/../support/cli.sh"

calls=$folder/calls
tree="$folder/a tree"
mkdir -p "$tree/cmake" "$tree/sim" "$tree/scenarios" bin
cp "$ROOT/orrery" "$tree/" && cp "$ROOT/cmake/build.sh" "$tree/cmake/"
echo 'int x;' >"$tree/sim/clock.c"

# stand_in NAME: stdin becomes the body of a command NAME.
stand_in() {
    { printf '#!/bin/sh\nCALLS=%s\n' "'$calls'" && cat; } >"bin/$1" && chmod +x "bin/$1"
}
stand_in cmake <<'END'
echo "cmake $*" >>"$CALLS"
[ "$1" = --build ] || exit 0
[ ! -e sim/broken.c ] || { echo 'sim/broken.c:1: error: broken'; exit 1; }
sleep 0.1
printf '#!/bin/sh\necho "args:$*"\ntest ! -e "$2" || cat "$2"\n' >build/orrery
chmod +x build/orrery
END
stand_in dpkg-query <<'END'
case " $(cat missing 2>/dev/null) " in *" $4 "*) exit 1 ;; esac
echo 'ii '
END
stand_in apt-get <<'END'
echo "apt-get $*" >>"$CALLS"
case "$* " in
*' update '*) : >updated ;;
*) [ -e updated ] && rm -f missing ;;
esac
END
stand_in id <<'END'
cat user 2>/dev/null || echo 0
END
stand_in sudo <<'END'
exit 1
END
PATH=$folder/bin:$PATH

# expect_calls COUNT NAME: the stand-in NAME was called COUNT times since the last look.
expect_calls() {
    local got
    got=$(grep -c "^$2 " "$calls" 2>/dev/null)
    [ "${got:=0}" = "$1" ] || fail "line ${BASH_LINENO[0]}: $2 was called $got times instead of $1"
    sed -i "/^$2 /d" "$calls" 2>/dev/null
}

# Ordinary users without sudo are told what to run; nothing is built.
cd "$tree" && echo 1000 >user && echo 'gcc libyaml-dev ninja-build make' >missing
expect_exit 3 ./orrery
expect_text err 'apt-get install .* ninja-build gcc libyaml-dev$'
expect_silence out
expect_calls 0 cmake

# One of two alternatives is enough.
echo ninja-build >missing
expect_exit 0 ./orrery
expect_calls 2 cmake
rm -r build

# Root installs; the first try has no package lists, so they are fetched once.
rm user && echo 'gcc libyaml-dev' >missing
expect_exit 0 ./orrery run here.yaml
expect_text out '^args:run here.yaml$'
expect_calls 3 apt-get
expect_calls 2 cmake

# npm is only for charts: whoever cannot install it is told so, and goes on.
rm -r build && echo 1000 >user && echo 'npm nodejs' >missing
expect_exit 0 ./orrery run here.yaml
expect_text err 'going on without npm'
expect_text err 'tables and no charts'
expect_text out '^args:run here.yaml$'
expect_calls 2 cmake
rm user && : >updated && rm -r build
expect_exit 0 ./orrery run here.yaml
expect_calls 1 apt-get
expect_calls 2 cmake

# Packages that cannot be had: the log is shown.
rm -r build updated && echo gcc >missing
stand_in_apt=$(cat "$folder/bin/apt-get")
printf '#!/bin/sh\necho "E: no network"\nexit 100\n' >"$folder/bin/apt-get"
expect_exit 3 ./orrery
expect_text err 'E: no network'
printf '%s\n' "$stand_in_apt" >"$folder/bin/apt-get" && rm missing

# First calls at once: one build, and every call gets its answer.
for n in 1 2 3 4; do
    ./orrery "$n" >"out$n" 2>/dev/null &
done
wait
for n in 1 2 3 4; do
    grep -qx "args:$n" "out$n" || fail "concurrent call $n: $(cat "out$n")"
done
expect_calls 2 cmake

# A fresh build is used as it is: from elsewhere, through links, with relative paths, YAML changed.
cd "$folder" && mkdir links && ln -s "$tree/orrery" links/first && ln -s first links/second
echo 'relative: yes' >here.yaml && echo 'a: 1' >"$tree/scenarios/new.yaml"
expect_exit 0 links/second run here.yaml
expect_text out '^relative: yes$'
expect_silence err
PATH=$PATH:$tree expect_exit 0 orrery --version
expect_text out '^args:--version$'
expect_calls 0 cmake

# An edit, a new file, a deleted file and a moved repository are each built once.
touch "$tree/sim/clock.c"
expect_exit 0 "$tree/orrery" && expect_calls 2 cmake
echo 'int y;' >"$tree/sim/new.h"
expect_exit 0 "$tree/orrery" && expect_calls 2 cmake
rm "$tree/sim/new.h"
expect_exit 0 "$tree/orrery" && expect_calls 2 cmake
for name in page.js page.css package.json package-lock.json; do
    echo '{}' >"$tree/scenarios/$name"
    expect_exit 0 "$tree/orrery" && expect_calls 2 cmake
done
mv "$tree" "$folder/moved" && tree=$folder/moved
expect_exit 0 "$tree/orrery" && expect_calls 2 cmake
expect_exit 0 "$tree/orrery" && expect_calls 0 cmake

# A build that fails says why, leaves stdout alone, and is tried again.
echo 'broken' >"$tree/sim/broken.c"
expect_exit 3 "$tree/orrery" run
expect_text err 'sim/broken.c:1: error: broken'
expect_silence out
rm "$tree/sim/broken.c"
expect_exit 0 "$tree/orrery" run
finish

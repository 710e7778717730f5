#!/bin/bash
# An installed tree: the program finds its catalogs there, wherever the tree is moved, and the examples
# of the library build and run with what pkg-config says alone.
. "$(dirname "$0")/../support/cli.sh"

case ${SANITIZE:-OFF} in OFF | 0 | '') ;; *) echo "skipped: sanitizers want to be loaded first" && exit 77 ;; esac
: "${BUILD:=$ROOT/build}"

expect_exit 0 cmake --install "$BUILD" --prefix "$folder/built"
mv built moved
prefix=$folder/moved
program=$prefix/bin/orrery

expect_exit 0 "$program" run "$prefix/share/orrery/scenarios/quickstart.yaml"
mv out installed.txt
expect_exit 0 "$ORRERY" run "$ROOT/scenarios/quickstart.yaml"
cmp -s out installed.txt || fail "installed, the program gives another report"

# A row that the source tree does not have shows whose catalogs were read.
sed 's/^a100-sxm-80gb:/a100-of-the-installed-tree:/' "$ROOT/topology/catalog/gpus.yaml" \
    >"$prefix/share/orrery/topology/catalog/gpus.yaml"
expect_exit 0 "$program" list gpus
expect_text out a100-of-the-installed-tree
cp "$ROOT/topology/catalog/gpus.yaml" "$prefix/share/orrery/topology/catalog/gpus.yaml"

for file in share/man/man1/orrery.1 share/bash-completion/completions/orrery \
    share/zsh/site-functions/_orrery share/orrery/scenario.schema.json; do
    [ -s "$prefix/$file" ] || fail "nothing is installed as $file"
done
(cd "$ROOT/scenarios" && find . -type f ! -name '*.[ch]' ! -path './reports/*' ! -name '*.proto' | sort) >there
(cd "$prefix/share/orrery/scenarios" && find . -type f | sort) >installed
cmp -s there installed || fail "not all scenarios are installed:" "$(diff there installed)"

# What the tree lacks is a fault of the tree, not of the scenario.
mv "$prefix/share/orrery/models" hidden
expect_exit 3 "$program" check "$prefix/share/orrery/scenarios/quickstart.yaml"
mv hidden "$prefix/share/orrery/models"

pc=$(dirname "$(find "$prefix" -name orrery.pc)")
library=$(dirname "$(find "$prefix" -name liborrery.so)")
export PKG_CONFIG_PATH=$pc LD_LIBRARY_PATH=$library
expect_exit 0 pkg-config --print-errors --exists orrery
examples=$(dirname "$(find "$prefix" -name microbatches.c)")
# shellcheck disable=SC2046 # flags
expect_exit 0 cc -Wall -Wextra -Werror "$examples/microbatches.c" $(pkg-config --cflags --libs orrery) -o microbatches
expect_exit 0 ./microbatches "$prefix/share/orrery/scenarios/quickstart.yaml"
expect_text out '^plan.micro_batch=1  13\.[0-9]{3} s$'
expect_text out '^plan.micro_batch=8 .*does not fit$'
mv out by_c.txt
expect_exit 0 ./microbatches "$folder/absent.yaml"
expect_text out 'plan.micro_batch=1 .*absent.yaml'
if command -v python3 >/dev/null; then
    expect_exit 0 python3 "$examples/microbatches.py" "$prefix/share/orrery/scenarios/quickstart.yaml"
    cmp -s out by_c.txt || fail "Python reads other figures than C:" "$(diff by_c.txt out)"
fi

# Nothing but the declared calls is shown, each under its version.
declared=$(grep -oE 'orrery_[a-z_]+\(' "$prefix/include/orrery.h" | tr -d '(' | sort -u)
shown=$(nm -D --defined-only "$library/liborrery.so" | sed -nE 's/.* T (.*)@@ORRERY_0\.1$/\1/p' | sort)
[ "$declared" = "$shown" ] || fail "the header declares other calls than the library shows:" \
    "$(diff <(echo "$declared") <(echo "$shown"))"
others=$(nm -D --defined-only "$library/liborrery.so" | grep -v '@@ORRERY_0\.1$' | grep -v ' A ORRERY_0\.1$')
[ -z "$others" ] || fail "the library shows more than its header declares: $others"
finish

#!/bin/bash
# Each check of this folder, shown a tree that breaks its rule, must fail and name the culprit.
. "$(dirname "$0")/../support/house.sh"

checks=$PWD/tests/house
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
status=0

# expect CHECK CULPRIT: runs CHECK over $folder/tree, which is then emptied.
expect() {
    local output code
    output=$(ROOT=$folder/tree BUILD=$folder/tree/build SANITIZE=OFF bash "$checks/$1.sh" 2>&1)
    code=$?
    rm -rf "$folder/tree"
    [ $code = 77 ] && return
    [ $code != 0 ] && grep -qF -- "$2" <<<"$output" && return
    printf '%s did not find "%s"; exit %d, output:\n%s\n' "$1" "$2" $code "$output"
    status=1
}

# put FILE: stdin becomes FILE of the tree.
put() {
    mkdir -p "$(dirname "$folder/tree/$1")" && cat >"$folder/tree/$1"
}

put scenarios/loader/right.h <<<''
put sim/left.c <<<'#include "../scenarios/loader/right.h"'
expect layering 'sim/left.c:1: includes right.h of scenarios/'

put sim/same.c <<<''
put topology/same.c <<<''
expect unique_names 'topology/same.c: same name as sim/same.c'

seq 501 | put sim/long.c
expect file_length 'sim/long.c: 501 lines'
seq 501 | put kernels/long.cu
expect file_length 'kernels/long.cu: 501 lines'

put sim/half.c <<<"int x; /* TO""DO: the other half */"
expect leftovers 'sim/half.c:1:'

put sim/ragged.c <<<'int  x ;'
expect format 'sim/ragged.c:1:'
put kernels/ragged.cu <<<'int  x ;'
expect format 'kernels/ragged.cu:1:'

put models/catalog/flat.yaml <<<$'good:\n  layers: 1\n  source: paper\nbad:\n  layers: 2'
expect catalog_sources 'models/catalog/flat.yaml:5:'
put models/catalog/list.yaml <<<$'schema: 1\nrows:\n  - {name: good, source: paper}\n  - name: bad\n    layers: 2'
expect catalog_sources 'models/catalog/list.yaml:4:'
put models/catalog/keyed.yaml <<<$'rows:\n  good:\n    source: paper\n  bad:\n    layers: 2'
expect catalog_sources 'models/catalog/keyed.yaml:4:'

if command -v cc >/dev/null; then
    mkdir -p "$folder/tree/build"
    for n in '=1' '' '[4]={1}'; do
        echo "static int counter$n; int *f(void); int *f(void) { return (int *)&counter; }" >"$folder/g.c"
        (cd "$folder" && cc -c -o g.o g.c && mkdir -p tree/build && ar rc tree/build/libsim.a g.o)
        expect globals 'sim/g.o: writable object counter'
    done
fi
exit $status

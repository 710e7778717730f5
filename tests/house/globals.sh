#!/bin/bash
# State hangs off a SimRun or an engine: the libraries hold no writable object except GLib's quark
# caches (the static "q" of G_DEFINE_QUARK) and the compiler's own (DW.ref: what unwinds the code
# that SimGrid unwinds). Constant tables of pointers lie in .data.rel.ro.
. "$(dirname "$0")/../support/house.sh"

case ${SANITIZE:-OFF} in OFF | 0 | '') ;; *) skip "sanitizers add objects of their own" ;; esac
command -v objdump >/dev/null || skip "objdump is absent"

for layer in "${layers[@]}"; do
    library=${BUILD:-build}/lib$layer.a
    [ -e "$library" ] || continue
    objdump -t "$library" | awk -v layer="$layer" '
        / file format / { member = $1; sub(/:.*/, "", member) }
        / O / && !/[ \t]\.data\.rel\.ro/ && /[ \t](\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ {
            if ($NF !~ /^q(\.[0-9]+)?$|_quark\.q$|^DW\.ref\.|^__gcov|^__llvm|^__sancov|^__asan/)
                print layer "/" member ": writable object " $NF
        }'
done | findings "no writable globals or function statics; keep state in a struct"

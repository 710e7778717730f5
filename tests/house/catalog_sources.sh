#!/bin/bash
# A number without a source is a rumour: every row of a catalog says where it comes from. A row is a
# block under a key at the left edge that has a `source:` of its own; under a key that has none, each
# item or block is a row. A file with `source:` at the left edge answers for all of its rows.
. "$(dirname "$0")/../support/house.sh"

sources '*.yaml' | grep -E '/(catalog|profiles)/' | tr '\n' '\0' | xargs -0 -r awk '
    function is_sourced(text) { return text ~ /(^|[ {,-])"?source"?:/ }
    function close_row(first, sourced) {
        if (first && !sourced)
            missing = missing file ":" number[first] ": " line[first] "\n"
    }
    function close_block(    i, depth, is_list, first, sourced) {
        depth = 1000
        for (i = 1; i <= n; i++)
            depth = indent[i] < depth ? indent[i] : depth
        is_list = line[1] ~ /^ *- /
        for (i = 1; i <= n; i++)
            if (indent[i] == depth && !is_list && line[i] ~ /^ *source:/)
                n = 0
        for (i = 1; i <= n; i++) {
            if (indent[i] == depth && (!is_list || line[i] ~ /^ *- /)) {
                close_row(first, sourced)
                first = i
                sourced = 0
            }
            sourced = sourced || is_sourced(line[i])
        }
        close_row(first, sourced)
        n = 0
    }
    function close_file() {
        close_block()
        if (!file_sourced)
            printf "%s", missing
        missing = ""
        file_sourced = 0
    }
    FNR == 1 { close_file(); file = FILENAME }
    /^[ \t]*(#|$)/ || /^(---|\.\.\.|%)/ { next }
    /^source:/ { file_sourced = 1 }
    /^[^ -]/ { close_block() }
    /^[^ -]/ && !/[{\[]/ { next }
    { n++; line[n] = $0; number[n] = FNR; match($0, /^ */); indent[n] = RLENGTH }
    END { close_file() }' | findings "every row of a catalog has a source"

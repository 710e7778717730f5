#!/bin/bash
# A folder includes only what stands to its left: sim < models < topology < kernels < strategies <
# scenarios. File names are unique, so the name of a header tells its folder.
. "$(dirname "$0")/../support/house.sh"

sources '*.[ch]' '*.cu' '*.cuh' | grep -E "^($(IFS='|' && echo "${layers[*]}"))/" | tr '\n' '\0' |
    xargs -0 -r awk -v layers="${layers[*]}" '
        BEGIN {
            n = split(layers, order, " ")
            for (i = 1; i <= n; i++)
                rank[order[i]] = i
            for (i = 1; i < ARGC; i++) {
                split(ARGV[i], part, "/")
                name = ARGV[i]
                sub(/.*\//, "", name)
                home[name] = part[1]
            }
        }
        /^[ \t]*#[ \t]*include[ \t]*["<]/ {
            name = $0
            sub(/^[^"<]*["<]/, "", name)
            sub(/[">].*/, "", name)
            sub(/.*\//, "", name)
            split(FILENAME, part, "/")
            if ((name in home) && rank[home[name]] > rank[part[1]])
                print FILENAME ":" FNR ": includes " name " of " home[name] "/"
        }' | findings "include only from the same folder or from the left: ${layers[*]}"

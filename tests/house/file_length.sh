#!/bin/bash
# One idea a file: 120 lines are the aim, 500 the end.
. "$(dirname "$0")/../support/house.sh"

sources '*.[ch]' '*.cu' '*.cuh' '*.sh' CMakeLists.txt | while IFS= read -r file; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 500 ] || echo "$file: $lines lines"
done | findings "at most 500 lines a file"

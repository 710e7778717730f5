#!/bin/bash
# Code is laid out as clang-format 14 lays it out; other versions disagree in details.
. "$(dirname "$0")/../support/house.sh"

formatter=$(command -v clang-format-14 || command -v clang-format) || skip "clang-format is absent"
"$formatter" --version | grep -q 'version 14\.' || skip "clang-format is not version 14"
sources '*.[ch]' '*.cu' '*.cuh' | tr '\n' '\0' | xargs -0 -r "$formatter" --dry-run --Werror 2>&1 | grep ': error:' |
    awk -F: '!seen[$1]++' | findings "run clang-format -i on these files; the first place of each is shown"

#!/bin/bash
# A file name is an address: no two source files of the tree share one.
. "$(dirname "$0")/../support/house.sh"

sources '*.[ch]' '*.cu' '*.cuh' '*.sh' | awk -F/ '
    $NF in first { print $0 ": same name as " first[$NF] }
    !($NF in first) { first[$NF] = $0 }' | findings "file names are unique"

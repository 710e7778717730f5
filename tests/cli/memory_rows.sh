#!/bin/bash
# Published peaks of memory: the error of every row, by source, and of runs that are known to have run
# none that does not fit but those that docs/accuracy.md lists (of models with experts, DeepSeek-V3's own).
# Skipped where the rows are not at hand.
. "$(dirname "$0")/../support/cli.sh"
rows=$ROOT/../shared/published
[ -r "$rows/peak_memory.json" ] && [ -r "$rows/training.json" ] || exit 77

# expect_peaks PATTERN ROWS PERCENT: so many rows match, none further off than that.
expect_peaks() {
    awk -v pattern="$1" -v rows="$2" -v most="$3" '
        /^peak memory, GB/ { on = 1 }
        /^Peak memory, by source/ { on = 0 }
        on && $1 ~ pattern { seen++; error = $4 + 0; if (error > most || error < -most) bad = bad " " $1 }
        END { if (seen != rows || bad) { print seen + 0 " rows;" bad; exit 1 } }' out >why ||
        fail "$1: $2 rows within $3 % expected, not $(cat why)"
}

expect_exit 0 "$ORRERY" validate --rows "$rows/peak_memory.json"
expect_peaks '^simumax' 24 3
expect_peaks '^torchtitan.*8B.*fp8' 2 8
expect_peaks '^torchtitan.*70B' 1 10

expect_exit 0 "$ORRERY" validate --rows "$rows/training.json"
expect_peaks '^simumax' 19 6
expect_peaks '^zb_(6|14|28)' 16 8
expect_peaks '^zb_t6' 16 8

over=$(grep -E ' S?M$' out | grep -vc '^dsv3_')
[ "$over" -le 22 ] || fail "$over rows do not fit" "$(grep -E ' S?M$' out)"
for source in sc21 seqsel megascale dgxc mpt vtrain internevo nemo2407 simumax zb; do
    ! grep -E "^$source.* S?M$" out || fail "rows of $source do not fit"
done
finish

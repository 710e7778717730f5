#!/bin/bash
# Published rows of offloaded, single-stream and static serving: the median error of each group.
# Skipped where the rows are not at hand.
. "$(dirname "$0")/../support/cli.sh"
rows=$ROOT/../shared/published/serving.json
[ -r "$rows" ] || exit 77

# expect_median GROUP ROWS PERCENT: so many rows at least are predicted, so well at the median.
expect_median() {
    expect_exit 0 "$ORRERY" validate --rows "$rows" --only "$1/*"
    awk -v group="$1" -v rows="$2" -v most="$3" '
        $1 == group && $3 ~ /^[0-9]+$/ { seen = $3 >= rows; good = $4 <= most }
        END { exit !seen || !good }' out || fail "$1 misses $3 %:" "$(grep "^$1 " out)"
}

expect_median flexgen 9 15
expect_median tinychat 17 8
expect_median gpt-fast 21 8
expect_median trtllm-v0.6.1-static 16 10
expect_median trtllm-v0.5-static 3 10
expect_median trtllm-v0.5-ttft 15 12
finish

#!/bin/bash
# A sweep that is killed with SIGKILL five times and taken up each time ends with the tables of one that
# was left alone, and runs nothing twice that was in. ORRERY_SWEEP_POINTS=10000 is the whole of the
# scenario; the default keeps the suite quick.
. "$(dirname "$0")/../support/cli.sh"
command -v sqlite3 >/dev/null || { echo "sqlite3 is absent" && exit 77; }
points=${ORRERY_SWEEP_POINTS:-300}
kills=5
run=("$ORRERY" sweep "$ROOT/tests/support/sweep_10000.yaml" --points "1..$points")

# tables DATABASE: all rows but the wall clock.
tables() {
    sqlite3 "$1" .dump | grep -v '^INSERT INTO timing'
}

count() {
    sqlite3 -cmd '.timeout 5000' killed.sqlite 'SELECT count(*) FROM points' 2>/dev/null || echo 0
}

hit=0
: >seen
for ((kill = 1; kill <= kills; kill++)); do
    target=$((points * kill / (kills + 2) + RANDOM % (points / (kills + 2)) + 1))
    "${run[@]}" --db killed.sqlite >/dev/null 2>&1 &
    job=$!
    while kill -0 $job 2>/dev/null && [ "$(count)" -lt $target ]; do sleep 0.02; done
    kill -9 $job 2>/dev/null && hit=$((hit + 1))
    wait $job 2>/dev/null
    sqlite3 killed.sqlite 'SELECT * FROM timing ORDER BY point' >now
    lost=$(comm -23 <(sort seen) <(sort now) | wc -l)
    [ "$lost" = 0 ] || fail "kill $kill: $lost points of before are gone or were run again"
    [ "$(wc -l <now)" -lt "$points" ] || fail "kill $kill came too late, at $(wc -l <now) points"
    cp now seen
done
[ $hit = $kills ] || fail "only $hit of $kills kills met a sweep that ran"

expect_exit 0 "${run[@]}" --db killed.sqlite --csv killed.csv
cp out killed.txt
expect_exit 0 "${run[@]}" --db whole.sqlite --csv whole.csv --threads 1
tables killed.sqlite >killed.dump
tables whole.sqlite >whole.dump
cmp killed.dump whole.dump || fail "$(diff killed.dump whole.dump | head -n 6)"
cmp killed.csv whole.csv || fail "the CSV files differ"
cmp killed.txt out || fail "the summaries differ"
[ "$(grep -cE '^[0-9]+,(ok|no|wrong),' whole.csv)" = "$points" ] || fail "rows of CSV are missing"
sqlite3 killed.sqlite 'SELECT * FROM timing ORDER BY point' >now
lost=$(comm -23 <(sort seen) <(sort now) | wc -l)
[ "$lost" = 0 ] || fail "$lost points were run again after the last kill"

# The comparison sees a row that differs.
sqlite3 killed.sqlite 'UPDATE figure_values SET value = value * (1 + 1e-15) WHERE point = 1'
tables killed.sqlite >killed.dump
cmp -s killed.dump whole.dump && fail "a changed figure is not seen"
finish

#!/bin/bash
# `orrery sweep`: rows and figures, what is refused, limits, shards and their merge, what a database may
# be. sweep_kill.sh has the kills.
. "$(dirname "$0")/../support/cli.sh"
command -v sqlite3 >/dev/null || { echo "sqlite3 is absent" && exit 77; }

cat >plans.yaml <<'YAML'
model: korthikanti-175b
cluster: {node: dgx-a100-80gb, gpus: 64}
plan: {base: megatron-lm-2022, tensor: 8, pipeline: 8, global_batch: 64, sequence_length: 2048}
sweep:
  grid:
    plan.tensor: [8, 4, 3]
    plan.kernel_gap: {from: 0.5 us, to: 1.5 us, step: 0.5 us}
    plan.sequence_parallel: [true, false]
  list:
    - {plan.recompute: selective, plan.virtual_stages: 3}
    - {plan.recompute: full}
YAML

# tables DATABASE: all rows but the wall clock.
tables() {
    sqlite3 "$1" .dump | grep -v '^INSERT INTO timing'
}

# query SQL: of plans.sqlite.
query() {
    sqlite3 plans.sqlite "$1"
}

expect_exit 0 "$ORRERY" check plans.yaml
expect_text out '^plans.yaml: ok, with a sweep of 36 points$'
expect_exit 0 "$ORRERY" sweep plans.yaml
expect_silence err
expect_text out '^plans: 36 of 36 points, 9 ok, 15 no, 12 wrong$'
expect_text out '^Best training.step_time_s: 13\.[0-9]+, point [0-9]+$'
expect_text out '^ +6 x --set plan.tensor=3: tensor 3 .* does not divide the cluster'
expect_text out '^ +15 x does not fit$'
[ "$(query 'SELECT count(*) FROM results WHERE status = "ok" AND "training.step_time_s" > 0')" = 9 ] ||
    fail "not every point that is ok has a step time"
[ "$(query 'SELECT count(*) FROM figures WHERE figure LIKE "memory_timeline%"')" = 0 ] ||
    fail "long series are kept"
# Inputs are numbers in SI units: the third grid value of row 2 of the list, counted by hand.
row=$(query 'SELECT point, "plan.recompute", "plan.tensor", "plan.kernel_gap", "plan.sequence_parallel",
             "plan.virtual_stages" FROM points WHERE point = 18 + 6 + 6')
[ "$row" = '30|full|4|1.5e-06|0|' ] || fail "point 30 is $row"

# A point is the run that its settings say.
settings=$(query 'SELECT settings FROM points WHERE point = 3')
step=$(query 'SELECT printf("%!.17g", "training.step_time_s") FROM results WHERE point = 3')
eval "expect_exit 0 '$ORRERY' run plans.yaml --json $settings"
[ "$(json_value step_time_s)" = "$step" ] || fail "run says $(json_value step_time_s), sweep $step"

# A second call has nothing to do; threads change nothing.
query 'SELECT * FROM timing' >before
expect_exit 0 "$ORRERY" sweep plans.yaml --csv plans.csv -q
expect_silence out
query 'SELECT * FROM timing' | cmp - before || fail "points were run twice"
[ "$(grep -cE '^[0-9]+,(ok|no|wrong),' plans.csv)" = 36 ] || fail "the CSV has not 36 rows"
expect_text plans.csv '^point,status,error,seed,settings,digest,version,plan.recompute,plan.virtual_stages,plan.tensor,plan.kernel_gap,plan.sequence_parallel,fits,'
expect_exit 0 "$ORRERY" sweep plans.yaml --db alone.sqlite --threads 1 -q
tables plans.sqlite >want
tables alone.sqlite | cmp - want || fail "1 thread says something else"

# Parts: shards, a limit that is taken up, and the merge of them.
for i in 1 2 3; do
    expect_exit 0 "$ORRERY" sweep plans.yaml --db part$i.sqlite --shard $i/3 -q
done
[ "$(sqlite3 part2.sqlite 'SELECT group_concat(point) FROM points WHERE point < 10')" = 2,5,8 ] ||
    fail "shard 2/3 has other points"
expect_exit 0 "$ORRERY" sweep --merge merged.sqlite part3.sqlite part1.sqlite part2.sqlite
expect_text out '^plans: 36 of 36 points'
tables merged.sqlite | cmp - want || fail "merged shards say something else"
expect_exit 0 "$ORRERY" sweep plans.yaml --db some.sqlite --points 5..20 --limit 4
expect_text out '^12 points are missing'
expect_exit 0 "$ORRERY" sweep --merge most.sqlite some.sqlite part1.sqlite
[ "$(sqlite3 most.sqlite 'SELECT count(*) FROM points')" = 15 ] || fail "4 + 12 - 1 points are not merged"
expect_exit 0 "$ORRERY" sweep plans.yaml --db most.sqlite -q
tables most.sqlite | cmp - want || fail "a merged part that is taken up says something else"
sqlite3 part1.sqlite 'UPDATE figure_values SET value = value + 1 WHERE point = 1'
expect_exit 2 "$ORRERY" sweep --merge merged.sqlite part1.sqlite
expect_text err 'same points with other results'
tables merged.sqlite | cmp - want || fail "a refused merge left something"

# What a database may be.
expect_exit 2 "$ORRERY" sweep plans.yaml --set plan.global_batch=128
expect_text err 'made from another scenario'
expect_exit 2 "$ORRERY" sweep --merge some.sqlite nowhere.sqlite
sqlite3 other.sqlite 'CREATE TABLE mine (x)'
expect_exit 2 "$ORRERY" sweep plans.yaml --db other.sqlite --fresh
expect_text err 'no database of orrery sweep'
[ "$(sqlite3 other.sqlite .schema)" = 'CREATE TABLE mine (x);' ] || fail "a foreign database is changed"
expect_exit 2 "$ORRERY" sweep plans.yaml --db plans.yaml
expect_text err 'not a database'
sqlite3 some.sqlite "UPDATE sweep SET version = '0.0.1+0'"
expect_exit 2 "$ORRERY" sweep plans.yaml --db some.sqlite
expect_text err 'made by orrery 0.0.1'
expect_exit 0 "$ORRERY" sweep plans.yaml --db some.sqlite --any-version -q
expect_exit 0 "$ORRERY" sweep plans.yaml --db some.sqlite --fresh -q
tables some.sqlite | cmp - want || fail "a database that was emptied says something else"
if command -v flock >/dev/null; then
    expect_exit 2 flock plans.sqlite.lock "$ORRERY" sweep plans.yaml
    expect_text err 'another orrery sweep is writing'
fi

# A signal of a batch system ends it early, with what it has.
"$ORRERY" sweep "$ROOT/tests/support/sweep_10000.yaml" --db early.sqlite >out 2>err &
job=$!
while [ "$(sqlite3 early.sqlite 'SELECT count(*) FROM points' 2>/dev/null || echo 0)" -lt 5 ]; do
    sleep 0.02
done
kill -TERM $job
wait $job
[ $? = 1 ] || fail "a sweep that was interrupted says $?"
expect_text out 'points are missing'

# Faults of the section, all at once, where they stand.
cat >wrong.yaml <<'YAML'
model: korthikanti-175b
cluster: {node: dgx-a100-80gb, gpus: 64}
plan: {base: megatron-lm-2022, tensor: 8, pipeline: 8, global_batch: 64, sequence_length: 2048}
sweep:
  grid:
    plan.tensr: [1, 2]
    plan.tensor: [1, two]
    plan.kernel_gap: {from: 1 us, to: 2 MB, step: 1 us}
    plan.micro_batch: {from: 1, to: 2, step: 0.5}
    cluster.node: [dgx-a100-80gb, dgx-a100-8gb]
    plan.schedule: []
    sweep.seeds: [1]
  list:
    - {plan.tensor: 4}
    - {plan.base: megatron-lm-202, plan.overlap: {dat: true}}
YAML
expect_exit 2 "$ORRERY" check wrong.yaml
expect_text err "^wrong.yaml:6:5: unknown key 'tensr' in plan, did you mean 'tensor'"
expect_text err "^wrong.yaml:7:22: 'tensor' must be a whole number from 1 to 65536, not 'two'"
expect_text err "^wrong.yaml:7:5: 'plan.tensor' is set by 'list' as well"
expect_text err "^wrong.yaml:8:39: 'to': '2 MB' is a size: expected a time"
expect_text err "^wrong.yaml:9:23: 'micro_batch' must be a whole number .* not '1.5'"
expect_text err "^wrong.yaml:10:35: unknown node 'dgx-a100-8gb', did you mean 'dgx-a100-80gb'"
expect_text err "^wrong.yaml:11:20: 'plan.schedule' must be a list of values"
expect_text err '^wrong.yaml:12:5: a sweep is over the scenario, not over itself'
expect_text err "^wrong.yaml:15:19: unknown training plan 'megatron-lm-202', did you mean"
expect_text err "^wrong.yaml:15:51: unknown key 'dat' in overlap"
[ "$(wc -l <err)" = 10 ] || fail "$(wc -l <err) faults instead of 10"
sed -i '/^sweep:/,$d' wrong.yaml
expect_exit 2 "$ORRERY" sweep wrong.yaml
expect_text err 'has no `sweep:`'
expect_exit 2 "$ORRERY" check plans.yaml --set 'sweep.grid={network: [fluid, fluud]}'
expect_text err "unknown network model 'fluud', known:.* fluid"

# Nothing is ok: that is an answer of no. Serving, months and queues are swept alike.
expect_exit 1 "$ORRERY" sweep plans.yaml --db no.sqlite --set 'sweep={grid: {plan.tensor: [1]}}'
expect_exit 0 "$ORRERY" sweep "$ROOT/scenarios/serving/sweep-llama-3.1-70b-rate.yaml" --db serve.sqlite \
    --set traffic.requests=120 --points 1..6
expect_text out '^Best cost.usd_per_million_output_tokens: [0-9.]+, point [456]'
[ "$(sqlite3 serve.sqlite 'SELECT group_concat(seed) FROM points')" = 1,2,3,1,2,3 ] || fail "other seeds"
expect_exit 0 "$ORRERY" sweep "$ROOT/scenarios/failures/llama-3.1-405b-54-days.yaml" --db months.sqlite \
    --set campaign.replications=20 --set 'sweep={grid: {campaign.checkpoint.interval: [10 min, 1 h]}, seeds: [7]}'
expect_text out '^Best campaign.ettr_fraction.mean: 0\.'
expect_exit 0 "$ORRERY" sweep "$ROOT/scenarios/training/queue-on-one-fabric.yaml" --db queue.sqlite \
    --set queue.replications=1 --set 'sweep={grid: {queue.policy: [fifo, easy-backfill]}}'
expect_text out '^Best queue.goodput.mean: 0\.'
finish

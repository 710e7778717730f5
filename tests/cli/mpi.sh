#!/bin/bash
# Several processes under mpirun: the answers of one, printed and written once, whoever dies.
. "$(dirname "$0")/../support/cli.sh"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

# Without the module several processes would be several copies. The launcher's variables suffice here.
cp "$ORRERY" copy
expect_exit 2 env OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=0 ./copy run "$ROOT/scenarios/quickstart.yaml"
expect_text err 'started as 4 processes, but this Orrery has no MPI.*libopenmpi-dev'
expect_exit 2 env OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=3 ./copy run "$ROOT/scenarios/quickstart.yaml"
expect_silence err
expect_exit 0 env OMPI_COMM_WORLD_SIZE=1 OMPI_COMM_WORLD_RANK=0 ./copy run "$ROOT/scenarios/quickstart.yaml"
[ $failures = 0 ] || finish
command -v mpirun >/dev/null || { echo "skipped: mpirun is absent" && exit 77; }
[ -e "${ORRERY%/*}/liborrery-mpi.so" ] || { echo "skipped: built without MPI" && exit 77; }

# ranks ARGUMENT...: four processes, whose numbers go to pid.0 to pid.3.
cat >rank <<'SH'
#!/bin/sh
echo $$ >"pid.$OMPI_COMM_WORLD_RANK"
exec "$@"
SH
chmod +x rank
ranks() {
    timeout 120 mpirun "${flags[@]}" --oversubscribe -n 4 ./rank "$ORRERY" "$@"
}
flags=()

# A campaign whose steps are simulated on the way, and what it writes.
cat >slow.yaml <<'YAML'
model: llama-3.1-70b
cluster: {node: dgx-h100, gpus: 256}
plan: {base: nemo-2025, tensor: 4, pipeline: 4, virtual_stages: 1, sequence_length: 8192, micro_batch: 1,
       global_batch: 256, recompute: full}
campaign:
  duration: 60 d
  replications: 40
  faults:
    classes:
      - {name: slow GPU, unit: gpu, effect: slow, clock: 0.7, per_million_hours: 200, lasts: 3 h}
      - {name: dies, unit: gpu, effect: stop, per_million_hours: 50}
  checkpoint: {interval: 10 min, block: 1 s, save: 30 s}
  recovery: {policy: templates, detection: 1 min, restart: 2 min, load: 1 min}
  spares: {nodes: 2, repair: 1 d}
YAML
expect_exit 0 "$ORRERY" run slow.yaml --json --out one
mv out one.json
expect_exit 0 ranks run slow.yaml --json --out four
expect_silence err
cmp out one.json || fail "four processes see other months"
diff -r one four || fail "four processes write other files"
expect_exit 0 "$ORRERY" run slow.yaml --json --seed 2
cmp -s out one.json && fail "the comparison sees nothing"

# Searches: for a deployment, and for a plan.
deployment=("$ROOT/scenarios/serving/search-llama-3.1-70b.yaml" --set traffic.requests=200 --set serve.warm_up=20)
plan=("$ROOT/scenarios/training/search-gpt-175b-1024-a100.yaml" --set model=gpt3-6.7b --set cluster.gpus=16
    --set 'plan={base: megatron-lm-2022, global_batch: 32}')
for search in deployment plan; do
    declare -n line=$search
    expect_exit 0 "$ORRERY" search "${line[@]}" --json
    mv out one.json
    expect_exit 0 ranks search "${line[@]}" --json --threads 2
    cmp out one.json || fail "four processes find another $search"
done

# What is said once, and the status of the first process.
expect_exit 0 ranks check slow.yaml
[ "$(wc -l <out)" = 1 ] || fail "check is printed $(wc -l <out) times"
expect_exit 2 ranks run nowhere.yaml
[ "$(grep -c 'cannot be opened' err)" = 1 ] || fail "the error is printed $(grep -c 'cannot be opened' err) times"
expect_exit 1 ranks run "$ROOT/scenarios/training/llama-3.1-70b-too-large.yaml"
# A process with another scenario is left out, and the answer is right.
cp slow.yaml other.yaml && echo 'description: another' >>other.yaml
expect_exit 0 "$ORRERY" run slow.yaml --json
mv out one.json
expect_exit 0 timeout 60 mpirun --oversubscribe -n 2 "$ORRERY" run slow.yaml --json : -n 1 "$ORRERY" run other.yaml --json
expect_text err 'rank 2 is left out: its scenario or its version of Orrery'
cmp out one.json || fail "a process with another scenario changes the answer"

# Sweeps: one table, whoever did the points.
command -v sqlite3 >/dev/null || { echo "sqlite3 is absent" && finish; }
points=100
sweep=(sweep "$ROOT/tests/support/sweep_10000.yaml" --points 1..$points)

# tables DATABASE: all rows but the wall clock.
tables() {
    sqlite3 "$1" .dump | grep -v '^INSERT INTO timing'
}

count() {
    sqlite3 -cmd '.timeout 5000' "$1" 'SELECT count(*) FROM points' 2>/dev/null || echo 0
}

expect_exit 0 "$ORRERY" "${sweep[@]}" --db one.sqlite --csv one.csv
mv out one.txt
tables one.sqlite >one.dump
expect_exit 0 ranks "${sweep[@]}" --db four.sqlite --csv four.csv
expect_silence err
tables four.sqlite | cmp - one.dump || fail "four processes make another table"
cmp one.csv four.csv || fail "the CSV files differ"
cmp out one.txt || fail "the summaries differ"

# kill_one DATABASE: runs the sweep into it, and kills process 2 when a third is done; the status of mpirun
# goes to `status`.
kill_one() {
    rm -f pid.2
    ranks "${sweep[@]}" --db "$1" >out 2>err &
    local job=$!
    while kill -0 $job 2>/dev/null && [ "$(count "$1")" -lt $((points / 3)) ]; do sleep 0.02; done
    kill -9 "$(cat pid.2)" || fail "process 2 had ended before it was killed"
    wait $job
    status=$?
}

# By default mpirun ends all; what is in the database stays, and the sweep goes on from there.
kill_one killed.sqlite
[ $status != 0 ] || fail "mpirun did not mind a killed process"
held=$(count killed.sqlite)
[ "$held" -gt 0 ] && [ "$held" -lt $points ] || fail "$held points were in when a process was killed"
sqlite3 killed.sqlite 'SELECT * FROM timing' >before
expect_exit 0 ranks "${sweep[@]}" --db killed.sqlite
tables killed.sqlite | cmp - one.dump || fail "a sweep that was killed and taken up makes another table"
sqlite3 killed.sqlite 'SELECT * FROM timing' >after
comm -23 <(sort before) <(sort after) | grep . && fail "points that were in are gone or were run again"

# Where mpirun lets the others live, they do what the dead one had.
flags=(--mca orte_enable_recovery 1)
kill_one left.sqlite
[ $status = 0 ] || fail "exit $status with a process less:" "$(cat err)"
expect_text err 'rank 2 is left out: it has died'
tables left.sqlite | cmp - one.dump || fail "three of four processes make another table"
finish

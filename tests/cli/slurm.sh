#!/bin/bash
# The recipe of a Slurm job array (docs/examples/slurm-sweep.sh), with Slurm's variables set by hand.
. "$(dirname "$0")/../support/cli.sh"
command -v sqlite3 >/dev/null || { echo "sqlite3 is absent" && exit 77; }
recipe=$ROOT/docs/examples/slurm-sweep.sh
export ORRERY

cat >plans.yaml <<'YAML'
model: korthikanti-175b
cluster: {node: dgx-a100-80gb, gpus: 64}
plan: {base: megatron-lm-2022, tensor: 8, pipeline: 8, global_batch: 64, sequence_length: 2048}
sweep: {grid: {plan.tensor: [8, 4, 2, 1], plan.micro_batch: [1, 2, 4], plan.recompute: [full, selective]}}
YAML

# tables DATABASE: all rows but the wall clock.
tables() {
    sqlite3 "$1" .dump | grep -v '^INSERT INTO timing'
}

expect_exit 0 "$ORRERY" sweep plans.yaml --db one.sqlite --csv one.csv
mv out one.txt
for task in 3 1 2 3; do
    expect_exit 0 env SLURM_ARRAY_TASK_ID=$task SLURM_ARRAY_TASK_COUNT=3 SLURM_CPUS_PER_TASK=1 \
        SLURM_NTASKS=1 SLURM_PROCID=0 "$recipe" plans.yaml
    expect_silence out
done
expect_exit 0 "$recipe" --merge plans.yaml
cmp out one.txt || fail "the summary of the parts differs"
tables results/plans.sqlite >parts.dump
tables one.sqlite | cmp - parts.dump || fail "the parts make another table"
cmp one.csv results/plans.csv || fail "the CSV files differ"
expect_exit 1 "$recipe" plans.yaml
expect_text err 'not in a job array'
expect_exit 1 "$recipe"
expect_text err 'usage'
finish

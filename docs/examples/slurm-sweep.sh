#!/bin/bash
#SBATCH --job-name=orrery-sweep
#SBATCH --array=1-16
#SBATCH --cpus-per-task=4
#SBATCH --time=02:00:00
# A sweep as a Slurm job array: each task runs its share into a database of its own; no MPI.
#
#   sbatch docs/examples/slurm-sweep.sh sweep.yaml
#   sbatch --dependency=afterany:JOB docs/examples/slurm-sweep.sh --merge sweep.yaml
#
# A task that is killed and submitted again goes on where it was. The array must begin at 1 and have no
# gaps. Variables: ORRERY, the program (default ./orrery); RESULTS, the folder of the databases, which
# all tasks must see (default results).
set -eu
orrery=${ORRERY:-./orrery}
results=${RESULTS:-results}
merge=
[ "${1-}" != --merge ] || { merge=yes && shift; }
scenario=${1:?usage: slurm-sweep.sh [--merge] SCENARIO.yaml}
name=$(basename "$scenario" .yaml)
mkdir -p "$results"

if [ "$merge" ]; then
    exec "$orrery" sweep --merge "$results/$name.sqlite" --csv "$results/$name.csv" \
        "$results/$name".part-*.sqlite
fi
exec "$orrery" sweep "$scenario" --quiet \
    --shard "${SLURM_ARRAY_TASK_ID:?not in a job array}/$SLURM_ARRAY_TASK_COUNT" \
    --threads "${SLURM_CPUS_PER_TASK:-1}" \
    --db "$results/$name.part-$SLURM_ARRAY_TASK_ID.sqlite"

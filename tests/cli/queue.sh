#!/bin/bash
# `orrery run` on many jobs with a queue: text, JSON, the table of jobs, and what is refused.
. "$(dirname "$0")/../support/cli.sh"

cat >jobs.csv <<'CSV'
at_s,class,gpus,work_s
0,a,16,10
1,a,24,5
2,a,32,5
3,a,8,20
4,a,16,6
5,a,8,2
CSV
cat >queue.yaml <<'YAML'
cluster: {node: dgx-h100, nodes: 4}
queue:
  duration: 100 s
  replications: 2
  trace: jobs.csv
  jobs:
    - {name: a, gpus: 8, work: 1 s}
  published: {completed: 0.6, utilisation: 0.83, source: somebody}
cost: {gpu_hour: $2.00/h}
YAML
expect_exit 0 "$ORRERY" check queue.yaml
expect_exit 0 "$ORRERY" run queue.yaml --out run
expect_text out '^Queue +0.001157 days of 4 nodes of 8 GPUs, policy easy-backfill'
expect_text out '  completed +6.0  100.00 % +60.00 %'
expect_text out '^Utilisation .*published 83.0 %'
expect_text run/jobs.csv '^2,a,4,2.000000000,23.000000000,28.000000000,21.0*,5.0*,5.0*,5.0*,0.192308,1,0,0,completed'
[ "$(wc -l <run/jobs.csv)" = 7 ] || fail "jobs.csv has not six jobs"
cmp out run/report.txt || fail "the report is not what was printed"
expect_exit 0 "$ORRERY" run queue.yaml --json
expect_json
cmp out run/result.json || fail "result.json is not what was printed"
# Node-seconds of the six jobs: 20 + 15 + 20 + 20 + 12 + 2 of 400.
awk -F ' : ' '
    /"ledger"/ { inside = 1; next }
    inside && /}/ { inside = 0 }
    inside { sum += $2 }
    inside && /"productive"/ { kept = $2 - 89 / 400 }
    END { sum -= 1; exit !(sum < 1e-12 && sum > -1e-12 && kept < 1e-12 && kept > -1e-12) }' out ||
    fail "the ledger does not sum to 1, or is wrong"
expect_exit 0 "$ORRERY" run queue.yaml --set queue.policy=conservative-backfill --out other
expect_text other/jobs.csv '^2,a,4,2.000000000,15.000000000'
! grep -q published out || fail "a changed scenario is not what was published"

sed 's/^  jobs:/  policy: lottery\n  faults: rsc-1\n  jobs:/' queue.yaml >wrong.yaml
expect_exit 2 "$ORRERY" check wrong.yaml
expect_text err "unknown queue policy 'lottery', known: easy-backfill"
expect_text err 'faults needs repair'
expect_exit 2 "$ORRERY" check queue.yaml --set 'queue.jobs=[{name: a, gpus: 64, work: 1 s}]'
expect_text err "jobs 'a' need more nodes than the cluster has"
expect_exit 2 "$ORRERY" check queue.yaml --set 'queue.jobs=[{name: b, gpus: 8, work: 1 s}]'
expect_text err "no jobs are called 'a'"
expect_exit 2 "$ORRERY" check queue.yaml --set queue.per_day=10
expect_text err 'none has a share'
expect_exit 2 "$ORRERY" check queue.yaml --set model=gpt2-1.5b
expect_text err 'a scenario with queue: has no model:'
expect_exit 2 "$ORRERY" search queue.yaml
expect_exit 2 "$ORRERY" draw queue.yaml

# Twelve days of RSC-1 with a crash loop: 36 runs, and preemptions for most histories of it.
expect_exit 0 "$ORRERY" run "$ROOT/scenarios/failures/rsc-1-crash-loop.yaml" --set queue.replications=2 --json
awk -F ' : ' '
    /"name" : "loop"/ { inside = 1 }
    inside && /"runs"/ { runs = $2 + 0 }
    inside && /"secondary_preemptions_caused"/ { caused = $2 + 0 }
    END { exit !(runs == 36 && caused > 0) }' out || fail "the crash loop is not as it should be"
finish

#!/bin/bash
# Published rows of failures: at least 35 scenarios, 32 of them within their tolerance, the same count
# from the table of rows; campaigns without a plan; judgements that can go wrong; the record of incidents.
. "$(dirname "$0")/../support/cli.sh"

# The three traces lie outside of the repository and may be absent: then their rows are skipped.
expect_exit 0 "$ORRERY" validate "$ROOT/scenarios/failures" --json
expect_json
expect_silence err
rows=$(awk -F ' : ' '/"failures"/ { inside = 1 } inside && /"rows"/ { print $2 + 0 }' out)
within=$(awk -F ' : ' '/"failures"/ { inside = 1 } inside && /"rows_within"/ { print $2 + 0 }' out)
[ "${rows:-0}" -ge 35 ] || fail "$rows rows of failures"
[ "${within:-0}" -ge 32 ] || fail "$within rows of failures within"
expect_exit 0 "$ORRERY" validate "$ROOT/scenarios/failures" --only 'rsc_*'
expect_text out '^rsc_ettr_16k +ettr, every 60 min +0\.70 +0\.72[0-9]+ +\+-0\.03 +predicted$'
expect_text out '^rsc_mttf_measured +mttf, 8 GPUs +1145 h +3[0-9]+ h\* '
expect_text out '^within tolerance: 7 of 8 rows'
expect_text out 'rsc_crash_loop: preemptions'

# Closed forms, where they hold and how far off they are where they do not.
expect_exit 0 "$ORRERY" validate "$ROOT/scenarios/forms"
expect_text out '^within tolerance: 1 of 1 rows, 10 of 10 figures'

# By name of a table's rows: a scenario, a reason, or neither.
cat >rows.json <<'JSON'
{"units": "mixed", "rows": [
 {"id": "rsc_ettr_8k", "published": {"ettr": 0.9}, "tolerance": "0.02 abs"},
 {"id": "cpr", "published": {}, "tolerance": "0.5 points"},
 {"id": "nobody", "published": {}, "tolerance": "none"}]}
JSON
expect_exit 0 "$ORRERY" validate --rows rows.json
expect_text out '^rsc_ettr_8k +ettr +0\.90 +0\.90'
expect_text out '^within tolerance: 1 of 1 rows, 1 of 1 figures: predicted 1 of 1, assumed 0 of 0, input 0 of 0'
expect_text out '  cpr: nothing of the job is published'
expect_text out '  nobody: scenarios/failures has no scenario of that name'

# What is judged can miss: twice the failures are too many.
expect_exit 0 "$ORRERY" validate --rows rows.json --set campaign.faults.scale=3
expect_text out '^rsc_ettr_8k +ettr +0\.90 +0\.[78][0-9]+\* \+-0\.02'
expect_text out '^within tolerance: 0 of 1 rows'

cat >alone.yaml <<'YAML'
cluster: {node: dgx-a100-80gb, gpus: 1024}
campaign:
  duration: 10 d
  step_time: 10 s
  faults: {base: rsc-1, scale: 10}
  checkpoint: {interval: 10 min}
  recovery: {policy: restart, detection: 30 s, restart: 5 min}
expect:
  figures:
    - {figure: recovery, published: 330 s, tolerance: 1 s}
    - {figure: recovery, name: twice, published: 0.5, tolerance: 1 %, with: {campaign.recovery.restart: 2.25 min}, over: {}}
    - {figure: interruptions, of: "n?de", published: 83, tolerance: poisson}
    - {figure: lost, of: rework, at_most: 0.001}
  source: nobody
YAML
expect_exit 0 "$ORRERY" check alone.yaml
expect_exit 0 "$ORRERY" run alone.yaml --set campaign.recovery.safe=true --set expect.group=x
expect_text out '^alone: 1024 GPUs in 128 nodes'
expect_exit 0 "$ORRERY" run alone.yaml --out made
expect_text out '^Published +recovery 330 s, tolerance \+-1 s: here 3[0-9.]+ s, '
expect_text out 'recovery, twice 0.5, tolerance \+-1 %: here 0\.[45]'
expect_text out 'interruptions of n\?de 83, tolerance poisson: here 8[0-9.]+, within'
expect_text out 'lost of rework <= 0.001: here 0.0[0-9]+, outside'
head -n 1 made/incidents.csv | grep -q '^at_s,class,component,effect,node,nodes,detected_at_s,running_at_s,lost_s,' ||
    fail "$(head -n 1 made/incidents.csv)"
awk -F , 'NR > 1 && ($7 < $1 || $8 < $7 || $4 != "stop") { exit 1 } END { exit NR < 50 }' made/incidents.csv ||
    fail "incidents out of order: $(head -n 3 made/incidents.csv)"
grep -q '</svg>' made/incidents.svg || fail "no drawing"
expect_exit 0 "$ORRERY" run alone.yaml --json
expect_json
expect_exit 0 "$ORRERY" run alone.yaml --trace t.json
cmp made/trace-months.json t.json || fail "the two traces differ"
grep -q '"name":"training"' t.json || fail "nothing is trained in t.json"
expect_exit 2 "$ORRERY" run alone.yaml --set campaign.step_time=
expect_exit 2 "$ORRERY" search alone.yaml

# A figure of what the run has not is no figure.
sed -i 's/n?de/GPU/' alone.yaml
expect_exit 2 "$ORRERY" run alone.yaml
expect_text err 'the run has no figure interruptions of GPU'
mkdir folder && cp alone.yaml folder
expect_exit 0 "$ORRERY" validate folder
expect_text out '  alone: the run has no figure interruptions of GPU'

# A replay needs no cluster; one without its trace is skipped.
printf 'replay: ops.csv\nexpect:\n  figures:\n    - {figure: straggler_slowdown, published: 1, tolerance: 5 %%}\n' >folder/replay.yaml
expect_exit 0 "$ORRERY" validate folder --only replay
expect_text out '  replay: .*ops.csv'
finish

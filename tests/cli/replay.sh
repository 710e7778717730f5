#!/bin/bash
# `orrery replay`: a trace, packed or not, as text and as JSON; what-ifs in words; what is refused.
. "$(dirname "$0")/../support/cli.sh"

# One worker of two steps: 10 + 20 us, then 14 + 24; the mean is the ideal.
cat >ops.csv <<'END'
step,dp,pp,op,mb,start_us,dur_us
1,0,0,forward-compute,0,0,10
1,0,0,backward-compute,0,10,20
2,0,0,forward-compute,0,100,14
2,0,0,backward-compute,0,115,24
END
gzip -k ops.csv

expect_exit 0 "$ORRERY" replay ops.csv
expect_text out '^ops.csv: 2 steps of 1 x 1 workers \(dp x pp\), 4 operations$'
expect_text out '^step, mean +34\.500 us measured, 34\.500 us replayed \(\+0\.00 %\), 34\.000 us without'
expect_text out '^no stragglers +34\.000 us: slowdown 1\.000, 0\.0 % of the time is lost$'
expect_text out '^  worker=0/0 +34\.000 us +1\.000'
expect_text out '^  backward-compute +1\.000'
expect_silence err
mv out plain
expect_exit 0 "$ORRERY" replay ops.csv.gz
[ "$(tail -n +2 plain)" = "$(tail -n +2 out)" ] || fail 'a packed trace reads unlike a plain one'

expect_exit 0 "$ORRERY" replay ops.csv.gz --what-if worker=0/0,op=optimizer -w balance --json
expect_json
expect_text out '"what_if" : "worker=0/0,op=optimizer"'
expect_text out '"what_if" : "balance"'
! grep -q by_worker out || fail 'causes are answered unasked'
expect_exit 0 "$ORRERY" replay ops.csv --json
expect_json
[ "$(json_value steps)" = 2 ] || fail "steps: $(json_value steps)"
expect_text out '"by_operation"'

expect_exit 2 "$ORRERY" replay
expect_text err 'needs one trace'
expect_exit 2 "$ORRERY" replay ops.csv ops.csv
expect_exit 2 "$ORRERY" replay missing.csv
expect_text err 'missing.csv: cannot be read: no such file'
expect_exit 2 "$ORRERY" replay ops.csv -w computer
expect_text err "unknown what-if 'computer', did you mean 'compute'"
for term in worker=0 worker=1/0 worker=0/1 worker=x/0 dp=1 stage=-1 stage=; do
    expect_exit 2 "$ORRERY" replay ops.csv -w "$term"
    expect_text err "what-if '$term': a number from 0 to 0 is due"
done
expect_exit 2 "$ORRERY" replay ops.csv -w op=optimiser
expect_text err "did you mean 'optimizer'"
expect_exit 2 "$ORRERY" replay ops.csv -w ''
sed 's/forward-compute,0,100/forward-compute,0,ten/' ops.csv >bad.csv
expect_exit 2 "$ORRERY" replay bad.csv
expect_text err '^(orrery: )?bad.csv:4: start_us must be a number'
finish

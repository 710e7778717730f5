#!/bin/bash
# `orrery calibrate`: this CPU in, a device out that a scenario can name; bad requests are refused.
. "$(dirname "$0")/../support/cli.sh"

expect_exit 2 "$ORRERY" calibrate --no-such-flag
expect_text err 'no-such-flag'
expect_exit 2 "$ORRERY" calibrate surplus
expect_text err "unexpected argument 'surplus'"
expect_exit 2 "$ORRERY" calibrate --quick --thorough
expect_text err 'not both'
expect_exit 2 "$ORRERY" calibrate --threads 0
expect_text err '--threads takes 1 or more'
expect_exit 2 "$ORRERY" calibrate --threads many
expect_exit 2 "$ORRERY" calibrate --threads 4096
expect_text err '4096 threads: this process may use 1 to [0-9]+ CPUs'
expect_exit 2 "$ORRERY" calibrate --seconds nan
expect_exit 2 "$ORRERY" calibrate --out no/such/folder/cpu.yaml
expect_text err "'no/such/folder/cpu\.yaml' cannot be written: No such file"
expect_exit 2 "$ORRERY" calibrate --out .
expect_text err 'cannot be written'
expect_silence out

"$ORRERY" calibrate --seconds 2 --out cpu.yaml >out 2>err </dev/null
status=$?
if grep -q 'no OpenBLAS' err; then
    [ $status = 2 ] && grep -q 'install libopenblas-dev' err || fail "without OpenBLAS:" "$(cat err)"
    finish
fi
[ $status = 0 ] || fail "exit $status:" "$(cat out err)"
expect_silence err # no bar where there is no terminal
expect_text out '^cpu\.yaml: products [0-9.]+ GFLOP/s in fp32 on 1 thread$'
expect_text out '^fit errors: weights median [0-9.]+ %'
expect_text out '^the machine was calm for [0-9]+ % of the time'
expect_text cpu.yaml '^schema: 1$'
expect_text cpu.yaml '^  library: "OpenBLAS'
expect_text cpu.yaml '^  date: 20[0-9]{2}-[0-9]{2}-[0-9]{2}$'
expect_text cpu.yaml '^          median_error: [0-9.]+$'
! grep -qiE '\b(nan|inf)\b' cpu.yaml || fail "a figure is no number:" "$(cat cpu.yaml)"

# A scenario names the device; its step takes longer than its products could at the peak.
cat >tiny.yaml <<'YAML'
devices: cpu.yaml
model: gpt2-124m
cluster: {node: host-cpu, gpus: 1}
plan: {precision: fp32, attention: unfused, sequence_length: 256, micro_batch: 1, global_batch: 1}
YAML
expect_exit 0 "$ORRERY" check tiny.yaml
expect_text out '^tiny\.yaml: ok$'
expect_exit 0 "$ORRERY" run tiny.yaml
expect_text out '1 x host-cpu'
expect_text out 'softmax|attention core'
mfu=$(sed -nE 's/^MFU +([0-9.]+) .*/\1/p' out)
awk -v mfu="$mfu" 'BEGIN { exit !(mfu > 20 && mfu < 100) }' || fail "MFU of $mfu %:" "$(cat out)"
expect_exit 0 "$ORRERY" run tiny.yaml --set plan.attention=flash

# The folder of the scenario counts, not that of the caller.
mkdir elsewhere
(cd elsewhere && "$ORRERY" check ../tiny.yaml >/dev/null 2>&1) || fail "devices: is not relative"

# Faults of the file are told where they are.
sed 's/devices: cpu/devices: gpu/' tiny.yaml >missing.yaml
expect_exit 2 "$ORRERY" check missing.yaml
expect_text err 'gpu\.yaml'
sed '/^ *rate:/d' cpu.yaml >short.yaml
sed 's/devices: cpu/devices: short/' tiny.yaml >tiny2.yaml
expect_exit 2 "$ORRERY" check tiny2.yaml
expect_text err "short\.yaml:[0-9]+:[0-9]+: .*missing key 'rate'"
sed -E 's/(levels: \[)[^,]*, /\1/' cpu.yaml >five.yaml
sed 's/devices: cpu/devices: five/' tiny.yaml >tiny3.yaml
expect_exit 2 "$ORRERY" check tiny3.yaml
expect_text err 'a list of 6 growing sizes'
{ cat cpu.yaml && echo 'planets: {}'; } >more.yaml
sed 's/devices: cpu/devices: more/' tiny.yaml >tiny4.yaml
expect_exit 2 "$ORRERY" check tiny4.yaml
expect_text err "unknown key 'planets'"
finish

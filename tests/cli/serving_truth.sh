#!/bin/bash
# Two measured runs of vLLM 0.19 replayed with the engine's own kernel profile (scenarios/serving/
# vllm-0.19-*.yaml): mean TPOT and end-to-end latency within 1.5 %, mean TTFT within 4 %, 99 %
# quantiles within 5 %, and the curves drawn over the measured ones. Skipped where the runs are absent.
. "$(dirname "$0")/../support/cli.sh"
truth=$ROOT/../shared/serving_truth
[ -r "$truth/rtx4090_llama-3.1-8b/requests.jsonl" ] || exit 77

# expect_error FIGURE LIMIT: the published FIGURE is met within LIMIT percent.
expect_error() {
    tr '\n' ' ' <out | awk -v figure="$1" -v limit="$2" '{
        gsub(/ +/, " ")
        at = match($0, "[ ,]" figure " [0-9.e+]+ ms \\(here [0-9.e+]+, [-+][0-9.]+ %")
        text = substr($0, at, RLENGTH); sub(/.*, /, "", text); error = text + 0
        exit !at || error > limit || error < -limit }' ||
        fail "$1 is not met within $2 %:" "$(grep -A3 Published out)"
}

for run in rtx4090:rtx4090_llama-3.1-8b rtxpro6000:rtxpro6000_qwen3-32b; do
    cp "$ROOT/scenarios/serving/vllm-0.19-${run%:*}.yaml" .
    ln -s "$truth/${run#*:}" .
    expect_exit 0 "$ORRERY" run "vllm-0.19-${run%:*}.yaml" --out drawn
    expect_error ttft 4
    expect_error tpot 1.5
    expect_error e2e 1.5
    expect_error ttft_p99 5
    expect_error tpot_p99 5
    expect_error e2e_p99 5
    expect_text out '^Curves +Running off by [0-2]\.'
    grep -q '>measured<' drawn/curves.svg || fail "no measured curves are drawn"
done
finish

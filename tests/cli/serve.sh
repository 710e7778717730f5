#!/bin/bash
# `orrery run` on a scenario that serves: the answer, JSON with the same figures, files, --exact,
# objectives, what does not fit, and scenarios that are wrong.
. "$(dirname "$0")/../support/cli.sh"

scenario=$ROOT/tests/golden/serve_small.yaml
expect_exit 0 "$ORRERY" run "$scenario"
expect_text out '^TTFT +[0-9.]+ ms'
expect_text out '^TPOT .*\(E2E - TTFT\) / \(output - 1\)$'
expect_text out '^Cost +\$[0-9.]+ a million input tokens'
expect_text out '^Saturation '
expect_silence err
[ "$(wc -l <out)" -le 50 ] || fail "the report is $(wc -l <out) lines long"
[ "$(wc -L <out)" -le 100 ] || fail "the report is $(wc -L <out) columns wide"

# JSON: the ledger sums to GPUs x the run, requests are all there, twice the same bytes.
expect_exit 0 "$ORRERY" run "$scenario" --json
expect_json
[ "$(json_value schema)" = 1 ] || fail "schema is $(json_value schema)"
[ "$(json_value fits)" = true ] || fail "fits is $(json_value fits)"
[ "$(json_value requests)" = 200 ] || fail "$(json_value requests) requests"
[ "$(json_value finished)" = 200 ] || fail "$(json_value finished) finished"
[ "$(json_value measured)" = 190 ] || fail "$(json_value measured) measured after a warm-up of 10"
awk -F ' : ' '
    /"gpus"/ { gpus = $2 + 0 }
    /"duration_s"/ { end = $2 + 0 }
    /"ledger_gpu_s"/ { inside = 1; next }
    inside && /}/ { inside = 0 }
    inside { sum += $2 }
    END { error = sum / (gpus * end) - 1; exit !(error < 1e-6 && error > -1e-6) }' out ||
    fail "the ledger does not sum to GPUs x the run"
# The parts of the price sum to the whole.
awk -F ' : ' '
    /"input_tokens"/ { input = $2 + 0 } /"cached_tokens"/ { cached = $2 + 0 }
    /"output_tokens"/ { output = $2 + 0 } /"usd_total"/ { total = $2 + 0 }
    /"usd_per_million_input_tokens"/ { i = $2 + 0 } /"usd_per_million_cached_tokens"/ { c = $2 + 0 }
    /"usd_per_million_output_tokens"/ { o = $2 + 0 }
    END {
        sum = (i * (input - cached) + c * cached + o * output) / 1e6
        exit !(total > 0 && sum / total < 1.000001 && sum / total > 0.999999)
    }' out || fail "what tokens cost does not sum to the total"
tokens=$(json_value output_tokens)
cp out first
expect_exit 0 "$ORRERY" run "$scenario" --json
cmp first out || fail "two runs differ"

# Iteration by iteration: the same tokens.
expect_exit 0 "$ORRERY" run "$scenario" --json --exact
[ "$(json_value output_tokens)" = "$tokens" ] || fail "--exact changed the tokens"
mean=$(json_value mean) && was=$(grep -m 1 '"mean"' first | sed 's/.*: //; s/,//')
awk -v a="$mean" -v b="$was" 'BEGIN { exit !(a / b - 1 < 1e-4 && b / a - 1 < 1e-4) }' ||
    fail "--exact moved the mean TTFT from $was to $mean"

# Files.
expect_exit 0 "$ORRERY" run "$scenario" --out run
for file in report.txt result.json requests.csv timeseries.csv; do
    [ -s run/$file ] || fail "no $file"
done
[ "$(wc -l <run/requests.csv)" = 201 ] || fail "$(wc -l <run/requests.csv) lines of requests"
awk -F , 'NR > 1 && ($7 + 0 > $8 + 0 || $6 + 0 > $7 + 0) { bad = 1 } END { exit bad }' \
    run/requests.csv || fail "a request ends before it begins"
expect_exit 0 "$ORRERY" run "$scenario" --trace trace.json
cmp run/trace.json trace.json || fail "the two traces differ"
grep -q '"name":"queue"' trace.json || fail "no request in trace.json"

# An objective that is missed, and a model that does not fit.
expect_exit 1 "$ORRERY" run "$scenario" --set 'serve.slo.tpot=1 ms'
expect_text out 'MISSED'
sed '/blocks:/d; /engine_profile:/d' "$scenario" >large.yaml
expect_exit 1 "$ORRERY" run large.yaml --set model=llama-3.1-405b
expect_text out 'does not fit'
expect_exit 1 "$ORRERY" run large.yaml --set model=llama-3.1-405b --json
[ "$(json_value fits)" = false ] || fail "405B parameters fit on an H100"

# A trace in the place of generated traffic: failed requests are left out, and the report says so.
printf '%s\n' 'Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type' '5,ChatGPT,47,18,65,API log' \
    '6,ChatGPT,48,0,48,API log' '7,GPT-4,41,27,68,API log' >burst.csv
expect_exit 0 "$ORRERY" run "$scenario" --set "traffic={trace: $PWD/burst.csv}" --set serve.warm_up=0
expect_text out '2 finished, 0 refused, 0 unfinished'
expect_text out '1 rows of the trace without tokens are left out'

# Several answers to a prompt: they share it, and the closed forms change nothing.
expect_exit 0 "$ORRERY" run "$scenario" --set serve.engine=vllm-v0 --set traffic.samples=3
expect_text out '^Answers +600 to 200 requests; shared blocks saved [0-9.]+ %'
expect_exit 0 "$ORRERY" run "$scenario" --set serve.engine=vllm-v0 --set traffic.beam_width=3 --json
[ "$(json_value answers)" = 600 ] || fail "$(json_value answers) answers of 3 beams to 200 requests"
shared=$(json_value shared_fraction)
end=$(json_value duration_s)
expect_exit 0 "$ORRERY" run "$scenario" --set serve.engine=vllm-v0 --set traffic.beam_width=3 --json --exact
[ "$(json_value duration_s)" = "$end" ] || fail "--exact changed the end of beams"
awk -v a="$shared" -v b="$(json_value shared_fraction)" 'BEGIN { exit !(a > 0.3 && a - b < 0.01 && b - a < 0.01) }' ||
    fail "$shared of the cache is saved, $(json_value shared_fraction) with --exact"
expect_exit 2 "$ORRERY" run "$scenario" --set traffic.beam_width=3
expect_text err 'scheduler vllm-v1 runs no beam search'
printf '%s\n' 'arrival_s,input_tokens,output_tokens,samples' '0,100,9,4' '0,100,9,' >forks.csv
expect_exit 0 "$ORRERY" run "$scenario" --set "traffic={trace: $PWD/forks.csv}" --set serve.warm_up=0
expect_text out '^Answers +5 to 2 requests'
expect_exit 2 "$ORRERY" run "$scenario" --set "traffic={trace: $PWD/forks.csv}" --set serve.engine=sglang
expect_text err 'scheduler sglang runs no requests with several samples'

# Triton's preferred sizes: of two that wait one goes at once, and the other a second later.
printf '%s\n' 'arrival_s,input_tokens,output_tokens' '0,100,9' '0,100,9' >pair.csv
for size in 1 2; do
    expect_exit 0 "$ORRERY" run "$scenario" --set "traffic={trace: $PWD/pair.csv}" --set serve.warm_up=0 --json --out pair \
        --set "serve.engine={base: triton-dynamic, max_queue_delay: 1 s, preferred_sequences: [$size]}" \
        --set serve.replicas=1 --set cluster.gpus=1
    cp pair/requests.csv "pair_$size.csv"
done
cmp -s pair_1.csv pair_2.csv && fail 'preferred_sequences changes nothing'
expect_exit 2 "$ORRERY" run "$scenario" --set 'serve.engine={base: triton-dynamic, preferred_sequences: [4, 0]}'
expect_text err "'preferred_sequences' must be a list of 1 to 8 whole numbers"
expect_exit 2 "$ORRERY" run "$scenario" --set 'serve.engine={base: triton-dynamic, preferred_sequences: [4, 999999]}'
expect_text err 'a preferred size of 999999 is more than max_sequences'

# Faults, each at its place.
cp -r "$ROOT/tests/golden/serve_profile" .
expect_wrong() {
    expect_exit 2 "$ORRERY" check wrong.yaml
    expect_text err "$1"
}
{ cat "$scenario" && echo 'plan: {global_batch: 8}'; } >wrong.yaml
expect_wrong '^wrong\.yaml:6:1: a scenario trains \(plan:\) or serves'
sed '/^traffic:/,/^  output/d' "$scenario" >wrong.yaml
expect_wrong '^wrong\.yaml:6:1: serve: \(how\) and traffic: \(what\) go together'
sed '/^serve:/,/^  slo/d' "$scenario" >wrong.yaml
expect_wrong 'traffic: \(what\) go together'
sed 's/vllm-v1/vllm-v2/' "$scenario" >wrong.yaml
expect_wrong "^wrong\.yaml:7:18: unknown serving engine 'vllm-v2', did you mean 'vllm-v1'"
sed 's/tensor: 1/tensor: 3/' "$scenario" >wrong.yaml
expect_wrong '^wrong\.yaml:8:3: tensor 3 does not divide the model.s 32 heads'
sed 's/replicas: 2/replicas: 3/' "$scenario" >wrong.yaml
expect_wrong '^wrong\.yaml:9:3: 3 replicas of 1 GPUs are 3, but there are 2'
sed 's/tensor: 1/router: by-hand/' "$scenario" >wrong.yaml
expect_wrong "^wrong\.yaml:8:3: unknown router 'by-hand'"
sed 's/tensor: 1/weights: nvfp4/' "$scenario" >wrong.yaml
expect_wrong '^wrong\.yaml:8:3: weights nvfp4 need matrix units that GPU h100-sxm does not have'
sed 's/tensor: 1/speculation: {tokens: 3}/' "$scenario" >wrong.yaml
expect_wrong 'speculation needs acceptance, or a list by_position'
sed 's/tensor: 1/expert: 2/' "$scenario" >wrong.yaml
expect_wrong 'expert 2: the model has no experts'
sed 's/tensor: 1/offload: {weights: {host: 0.7, disk: 0.4}}/' "$scenario" >wrong.yaml
expect_wrong 'host 0\.7 and disk 0\.4 are more than all of it'
expect_wrong 'the node needs disk, disk_read and disk_write'
sed 's/tensor: 1/offload: {cache: {host: 1}, host_attention: true}/' "$scenario" >wrong.yaml
expect_wrong 'the node says no host_attention_bandwidth'
sed 's/tensor: 1/offload: {host_attention: true}/' "$scenario" >wrong.yaml
expect_wrong 'over what of the cache is not on the GPU, which is nothing'
sed 's/tensor: 1/two_batch_overlap: true\n  offload: {gpu_batches: 4}/' "$scenario" >wrong.yaml
expect_wrong 'two_batch_overlap cuts the batch in two'
sed 's/gpu_hour: /purchase: /; s/\$2\.50\/h/$30000/' "$scenario" >wrong.yaml
expect_wrong 'purchase needs years'
sed 's/\$2\.50\/h/2.50/' "$scenario" >wrong.yaml
expect_wrong "'gpu_hour': '2.50' has no unit"
finish

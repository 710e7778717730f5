#!/bin/bash
# `orrery validate --rows` on rows of serving: what can be expressed is predicted, the rest is listed
# with its reason, and what is written is a scenario with the same figures.
. "$(dirname "$0")/../support/cli.sh"

cat >rows.json <<'JSON'
[{"id": "team/stream", "source": "a post", "kind": "single_stream", "gpu_count": 1, "tp": 1,
  "input_len": 8, "output_len": 64, "batch_size": 1, "engine": "gpt-fast",
  "results": [{"metric": "decode_tokens_per_s", "value": 100, "unit": "tok/s/user"},
              {"metric": "achieved_weight_bandwidth", "value": 1, "unit": "GB/s"}],
  "setup": {"gpu": "h100-sxm", "model": "llama-3.1-8b", "weights": "bf16", "kv": "bf16",
            "engine": null, "arrival": "single-stream"}},
 {"id": "team/loop", "source": "a post", "kind": "closed_loop_serving", "gpu_count": 4, "tp": 2,
  "replicas": 2, "input_len": 512, "output_len": 64, "concurrency": 8, "num_requests": 40,
  "input_len_dist": "uniform [0.8L, L]", "engine": "vLLM", "engine_version": "0.10",
  "results": [{"metric": "ttft", "value": 50, "unit": "ms"},
              {"metric": "tpot", "value": 0.01, "unit": "s"},
              {"metric": "output_throughput", "value": 100, "unit": "tok/s/GPU"}],
  "setup": {"gpu": "h100-sxm", "model": "llama-3.1-8b", "weights": "fp8", "kv": null,
            "engine": "vllm-v1", "arrival": "closed-loop"}},
 {"id": "team/offload", "source": "a post", "kind": "offload_batch", "gpu_count": 1,
  "input_len": 512, "output_len": 32, "batch_size": 256, "engine": "FlexGen",
  "results": [{"metric": "generation_throughput", "value": 0.69, "unit": "tok/s"}],
  "setup": {"gpu": "t4", "model": "opt-175b", "weights": "fp16", "kv": "fp16",
            "engine": "flexgen", "arrival": "static-batch"}},
 {"id": "price/x", "source": "a list", "kind": "price",
  "results": [{"metric": "price", "value": 2, "unit": "USD/h"}],
  "setup": {"gpu": null, "model": null}},
 {"id": "team/none", "source": "a post", "kind": "static_batch", "gpu_count": 1, "input_len": 8,
  "results": [{"metric": "mood", "value": 1}],
  "setup": {"gpu": "h100-sxm", "model": "llama-3.1-8b", "weights": "bf16",
            "engine": "vllm-v1", "arrival": "static-batch"}},
 {"id": "team/wrong", "source": "a post", "kind": "static_batch", "gpu_count": "many",
  "input_len": 8, "results": [{"metric": "ttft", "value": 1, "unit": "ms"}],
  "setup": {"gpu": "h100-sxm", "model": "llama-3.1-8b"}},
 {"id": "team/list", "source": "a post", "results": [], "setup": 7}]
JSON

expect_exit 0 "$ORRERY" validate --rows rows.json --write made
expect_text out '^team/stream +tokens_per_s_per_user, tok/s +[0-9.]+ +100 '
expect_text out '^team/loop +ttft, ms +[0-9.]+ +50 '
expect_text out '^team/loop +tpot, ms +[0-9.]+ +10 '
expect_text out '^team/loop +output_tokens_per_s_per_gpu, tok/s/GPU +[0-9.]+ +100 '
expect_text out '^team/offload +output_tokens_per_s, tok/s +0\.[67][0-9]* +0\.69 '
expect_text out '  team/stream, achieved_weight_bandwidth: follows from another figure'
expect_text out '  price/x: is a price, not a run'
expect_text out '  team/none, mood: no such figure|  team/none: none of its figures'
expect_text out "  team/wrong: 'gpu_count' must be a whole number"
expect_text out "  team/list: 'setup' must be an object"
expect_text out '^team +tpot +1 '
expect_text out '^all +all +5 '

expect_exit 0 "$ORRERY" validate --rows rows.json --verbose
expect_text out 'not said by the source: KV cache in bf16'
expect_text out 'not said by the source: offload \{weights: \{host: 0\.5, disk: 0\.5\}'

# The same as JSON, and from the scenarios that were written.
expect_exit 0 "$ORRERY" validate --rows rows.json --json
expect_json
grep -q '"metric" : "tpot"' out || fail "no tpot in JSON"
grep -q '"unit" : "ms"' out || fail "no unit in JSON"
expect_text out '"serving" : \{'
predicted=$(grep '"predicted"' out | sort)
ls made >names
printf 'team_loop.yaml\nteam_offload.yaml\nteam_stream.yaml\n' | cmp - names || fail "wrote $(cat names)"
expect_exit 0 "$ORRERY" check made/team_loop.yaml
expect_exit 0 "$ORRERY" validate made --json
[ "$(grep '"predicted"' out | sort)" = "$predicted" ] || fail "the written scenarios differ"
expect_exit 0 "$ORRERY" run made/team_loop.yaml
expect_text out '^Published +ttft 50 ms \(here '
finish

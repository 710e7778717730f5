#!/bin/bash
# `orrery import`: what other software writes becomes scenarios that hold, run, and say what the other
# said; what is not modelled is said, and a fault has its line and column.
. "$(dirname "$0")/../support/cli.sh"

# import_runs ARGUMENT...: imports to imported.yaml, which checks and runs (or does not fit).
import_runs() {
    rm -f imported.yaml
    expect_exit 0 "$ORRERY" import -o imported.yaml "$@"
    expect_exit 0 "$ORRERY" check imported.yaml
    "$ORRERY" run imported.yaml --json >out 2>err
    [ $? -le 1 ] || fail "imported.yaml does not run:" "$(cat err)"
}

# The 175B of Korthikanti et al. 2022, Table 5: the same step as the scenario that is shipped.
"$ORRERY" run "$ROOT/scenarios/quickstart.yaml" --json >out && step=$(json_value step_time_s)
cat >175b.sh <<'END'
GPUS_PER_NODE=8
DIST=(--nproc_per_node $GPUS_PER_NODE --nnodes ${NODES:-8} --master_addr localhost)
MODEL=(
    --num-layers 96 --hidden-size 12288    # GPT-3
    --num-attention-heads 96 --seq-length 2048 --max-position-embeddings 2048
)
TRAIN="--micro-batch-size 1 \
    --global-batch-size 64 --fp16 --train-iters 10"
PARALLEL=(--tensor-model-parallel-size 8 --pipeline-model-parallel-size 8)
PARALLEL+=("--num-layers-per-virtual-pipeline-stage 4" --sequence-parallel --recompute-activations
    --no-overlap-p2p-communication)
torchrun "${DIST[@]}" pretrain_gpt.py ${MODEL[@]} $TRAIN \
    ${PARALLEL[@]} --vocab-size 50257 --transformer-impl local
END
import_runs megatron 175b.sh --node dgx-a100-80gb --base megatron-lm-2022
[ -n "$step" ] && [ "$(json_value step_time_s)" = "$step" ] || fail "not the step of quickstart, $step"

# Without flags of their own the same arguments stand alone, and may be laid over a script.
line='--num-layers 2 --hidden-size 256 --num-attention-heads 4 --micro-batch-size 1 --seq-length 128'
import_runs megatron --gpus 2 -- $line --vocab-size 1000 --bf16
import_runs megatron 175b.sh --var NODES=16 --node dgx-a100-80gb -- --global-batch-size 128
grep -q 'gpus: 128' imported.yaml && grep -q 'global_batch: 128' imported.yaml || fail "$(cat imported.yaml)"

# Megatron-LM examples/llama/train_llama3_8b_h100_fp8.sh: choices, arrays of arrays, flags in quotes.
cat >llama3.sh <<'END'
DATA=${1:-"MOCK"}
TP_SIZE=1
DTYPE="fp8"
DDP=(--use-distributed-optimizer --overlap-grad-reduce --overlap-param-gather)
ARGS=(--num-layers 32 --hidden-size 4096 --ffn-hidden-size 14336 --num-attention-heads 32
    --group-query-attention --num-query-groups 8 --kv-channels 128 --seq-length 8192
    --position-embedding-type rope --attention-dropout 0.0 --hidden-dropout 0.0 --swiglu --normalization RMSNorm
    --attention-backend fused --untie-embeddings-and-output-weights --disable-bias-linear
    --micro-batch-size 1 --global-batch-size 128 --bf16 --grad-reduce-in-bf16)
ARGS+=("${DDP[@]}")
DTYPE_ARGS=()
if [[ "$DTYPE" == "fp8" ]]; then
    DTYPE_ARGS+=("--fp8-format hybrid" "--fp8-param-gather")
fi
if [[ "$DATA" == "MOCK" ]] || [[ -z "$DATA" ]]; then
    DATA_ARGS=("--mock-data" "--vocab-size 128256" "--split '99,1,0'")
else
    DATA_ARGS=("--data-path $DATA" "--vocab-size 1")
fi
if [ ! -f pretrain_gpt.py ]; then
    exit 1
fi
torchrun --nproc_per_node 8 --nnodes 1 pretrain_gpt.py ${ARGS[@]} ${DTYPE_ARGS[@]} ${DATA_ARGS[@]} \
    --tensor-model-parallel-size $TP_SIZE --sequence-parallel --new-flag 3 --mtp-num-layers 1
END
import_runs megatron llama3.sh --node dgx-h100
for want in 'kv_heads: 8' 'vocab: 128256' 'precision: fp8' 'gradients: bf16' 'zero_stage: 1' 'dropout: false' \
    'recipe: fp8-delayed, parameters: true' 'overlap: {data: true' 'norm: rmsnorm' \
    '--new-flag is not known' '--mtp-num-layers: modules' 'llama3.sh:20: whether this condition'; do
    grep -qF -- "$want" imported.yaml || fail "no '$want':" "$(cat imported.yaml)"
done
"$ORRERY" import megatron llama3.sh | grep -q 'split' && fail "--split has no part in a step"

# Mixtral 8x7B and DeepSeek-V2-Lite: experts, latent attention, lists of layers.
import_runs megatron --gpus 64 -- --num-layers 32 --hidden-size 4096 --ffn-hidden-size 14336 \
    --num-attention-heads 32 --group-query-attention --num-query-groups 8 --swiglu --disable-bias-linear \
    --position-embedding-type rope --normalization RMSNorm --untie-embeddings-and-output-weights \
    --num-experts 8 --moe-router-topk 2 --moe-grouped-gemm --moe-token-dispatcher-type alltoall \
    --expert-model-parallel-size 8 --pipeline-model-parallel-size 4 --num-layers-per-virtual-pipeline-stage 8 \
    --seq-length 4096 --micro-batch-size 1 --global-batch-size 256 --bf16 --vocab-size 32000 \
    --use-distributed-optimizer --overlap-grad-reduce --overlap-param-gather --use-flash-attn
for want in 'experts: 8' 'expert_ffn: 14336' 'expert: 8' 'expert_tensor: 1'; do
    grep -qF "  $want" imported.yaml || fail "no '$want':" "$(cat imported.yaml)"
done
import_runs megatron --gpus 8 -- --num-layers 27 --hidden-size 2048 --ffn-hidden-size 10944 \
    --num-attention-heads 16 --multi-latent-attention --kv-lora-rank 512 --qk-head-dim 128 --v-head-dim 128 \
    --qk-pos-emb-head-dim 64 --swiglu --disable-bias-linear --normalization RMSNorm --num-experts 64 \
    --moe-layer-freq '([0]+[1]*26)' --moe-ffn-hidden-size 1408 --moe-router-topk 6 \
    --moe-shared-expert-intermediate-size 2816 --expert-model-parallel-size 8 --seq-length 1024 \
    --position-embedding-type rope --untie-embeddings-and-output-weights --micro-batch-size 1 \
    --global-batch-size 64 --bf16 --vocab-size 102400 --make-vocab-size-divisible-by 3200
grep -q 'dense_layers: 1' imported.yaml && grep -q 'shared_experts: 2' imported.yaml || fail "$(cat imported.yaml)"
import_runs megatron --gpus 16 -- $line --num-layers 14 --pipeline-model-parallel-size 4 --vocab-size 1000 \
    --decoder-first-pipeline-num-layers 3 --decoder-last-pipeline-num-layers 3 --global-batch-size 64
grep -q 'stage_layers: 3 4\*2 3' imported.yaml || fail "$(cat imported.yaml)"
import_runs megatron --gpus 4 -- $line --num-layers 8 --pipeline-model-parallel-size 2 --vocab-size 1000 \
    --pipeline-model-parallel-layout 'Et*2|(tt|)*2ttL' --global-batch-size 64
grep -q 'stage_layers: 2 2 2 2$' imported.yaml && grep -q 'virtual_stages: 2' imported.yaml || fail "$(cat imported.yaml)"

# Faults have a place and what is accepted.
printf 'N=$LAYERS\ntorchrun --nproc_per_node 8 pretrain_gpt.py --num-layers $N \\\n  --hidden-size x\n' >wrong.sh
expect_exit 2 "$ORRERY" import megatron wrong.sh
expect_text err '^wrong\.sh:2:[0-9]+: --num-layers: needs a value; not set in the script: LAYERS \(--var'
expect_exit 2 "$ORRERY" import megatron wrong.sh --var LAYERS=4
expect_text err "^wrong\.sh:3:3: --hidden-size: a whole number from 1 to 2\^31 expected, not 'x'"
printf 'A=("x\n' >open.sh
expect_exit 2 "$ORRERY" import megatron open.sh
expect_text err '^open\.sh:1:.*does not end'
expect_exit 2 "$ORRERY" import megatron --gpus 8 -- $line --vocab-size 9 --tensor-model-parallel-size 3
expect_text err '8 GPUs are no multiple of tensor 3'
expect_exit 2 "$ORRERY" import megatron --gpus 8 -- $line --vocab-size 9 --num-experts 4 --moe-layer-freq 2
expect_text err 'alternate between dense and experts'
expect_exit 2 "$ORRERY" import megatron --gpus 8 -- $line --vocab-size 9 --fp8-format e4m3 --fp8-recipe foo
expect_text err "'foo' is not known; known: delayed, tensorwise, blockwise, mxfp8"

# Hugging Face: dense and experts; the same model as hugging_face: reads.
cat >config.json <<'END'
{"model_type": "llama", "num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32, "torch_dtype": "bfloat16",
 "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256, "max_position_embeddings": 8192}
END
import_runs hugging-face config.json --node dgx-h100
grep -q '^# 8030261248 parameters' imported.yaml || fail "$(head -3 imported.yaml)"
step=$(json_value step_time_s)
sed '/^model:/,/^cluster:/{/^cluster:/!d}' imported.yaml | sed '1imodel: {hugging_face: config.json}' >named.yaml
"$ORRERY" run named.yaml --json >out 2>err || fail "$(cat err)"
[ "$(json_value step_time_s)" = "$step" ] || fail "hugging_face: gives another step than the import"
sed -i 's/"llama"/"lama"/' config.json
expect_exit 2 "$ORRERY" import hugging-face config.json
expect_text err "^config\.json:1:16: unknown model_type 'lama', did you mean 'llama'"
echo '{"model_type": "mixtral", "num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32, "vocab_size": 32000,
"num_key_value_heads": 8, "intermediate_size": 14336, "num_local_experts": 8, "num_experts_per_tok": 2}' >moe.json
import_runs hugging-face moe.json --node dgx-h100 --gpus 64

# Vidur: twice the times of the four products of a layer take 32 layers x 0.512 ms longer to prefill 512 tokens.
mlp() {
    echo ',time_stats.attn_pre_proj.median,time_stats.attn_post_proj.median,time_stats.mlp_up_proj.median,time_stats.mlp_down_proj.median,n_head,n_kv_head,n_embd,n_expanded_embd,vocab_size,use_gated_mlp,num_tokens,num_tensor_parallel_workers'
    for n in 256 512 1024; do
        awk -v n=$n -v f="$1" 'BEGIN { printf "0,%g,%g,%g,%g,32,8,4096,14336,128256,True,%d,1\n",
            f * n * 1e-4, f * n * 2e-4, f * n * 3e-4, f * n * 4e-4, n }'
    done
}
mlp 1 >mlp.csv && mlp 2 >slow.csv
printf 'arrived_at,num_prefill_tokens,num_decode_tokens\n0,512,1\n10,512,1\n' >trace.csv
ttft() { sed -n '/"ttft_s"/,/}/s/.*"mean" : \(.*\),/\1/p' out; }
for file in mlp slow; do
    import_runs vidur $file.csv trace.csv --model llama-3.1-8b --node dgx-a100-80gb
    ttft >$file.ttft
done
awk -v a="$(cat mlp.ttft)" -v b="$(cat slow.ttft)" 'BEGIN { d = b - a - 32 * 512 * 10e-7; exit !(d < 1e-6 && d > -1e-6) }' ||
    fail "TTFT $(cat mlp.ttft) and $(cat slow.ttft) s are not 16.384 ms apart"
head=',time_stats.%s.median,rank,num_workers,size,collective,devices_per_node,max_devices_per_node\n'
{ printf "$head" all_reduce; for k in 10 14 18 22 26 30; do for n in 2 4 8; do
    awk -v k=$k -v n=$n 'BEGIN { printf "0,%g,0,%d,%d,all_reduce,%d,8\n", 0.02 + 2 ^ k / 2e8, n, 2 ^ k, n }'; done; done; } >all_reduce.csv
{ printf "$head" send_recv; echo '0,0.02,0,2,2048,send_recv,1,8'; } >send_recv.csv
expect_exit 0 "$ORRERY" import vidur all_reduce.csv send_recv.csv
expect_text out 'all_reduce\.csv: 18 collectives'
expect_text out 'send_recv\.csv: sends between GPUs'
expect_exit 0 "$ORRERY" fit --check --node dgx-a100-80gb all_reduce.csv
expect_text out 'all_reduce '
echo '0,0.1,0,2' >>all_reduce.csv
expect_exit 2 "$ORRERY" import vidur all_reduce.csv
expect_text err '^all_reduce\.csv:20: 4 fields where the header has 8'

# AIConfigurator: kernels into a table, collectives to orrery fit; columns of another are told.
{ echo 'framework,version,device,op_name,kernel_source,gemm_dtype,m,n,k,latency'
  for m in 1 64 4096; do echo "TRTLLM,1.0,NVIDIA H100,gemm,torch,bfloat16,$m,4096,4096,0.0$m"; done; } >gemm_perf.txt
{ echo 'op_name,kernel_source,nccl_dtype,num_gpus,message_size,latency'; echo 'all_reduce,nccl,half,8,1024,0.02'; } >nccl_perf.txt
expect_exit 0 "$ORRERY" import aiconfigurator gemm_perf.txt nccl_perf.txt --node dgx-h100
expect_text out 'gemm_perf\.txt"\} .*# 3 products'
expect_text out '^# - nccl_perf\.txt: 1 collectives'
expect_exit 2 "$ORRERY" import aiconfigurator mlp.csv
expect_text err '^mlp\.csv:1: these are columns of vidur: orrery import vidur'
expect_exit 2 "$ORRERY" import aiconfigurator gemm_perf.parquet
expect_text err 'write it as CSV first'
sed -i 's/4096,4096,4096/4096,-1,4096/' gemm_perf.txt
expect_exit 2 "$ORRERY" import aiconfigurator gemm_perf.txt
expect_text err '^gemm_perf\.txt:4: n must be a number of at least 1'
expect_exit 2 "$ORRERY" fit --node dgx-h100 gemm_perf.txt
expect_text err '^gemm_perf\.txt:4: n must be a number of at least 1'
sed -i 's/4096,-1,4096/4096,1e30,4096/' gemm_perf.txt
expect_exit 2 "$ORRERY" fit --node dgx-h100 gemm_perf.txt
expect_text err '^gemm_perf\.txt:4: n must be a whole number up to 2\^31, not 1e30'

# LLMServingSim: the run that it validated itself on, from its profile and the log of requests.
run=$ROOT/../shared/serving_truth/rtx4090_llama-3.1-8b
if [ -d "$run" ]; then
    expect_exit 0 "$ORRERY" import llmservingsim "$run/profile" "$run/requests.jsonl" --model llama-3.1-8b \
        --node rtx-4090-server --base vllm-0.19 -o imported.yaml
    expect_text imported.yaml '# 300 requests, 257239 tokens in, 195753 out'
    expect_exit 0 "$ORRERY" run imported.yaml --json --set serve.blocks=2588 --set serve.interval=false \
        --set serve.engine.base=vllm-0.19 --set serve.engine.max_tokens=2048 --set serve.engine.max_sequences=256 \
        --set serve.engine.max_length=32768
    awk -v t="$(ttft)" 'BEGIN { exit !(t / 65.457 > 0.97 && t / 65.457 < 1.03) }' || fail "TTFT $(ttft), measured 65.457"
fi
printf '{"arrival_time_ns": 0, "input_toks": 10, "output_toks": 5}\n{"arrival_time_ns": 5, "input_toks": "x"}\n' >w.jsonl
expect_exit 2 "$ORRERY" import llmservingsim w.jsonl
expect_text err '^w\.jsonl:2:'

# The command itself.
expect_exit 2 "$ORRERY" import
expect_exit 2 "$ORRERY" import huging-face config.json
expect_text err "did you mean 'hugging-face'"
expect_exit 2 "$ORRERY" import hugging-face
expect_exit 2 "$ORRERY" import hugging-face absent.json
expect_text err 'absent\.json'
finish

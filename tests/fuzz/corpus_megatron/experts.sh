#!/bin/bash
#SBATCH --nodes=16
#SBATCH --ntasks-per-node 8
DTYPE=${2:-"fp8"}
LAYERS=61
MOE_LAYERS=$(($LAYERS-3))
ARGS=(--num-layers $LAYERS --hidden-size 7168 --ffn-hidden-size 18432 --num-attention-heads 128 --multi-latent-attention
    --q-lora-rank 1536 --kv-lora-rank 512 --qk-head-dim 128 --v-head-dim 128 # heads
    --num-experts 256 --moe-layer-freq "([0]*3+[1]*$MOE_LAYERS)" --moe-router-topk 8 --moe-ffn-hidden-size 2048
    --moe-shared-expert-intermediate-size 2048 --expert-model-parallel-size 8 --expert-tensor-parallel-size 1
    --pipeline-model-parallel-layout "Et*3|(tt|)*29,m|L" --swiglu --vocab-size 129280)
DTYPE_ARGS=()
if [[ "$DTYPE" == "fp8" ]] || [ -n "$FORCE" ]; then
    DTYPE_ARGS+=("--fp8-format e4m3" "--fp8-recipe blockwise")
elif [ -f cfg ]; then
    source cfg
else
    DTYPE_ARGS+=(--bf16)
fi
for i in 1 2; do echo $i; done
run_cmd="torchrun --nnodes=\"$N\" pretrain_gpt.py ${ARGS[*]} ${DTYPE_ARGS[@]} --pipeline-model-parallel-size 2 --micro-batch-size 1 --seq-length 4096"
eval ${run_cmd} 2>&1 | tee log

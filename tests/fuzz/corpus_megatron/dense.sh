#!/bin/bash
GPUS_PER_NODE=8
NUM_NODES=8
DIST=(--nproc_per_node $GPUS_PER_NODE --nnodes $NUM_NODES --master_addr localhost)
MODEL=(
    --num-layers 96 --hidden-size 12288   # GPT-3
    --num-attention-heads 96
    --seq-length 2048 --max-position-embeddings 2048
)
TRAIN="--micro-batch-size 1 \
   --global-batch-size 64 --fp16 --train-iters 10"
PARALLEL=(--tensor-model-parallel-size 8 --pipeline-model-parallel-size 8)
PARALLEL+=(--num-layers-per-virtual-pipeline-stage 4 --sequence-parallel --recompute-activations
  --no-overlap-p2p-communication)
torchrun "${DIST[@]}" pretrain_gpt.py ${MODEL[@]} ${TRAIN} \
  "${PARALLEL[@]}" --vocab-size 50257 --transformer-impl local

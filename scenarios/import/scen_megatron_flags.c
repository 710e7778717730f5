/* The flags of Megatron-LM's pretrain_gpt.py, and of torchrun before it.
 *
 * Source: NVIDIA/Megatron-LM, megatron/training/arguments.py, and the dataclasses whose fields became
 * flags (transformer_config.py, model_parallel_config.py); its examples/ of 2023 to 2025. A flag that
 * matters is read, or its note says what of it is not modelled. Those that end in a dash stand for
 * all that begin so. */
#include "scen_megatron.h"

#include <string.h>

/* clang-format off */
static const char *const reads[] = {
    "--num-layers", "--hidden-size", "--ffn-hidden-size", "--num-attention-heads", "--group-query-attention",
    "--num-query-groups", "--kv-channels", "--seq-length", "--max-position-embeddings", "--vocab-size",
    "--padded-vocab-size", "--make-vocab-size-divisible-by", "--tokenizer-type", "--swiglu", "--geglu",
    "--untie-embeddings-and-output-weights", "--disable-bias-linear", "--add-qkv-bias", "--qk-layernorm",
    "--position-embedding-type", "--use-rotary-position-embeddings", "--normalization", "--no-position-embedding",
    "--attention-dropout", "--hidden-dropout", "--attention-backend", "--use-flash-attn", "--transformer-impl",
    "--multi-latent-attention", "--q-lora-rank", "--kv-lora-rank", "--qk-head-dim", "--qk-pos-emb-head-dim",
    "--v-head-dim", "--num-experts", "--moe-router-topk", "--moe-ffn-hidden-size", "--moe-layer-freq",
    "--moe-shared-expert-intermediate-size", "--moe-expert-capacity-factor", "--expert-model-parallel-size",
    "--expert-tensor-parallel-size", "--tensor-model-parallel-size", "--pipeline-model-parallel-size",
    "--context-parallel-size", "--cp-comm-type", "--hierarchical-context-parallel-sizes",
    "--num-layers-per-virtual-pipeline-stage", "--num-virtual-stages-per-pipeline-rank",
    "--pipeline-model-parallel-layout", "--decoder-first-pipeline-num-layers", "--decoder-last-pipeline-num-layers",
    "--account-for-embedding-in-pipeline-split", "--account-for-loss-in-pipeline-split",
    "--micro-batch-size", "--global-batch-size", "--sequence-parallel", "--use-distributed-optimizer",
    "--overlap-grad-reduce", "--overlap-param-gather", "--tp-comm-overlap", "--no-overlap-p2p-communication",
    "--overlap-moe-expert-parallel-comm", "--no-async-tensor-model-parallel-allreduce",
    "--recompute-granularity", "--recompute-method", "--recompute-num-layers", "--recompute-modules",
    "--recompute-activations", "--checkpoint-activations", "--bf16", "--fp16", "--fp8-format", "--fp8", "--fp8-recipe",
    "--fp8-param-gather", "--fp4-format", "--first-last-layers-bf16", "--num-layers-at-start-in-bf16",
    "--num-layers-at-end-in-bf16", "--grad-reduce-in-bf16", "--accumulate-allreduce-grads-in-fp32", "--optimizer",
    "--use-megatron-fsdp", "--use-custom-fsdp", "--use-torch-fsdp2", "--data-parallel-sharding-strategy",
    "--num-distributed-optimizer-instances", "--optimizer-cpu-offload", "--cpu-offloading",
    "--cpu-offloading-num-layers", "--nproc-per-node", "--nnodes", "--world-size", "--num-gpus", "--num-nodes",
};

static const struct {
    const char *name, *note;
} notes[] = {
    {"--rampup-batch-size", "the batch grows at first; this step has the full one"},
    {"--mtp-num-layers", "modules that predict several tokens ahead (MTP) are left out"},
    {"--window-size", "attention looks at the whole context here"},
    {"--window-attn-skip-freq", "attention looks at the whole context here"},
    {"--moe-token-dispatcher-type", "tokens go to experts by the library's all-to-all; others: plan.expert_kernels"},
    {"--moe-enable-deepep", "tokens go to experts by the library's all-to-all; plan.expert_kernels: deepep has DeepEP"},
    {"--moe-flex-dispatcher-backend", "tokens go to experts by the library's all-to-all; others: plan.expert_kernels"},
    {"--moe-router-num-groups", "a token's experts may lie in any node; plan.expert_nodes limits them"},
    {"--moe-router-group-topk", "a token's experts may lie in any node; plan.expert_nodes limits them"},
    {"--moe-shared-expert-overlap", "shared experts run after the exchange, not beside it"},
    {"--moe-shared-expert-gate", "the gate on shared experts is left out"},
    {"--moe-latent-size", "experts work on the full width here"},
    {"--moe-input-jitter-eps", "the noise on a router's input costs nothing here"},
    {"--delay-wgrad-compute", "gradients of weights are not put off; zero-bubble schedules are: plan.schedule"},
    {"--defer-embedding-wgrad-compute", "the embedding's gradient is not put off"},
    {"--overlap-param-gather-with-optimizer-step", "gathers begin after the optimizer"},
    {"--no-gradient-accumulation-fusion", "gradients are summed inside products here"},
    {"--no-masked-softmax-fusion", "one fused pass here; plan.fused_kernels: false is of them all"},
    {"--no-bias-gelu-fusion", "one fused pass here; plan.fused_kernels: false is of them all"},
    {"--no-bias-swiglu-fusion", "one fused pass here; plan.fused_kernels: false is of them all"},
    {"--no-bias-dropout-fusion", "one fused pass here; plan.fused_kernels: false is of them all"},
    {"--enable-cuda-graph", "launches are hidden here with graphs and without, unless plan.kernel_gap says otherwise"},
    {"--external-cuda-graph", "launches are hidden here with graphs and without, unless plan.kernel_gap says otherwise"},
    {"--cuda-graph-impl", "launches are hidden here with graphs and without, unless plan.kernel_gap says otherwise"},
    {"--use-tp-pp-dp-mapping", "pipeline stages are outside the data-parallel ranks here; placement says otherwise"},
    {"--use-precision-aware-optimizer", "Adam's moments are in fp32; optimizer: adam-bf16 or adam-8bit has narrower ones"},
    {"--exp-avg-dtype", "Adam's moments are in fp32; optimizer: adam-bf16 or adam-8bit has narrower ones"},
    {"--exp-avg-sq-dtype", "Adam's moments are in fp32; optimizer: adam-bf16 or adam-8bit has narrower ones"},
    {"--main-grads-dtype", "gradients are of plan.gradients' type throughout"},
    {"--main-params-dtype", "the optimizer's weights are in fp32"},
    {"--optimizer-offload-fraction", "all of the optimizer's states go to the host"},
    {"--overlap-cpu-optimizer-d2h-h2d", "plan.offload says what runs beside the host's update"},
    {"--fine-grained-activation-offloading", "nothing of that is moved; plan.offload.activations is"},
    {"--offload-modules", "nothing of that is moved; plan.offload.activations is"},
    {"--distribute-saved-activations", "kept inputs of layers are not cut over tensor ranks"},
    {"--ddp-bucket-size", "gradients are reduced in eight pieces a chunk; plan.data_parallel.bucket says otherwise"},
    {"--ddp-num-buckets", "gradients are reduced in eight pieces a chunk; plan.data_parallel.bucket says otherwise"},
    {"--nccl-ub", "the node's wires are those of its protocols, without registered buffers"},
    {"--use-sharp", "the fabric reduces in its switches only where cluster.fabric says reduces_under"},
    {"--tp-comm-bulk-dgrad", "overlap.tensor is of all products"},
    {"--disable-tp-comm-", "overlap.tensor is of all products"},
    {"--virtual-pipeline-model-parallel-size", "not a flag of pretrain_gpt.py: --num-virtual-stages-per-pipeline-rank"},
    {"--microbatch-group-size-per-virtual-pipeline-stage", "microbatches pass the chunks in groups of the pipeline's size"},
    {"--num-microbatches-with-partial-activation-checkpoints", "all microbatches recompute alike"},
    {"--standalone-embedding-stage", "the embedding stands with the first layers"},
    {"--encoder-", "an encoder is not modelled"},
    {"--hybrid-", "layers of Mamba are not modelled"},
    {"--mamba-", "layers of Mamba are not modelled"},
    {"--is-hybrid-model", "layers of Mamba are not modelled"},
    {"--spec", "a layer of one's own is not modelled: attention and MLP as the other flags say"},
    {"--squared-relu", "an MLP of two matrices, whatever stands between them"},
    {"--apply-residual-connection-post-layernorm", "the residual goes around the norm here"},
    {"--check-for-nan-in-loss-and-grad", "checks of values cost nothing here"},
    {"--decoder-tp", "all stages are cut alike"},
};

static const char *const nothing[] = {
    "--use-mcore-models", "--use-legacy-models", "--deprecated-use-mcore-models", "--train-iters", "--train-samples",
    "--lr", "--lr-", "--min-lr", "--decoupled-", "--weight-decay", "--weight-decay-", "--start-weight-decay",
    "--end-weight-decay", "--adam-", "--sgd-momentum", "--muon-", "--clip-grad", "--init-method-", "--embedding-init-method-std", "--seed",
    "--data-path", "--data-cache-path", "--data-args-path", "--per-split-data-args-path", "--split", "--train-data-path", "--valid-data-path",
    "--test-data-path", "--mock-data", "--vocab-file", "--merge-file", "--tokenizer-model", "--tokenizer-", "--tiktoken-", "--num-workers",
    "--dataloader-type", "--no-create-attention-mask-in-dataloader", "--no-mmap-bin-files", "--reset-position-ids",
    "--reset-attention-mask", "--eod-mask-loss", "--legacy-tokenizer", "--trust-remote-code", "--null-tokenizer-", "--num-dataset-builder-threads",
    "--log-", "--no-log-", "--tensorboard-", "--wandb-", "--timing-log-", "--profile", "--profile-", "--use-pytorch-profiler", "--record-memory-history", "--memory-snapshot-path", "--pytorch-profiler-",
    "--save", "--load", "--save-interval", "--save-retain-interval", "--no-save-", "--no-load-", "--finetune", "--pretrained-checkpoint", "--exit-",
    "--eval-", "--skip-train", "--test-mode", "--ckpt-", "--async-save", "--use-dist-ckpt", "--dist-ckpt-", "--auto-detect-ckpt-format", "--use-checkpoint-", "--override-opt", "--non-persistent-", "--dist-ckpt-strictness", "--save-tokenizer-assets",
    "--use-persistent-ckpt-worker", "--rotary-", "--use-rope-scaling", "--rope-", "--no-rope-fusion", "--mscale", "--mscale-all-dim", "--original-max-position-embeddings", "--beta-", "--apply-rope-fusion", "--qk-clip",
    "--norm-epsilon", "--layernorm-epsilon", "--apply-layernorm-1p", "--no-persist-layer-norm", "--attention-softmax-in-fp32", "--no-query-key-layer-scaling", "--apply-query-key-layer-scaling", "--softmax-",
    "--cross-entropy-loss-fusion", "--cross-entropy-fusion-impl", "--calculate-per-token-loss", "--manual-gc", "--manual-gc-interval", "--empty-unused-memory-level", "--no-check-for-nan-in-loss-and-grad",
    "--distributed-timeout-minutes", "--distributed-backend", "--local-rank", "--lazy-mpu-init", "--use-cpu-initialization", "--perform-initialization", "--no-initialization", "--align-grad-reduce", "--no-align-grad-reduce", "--no-align-param-gather", "--average-in-collective", "--ddp-average-in-collective", "--ddp-pad-buckets-for-high-nccl-busbw",
    "--moe-aux-loss-coeff", "--moe-z-loss-coeff", "--moe-router-load-balancing-type", "--moe-router-score-function", "--moe-router-pre-softmax", "--moe-router-topk-scaling-factor", "--moe-router-enable-expert-bias", "--moe-router-bias-update-rate", "--moe-router-dtype", "--moe-router-force-load-balancing", "--moe-router-fusion",
    "--moe-grouped-gemm", "--moe-use-legacy-grouped-gemm", "--moe-permute-fusion", "--moe-token-drop-policy", "--moe-pad-expert-input-to-capacity", "--moe-per-layer-logging", "--moe-router-padding-for-fp8", "--moe-router-padding-for-quantization", "--moe-deepep-num-sms", "--moe-apply-probs-on-input", "--moe-use-upcycling", "--mtp-loss-scaling-factor", "--moe-extended-tp",
    "--fp8-amax-", "--fp8-margin", "--fp8-interval", "--fp8-wgrad", "--no-fp8-wgrad", "--initial-loss-scale", "--loss-scale", "--loss-scale-window", "--min-loss-scale", "--hysteresis", "--fp32-residual-connection", "--fp16-lm-cross-entropy", "--no-fp8-weight-transpose-cache", "--keep-fp8-weight-transpose-cache",
    "--te-rng-tracker", "--inference-rng-tracker", "--use-ring-exchange-p2p", "--tp-comm-overlap-cfg", "--tp-comm-bootstrap-backend", "--no-tp-comm-", "--rerun-mode", "--error-injection-", "--result-rejected-tracker-filename", "--enable-ft-package", "--enable-experimental", "--enable-gloo-process-groups", "--disable-gloo-process-groups", "--high-priority-stream-groups",
    "--enable-one-logger", "--no-one-logger", "--one-logger-", "--app-tag-", "--config-logger-dir", "--disable-straggler-on-startup", "--straggler-", "--log-straggler", "--masked-softmax-fusion", "--deterministic-mode", "--train-sync-interval", "--adlr-autoresume", "--adlr-autoresume-interval", "--fsdp-double-buffer", "--init-model-with-meta-device", "--gradient-reduce-div-fusion", "--suggested-communication-unit-size", "--keep-", "--outer-dp-sharding-strategy", "--no-weight-decay-cond-type", "--cosine-", "--barrier-with-L1-time", "--no-barrier-with-level-1-timing",
    /* of the launcher */
    "--master-addr", "--master-port", "--node-rank", "--rdzv-", "--rdzv-backend", "--rdzv-endpoint", "--max-restarts", "--monitor-interval", "--standalone", "--log-dir", "--redirects", "--tee", "--role", "--module", "--start-method", "--use-env", "--start-rank",
};
/* clang-format on */

/* Is @entry @name, or the beginning of it that ends in a dash? */
static bool covers(const char *entry, const char *name)
{
    return g_str_equal(entry, name) ||
           (g_str_has_suffix(entry, "-") && g_str_has_prefix(name, entry));
}

static bool is_among(const char *const *entries, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (covers(entries[i], name))
            return true;
    return false;
}

ScenMegatronUse scen_megatron_use(const char *name, const char **note)
{
    *note = NULL;
    if (is_among(reads, G_N_ELEMENTS(reads), name))
        return SCEN_MEGATRON_READ;
    for (size_t i = 0; i < G_N_ELEMENTS(notes); i++)
        if (covers(notes[i].name, name)) {
            *note = notes[i].note;
            return SCEN_MEGATRON_NOTED;
        }
    bool known = is_among(nothing, G_N_ELEMENTS(nothing), name);
    return known ? SCEN_MEGATRON_NOTHING : SCEN_MEGATRON_UNKNOWN;
}

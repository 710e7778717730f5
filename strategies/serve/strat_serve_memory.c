/* Memory of a serving GPU, as engines share it out at their start.
 *
 *   capacity  what the driver shows a program: it keeps DRIVER of the chips' own
 *   taken     capacity * memory_fraction (vLLM: gpu_memory_utilization)
 *   weights   matrices of the fullest stage by their type, scales included; embedding, head, router
 *             and norms in 16 bits
 *   largest   the live tensors of an iteration of max_num_batched_tokens: residual twice, input and
 *             output of the widest pair of products; or the logits of max_num_seqs rows in 16 bits,
 *             in fp32 and once more as probabilities. vLLM measures this peak by running both
 *             (gpu_worker.py, determine_available_memory)
 *   engine    CUDA graphs, workspaces, communicators: the engine's row
 *   cache     taken - weights - largest - engine, in blocks of
 *             block_tokens * layers of the stage * bytes of a token in a layer
 *
 * TensorRT-LLM takes the fraction of what weights and activations leave (memory_of_rest).
 *
 * What of weights and cache lives off the GPU takes none of it, but for buffers: strat_offload.c.
 *
 * With attention DP each rank keeps the cache of its own sequences, so a replica has the blocks of
 * all of them together; a pipeline has as many blocks as its fullest stage.
 *
 * Left out: biases, sliding windows (the model says nothing of them), fragmentation. */
#include "strat_serve_memory.h"

#include "model_params.h"
#include "strat_matrix.h"
#include "strat_offload.h"
#include "strat_schedule.h"

#include <math.h>

/* A GeForce RTX 4090 of 24 GiB shows 25,250,627,584 bytes (torch, CUDA 12.8); A100 and H100 of 80
 * GiB lose 0.6 to 0.9 GiB. */
static const double DRIVER_BYTES = 24.0 * 1073741824.0 - 25250627584.0;

/* A cache that has nothing on the GPU is bounded by host and disks: strat_offload_place(). */
static const double MOST_BLOCKS = 1e12;

/* Bytes of one element of a matrix, pruned or not. */
static double matrix_bytes(const StratDeployment *deployment, StratWeights weights)
{
    double bytes = strat_weights_bytes(weights);
    return deployment->sparse_2_4 ? 0.5 * (bytes + 0.25) : bytes; /* and 2 bits of index each */
}

static double plain_bytes(StratWeights weights)
{
    return weights == STRAT_WEIGHTS_FP32 ? 4.0 : 2.0;
}

static double list_bytes(const ModelSpec *model, const StratDeployment *deployment,
                         const StratPool *pool, bool experts)
{
    StratMatrices list = strat_matrices(model, pool->tensor, experts);
    StratWeights stored =
        strat_weights_experts_only(deployment->weights) ? STRAT_WEIGHTS_BF16 : deployment->weights;
    double sum = 0.0;
    for (size_t i = 0; i < list.count; i++) {
        double elements = (double)list.at[i].n * (double)list.at[i].k;
        sum +=
            elements * (list.at[i].wide ? plain_bytes(stored) : matrix_bytes(deployment, stored));
    }
    return sum;
}

static double routed_bytes(const ModelSpec *model, const StratDeployment *deployment,
                           const StratPool *pool)
{
    double copies = (double)(model->experts + deployment->redundant_experts);
    double one = (model->gated_mlp ? 3.0 : 2.0) * (double)model->hidden * (double)model->expert_ffn;
    double ranks = (double)(pool->expert * strat_expert_cut(pool));
    return copies * one / ranks * matrix_bytes(deployment, deployment->weights);
}

/* The fullest stage has the larger layers: those with experts, as they come last. */
double strat_serve_weights_bytes(const ModelSpec *model, const StratDeployment *deployment,
                                 const StratPool *pool)
{
    double layers = ceil((double)model->layers / (double)pool->pipeline);
    double sparse = fmin(layers, (double)strat_expert_layers(model)), dense = layers - sparse;
    double plain = plain_bytes(deployment->weights);
    ModelParams params = model_params_count(model);
    double table = (double)model->vocab * (double)model->hidden / (double)pool->tensor * plain;
    double tables = pool->pipeline == 1 && !model->tied_embeddings ? 2.0 * table : table;
    double sum = tables + (double)params.position * plain;
    sum += layers * (double)params.norms_layer * plain;
    sum += dense * list_bytes(model, deployment, pool, false);
    if (sparse > 0.0)
        sum += sparse *
               (list_bytes(model, deployment, pool, true) + routed_bytes(model, deployment, pool));
    return sum;
}

double strat_kv_token_bytes(const ModelSpec *model, StratKvType kv)
{
    return (double)model->layers * strat_kv_layer_bytes(model, 1, kv);
}

static double widest_pair(const StratMatrices *list)
{
    double widest = 0.0;
    for (size_t i = 0; i + 1 < list->count; i++)
        widest = fmax(widest, (double)list->at[i].n + (double)list->at[i + 1].k);
    return widest;
}

static double activations_bytes(const ModelSpec *model, const StratDeployment *deployment,
                                const StratPool *pool, int64_t largest)
{
    const StratEngine *engine = deployment->engine;
    double ranks = (double)pool->data;
    double batches = (double)MAX(deployment->offload.gpu_batches, 1);
    double tokens = ceil((double)(largest > 0 ? largest : engine->max_tokens) / ranks / batches);
    double hidden = (double)model->hidden;
    StratMatrices list = strat_matrices(model, pool->tensor, strat_expert_layers(model) > 0);
    double width = widest_pair(&list);
    if (strat_expert_layers(model) > 0) {
        double inner = (double)model->expert_ffn / (double)strat_expert_cut(pool);
        double chosen = (double)model->experts_per_token;
        width = fmax(width, chosen * (fmax(2.0 * inner, hidden) + inner));
    }
    double layer = 2.0 * tokens * (2.0 * hidden + width);
    double rows = fmin(ceil((double)engine->max_sequences / ranks / batches), tokens);
    double logits = rows * (double)model->vocab * (2.0 + 4.0 + 4.0);
    return fmax(layer, logits);
}

StratServeMemory strat_serve_memory(const ModelSpec *model, const TopoGpu *gpu,
                                    const StratDeployment *deployment, size_t pool_index,
                                    int64_t largest_tokens)
{
    const StratPool *pool = &deployment->pool[pool_index];
    const StratEngine *engine = deployment->engine;
    double weights = strat_serve_weights_bytes(model, deployment, pool);
    StratServeMemory memory = {
        .capacity_bytes = fmax(0.0, gpu->memory_bytes - DRIVER_BYTES),
        .offloaded_bytes = strat_off_gpu(deployment->offload.weights) * weights,
        .activations_bytes = activations_bytes(model, deployment, pool, largest_tokens) +
                             strat_offload_buffers_bytes(model, deployment, pool),
        .engine_bytes = engine->activation_bytes,
    };
    memory.weights_bytes = weights - memory.offloaded_bytes;
    double layers = ceil((double)model->layers / (double)pool->pipeline);
    memory.kv_token_bytes = layers * strat_kv_layer_bytes(model, pool->tensor, deployment->kv);
    const ModelSpec *draft = deployment->speculation.draft;
    if (deployment->speculation.tokens > 0 && draft) {
        memory.weights_bytes += strat_serve_weights_bytes(draft, deployment, pool);
        memory.kv_token_bytes += ceil((double)draft->layers / (double)pool->pipeline) *
                                 strat_kv_layer_bytes(draft, pool->tensor, deployment->kv);
    }
    double used = memory.weights_bytes + memory.activations_bytes + memory.engine_bytes;
    memory.taken_bytes = engine->memory_fraction * memory.capacity_bytes;
    if (engine->memory_of_rest)
        memory.taken_bytes = used + engine->memory_fraction * (memory.capacity_bytes - used);
    memory.kv_bytes = memory.taken_bytes - used;
    double block = (double)engine->block_tokens * memory.kv_token_bytes *
                   (1.0 - strat_off_gpu(deployment->offload.cache));
    if (memory.kv_bytes > 0.0 && memory.kv_token_bytes > 0.0)
        memory.blocks = pool->data * (int64_t)fmin(floor(memory.kv_bytes / block), MOST_BLOCKS);
    return memory;
}

bool strat_serve_memory_check(const StratServeMemory *memory, const StratDeployment *deployment,
                              size_t pool, GError **error)
{
    const StratEngine *engine = deployment->engine;
    int64_t tokens = memory->blocks / deployment->pool[pool].data * engine->block_tokens;
    int64_t wanted = MAX(engine->max_length, engine->block_tokens);
    if (tokens >= wanted)
        return true;
    g_set_error(error, STRAT_ERROR, STRAT_ERROR_NO_FIT,
                "the KV cache holds %" G_GINT64_FORMAT
                " tokens of a GPU, one sequence of %" G_GINT64_FORMAT
                " does not fit: of %.1f GB the engine takes %.1f, weights %.1f, the largest "
                "iteration %.1f, graphs and workspaces %.1f; more tensor or pipeline ranks, "
                "narrower weights or cache, or weights in host memory would help",
                tokens, wanted, memory->capacity_bytes * 1e-9, memory->taken_bytes * 1e-9,
                memory->weights_bytes * 1e-9, memory->activations_bytes * 1e-9,
                memory->engine_bytes * 1e-9);
    return false;
}

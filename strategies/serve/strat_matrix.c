/* What of a transformer one GPU holds, matrix by matrix.
 *
 * A tensor group of t cuts the heads and the inner widths (Shoeybi 2019, section 3):
 *
 *   QKV   h -> (a + 2 g) d / t           g at least t: fewer KV heads are copied
 *   out   a d / t -> h
 *   up    h -> 2 f / t (gated), f / t
 *   down  f / t -> h
 *
 * MLA (DeepSeek-V2, arXiv 2405.04434, section 2.1) keeps its compressions whole on every rank, in
 * one matrix h -> r_q + r_kv + d_r, and cuts the heads of r_q -> a (d + d_r) and r_kv -> a (d +
 * d_v). Decoding absorbs the latter into queries and outputs: as many operations, the same bytes.
 *
 * Scales: 4 bytes for 128 x 128 fp8 weights (DeepSeek-V3, section 3.3.2); 2 bytes for 128 4-bit
 * weights (AWQ, GPTQ groups); 1 byte for 32 (OCP MX) or 16 (NVFP4); int8 has one a column, which
 * does not count. Cache in 4 bits has scales of 2 bytes for each head of a token.
 *
 * Left out: biases and norms (no product), zero points. */
#include "strat_matrix.h"

#include <glib.h>

static void add(StratMatrices *list, int64_t n, int64_t k, bool wide)
{
    g_assert(list->count < STRAT_MATRICES_MAX);
    list->at[list->count++] = (StratMatrix){.n = n, .k = k, .wide = wide};
}

int64_t strat_kv_heads(const ModelSpec *spec, int64_t tensor)
{
    return MAX(1, spec->kv_heads / tensor);
}

static void add_attention(StratMatrices *list, const ModelSpec *spec, int64_t tensor)
{
    int64_t heads = spec->heads / tensor, width = spec->head_dim;
    if (spec->kv_lora_rank == 0) {
        int64_t kv = 2 * strat_kv_heads(spec, tensor);
        add(list, (heads + kv) * width, spec->hidden, false);
        add(list, spec->hidden, heads * width, false);
        return;
    }
    int64_t query = heads * (width + spec->rope_head_dim);
    int64_t latent = spec->kv_lora_rank + spec->rope_head_dim;
    if (spec->q_lora_rank > 0) {
        add(list, spec->q_lora_rank + latent, spec->hidden, false);
        add(list, query, spec->q_lora_rank, false);
    } else {
        add(list, query + latent, spec->hidden, false);
    }
    add(list, heads * (width + spec->value_head_dim), spec->kv_lora_rank, false);
    add(list, spec->hidden, heads * spec->value_head_dim, false);
}

static void add_mlp(StratMatrices *list, const ModelSpec *spec, int64_t inner)
{
    add(list, (spec->gated_mlp ? 2 : 1) * inner, spec->hidden, false);
    add(list, spec->hidden, inner, false);
}

StratMatrices strat_matrices(const ModelSpec *spec, int64_t tensor, bool experts)
{
    StratMatrices list = {0};
    add_attention(&list, spec, tensor);
    if (!experts) {
        add_mlp(&list, spec, spec->ffn / tensor);
        return list;
    }
    add(&list, spec->experts, spec->hidden, true);
    if (spec->shared_experts > 0)
        add_mlp(&list, spec, spec->shared_experts * spec->expert_ffn / tensor);
    return list;
}

double strat_matrices_elements(const StratMatrices *matrices)
{
    double sum = 0.0;
    for (size_t i = 0; i < matrices->count; i++)
        sum += (double)matrices->at[i].n * (double)matrices->at[i].k;
    return sum;
}

int64_t strat_dense_layers(const ModelSpec *spec)
{
    return spec->experts == 0 ? spec->layers : spec->dense_layers;
}

int64_t strat_expert_layers(const ModelSpec *spec)
{
    return spec->layers - strat_dense_layers(spec);
}

double strat_weights_bytes(StratWeights weights)
{
    static const double bytes[STRAT_WEIGHTS_COUNT] = {
        [STRAT_WEIGHTS_BF16] = 2.0,
        [STRAT_WEIGHTS_FP32] = 4.0,
        [STRAT_WEIGHTS_FP8] = 1.0,
        [STRAT_WEIGHTS_FP8_BLOCK] = 1.0 + 4.0 / (128.0 * 128.0),
        [STRAT_WEIGHTS_INT8] = 1.0,
        [STRAT_WEIGHTS_INT4] = 0.5 + 2.0 / 128.0,
        [STRAT_WEIGHTS_MXFP4] = 0.5 + 1.0 / 32.0,
        [STRAT_WEIGHTS_NVFP4] = 0.5 + 1.0 / 16.0,
        [STRAT_WEIGHTS_NVFP4_EXPERTS] = 0.5 + 1.0 / 16.0,
    };
    return bytes[weights];
}

bool strat_weights_experts_only(StratWeights weights)
{
    return weights == STRAT_WEIGHTS_MXFP4 || weights == STRAT_WEIGHTS_NVFP4_EXPERTS;
}

int64_t strat_expert_cut(const StratPool *pool)
{
    return pool->expert > 1 ? MAX(1, pool->tensor * pool->data / pool->expert) : pool->tensor;
}

double strat_kv_layer_bytes(const ModelSpec *spec, int64_t tensor, StratKvType kv)
{
    static const double bytes[STRAT_KV_COUNT] = {
        [STRAT_KV_16_BIT] = 2.0, [STRAT_KV_FP8] = 1.0, [STRAT_KV_INT4] = 0.5};
    if (spec->kv_lora_rank > 0) /* one latent for all heads: every rank keeps it */
        return (double)(spec->kv_lora_rank + spec->rope_head_dim) * bytes[kv];
    double vectors = 2.0 * (double)strat_kv_heads(spec, tensor);
    double scales = kv == STRAT_KV_INT4 ? 2.0 : 0.0;
    return vectors * ((double)spec->head_dim * bytes[kv] + scales);
}

/* Parameter counts of decoder-only transformers.
 *
 * With h the residual width, a query heads and g key/value heads of width d, f the width of the MLP
 * and V the vocabulary, a layer of the GPT and Llama kind has
 *
 *     attention   h a d + 2 h g d + a d h           query; key and value; output
 *     MLP         2 h f, or 3 h f when gated        (SwiGLU, GeGLU)
 *     norms       2 h, twice that for LayerNorm     weight, and bias for LayerNorm
 *
 * and around the layers stand the embedding V h, the positions s h if they are learned, a final
 * norm and the head V h unless it is tied. For a d = h, g = a, f = 4 h with biases this is the
 * formula of Narayanan et al., SC'21 (arXiv 2104.04473), 12 l h^2 (1 + 13/12h + (V + s)/12lh), plus
 * the final norm that it leaves out. Grouped queries: Ainslie et al. 2023 (arXiv 2305.13245).
 *
 * A MoE layer replaces the MLP by E experts of width f_e, S shared experts of the same width and a
 * router h E; a token meets k of the E (Shazeer et al. 2017; Jiang et al. 2024, arXiv 2401.04088).
 *
 * Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1) compresses queries to
 * rank r_q and keys and values to r_kv, with a norm over each compressed vector; a head has a part
 * of width d without position, a rotary part of width d_r (its key shared by all heads) and a value
 * of width d_v:
 *
 *     query       h r_q + r_q + r_q a (d + d_r)     or h a (d + d_r) without compression
 *     key, value  h (r_kv + d_r) + r_kv + r_kv a (d + d_v)
 *     output      a d_v h
 *
 * Left out: multi-token prediction modules, the routing bias of DeepSeek-V3 (one number an expert,
 * adjusted outside the gradient), attention sinks, gates on shared experts, projections between
 * an embedding narrower than the residual stream and the layers (OPT-350M). Heads have no bias.
 */
#include "model_params.h"

#include <glib.h>

/* A matrix, with a bias for each output if @bias. */
static int64_t linear(int64_t inputs, int64_t outputs, bool bias)
{
    return inputs * outputs + (bias ? outputs : 0);
}

static int64_t norm(const ModelSpec *spec, int64_t width)
{
    return spec->norm == MODEL_NORM_LAYERNORM ? 2 * width : width;
}

static int64_t attention(const ModelSpec *spec)
{
    bool qkv_bias = spec->linear_bias || spec->qkv_bias;
    int64_t query_width = spec->heads * spec->head_dim;
    int64_t kv_width = spec->kv_heads * spec->head_dim;
    /* One norm of a head's width, shared by all heads, for queries and one for keys. */
    int64_t head_norms = spec->qk_norm ? 2 * norm(spec, spec->head_dim) : 0;

    return linear(spec->hidden, query_width, qkv_bias) +
           2 * linear(spec->hidden, kv_width, qkv_bias) +
           linear(query_width, spec->hidden, spec->linear_bias) + head_norms;
}

static int64_t latent_attention(const ModelSpec *spec)
{
    bool bias = spec->linear_bias;
    int64_t query_width = spec->heads * (spec->head_dim + spec->rope_head_dim);
    int64_t kv_width = spec->heads * (spec->head_dim + spec->value_head_dim);

    int64_t query = linear(spec->hidden, query_width, bias);
    if (spec->q_lora_rank > 0)
        query = linear(spec->hidden, spec->q_lora_rank, bias) + norm(spec, spec->q_lora_rank) +
                linear(spec->q_lora_rank, query_width, bias);
    int64_t key_value = linear(spec->hidden, spec->kv_lora_rank + spec->rope_head_dim, bias) +
                        norm(spec, spec->kv_lora_rank) + linear(spec->kv_lora_rank, kv_width, bias);
    int64_t output = linear(spec->heads * spec->value_head_dim, spec->hidden, bias);
    return query + key_value + output;
}

static int64_t mlp(const ModelSpec *spec, int64_t width)
{
    int64_t inward = linear(spec->hidden, width, spec->linear_bias);
    return (spec->gated_mlp ? 2 : 1) * inward + linear(width, spec->hidden, spec->linear_bias);
}

static int64_t moe(const ModelSpec *spec)
{
    return (spec->experts + spec->shared_experts) * mlp(spec, spec->expert_ffn) +
           linear(spec->hidden, spec->experts, spec->linear_bias);
}

static bool is_dense_layer(const ModelSpec *spec, int64_t layer_index)
{
    return spec->experts == 0 || layer_index < spec->dense_layers;
}

static int64_t dense_layer_count(const ModelSpec *spec)
{
    return spec->experts == 0 ? spec->layers : spec->dense_layers;
}

ModelParams model_params_count(const ModelSpec *spec)
{
    int64_t dense_layers = dense_layer_count(spec);
    int64_t moe_layers = spec->layers - dense_layers;
    bool has_table = spec->position == MODEL_POSITION_LEARNED;

    ModelParams params = {
        .embedding = spec->vocab * spec->hidden,
        .embedding_norm = spec->embedding_norm ? norm(spec, spec->hidden) : 0,
        .position = has_table ? spec->max_sequence * spec->hidden : 0,
        .attention_layer = spec->kv_lora_rank > 0 ? latent_attention(spec) : attention(spec),
        .dense_mlp_layer = dense_layers > 0 ? mlp(spec, spec->ffn) : 0,
        .moe_layer = moe_layers > 0 ? moe(spec) : 0,
        .norms_layer = 2 * norm(spec, spec->hidden),
        .final_norm = norm(spec, spec->hidden),
        .head = spec->tied_embeddings ? 0 : spec->vocab * spec->hidden,
    };
    params.total = params.embedding + params.embedding_norm + params.position +
                   spec->layers * (params.attention_layer + params.norms_layer) +
                   dense_layers * params.dense_mlp_layer + moe_layers * params.moe_layer +
                   params.final_norm + params.head;
    int64_t idle_experts = spec->experts - spec->experts_per_token;
    params.active = params.total - moe_layers * idle_experts * model_expert_params(spec);
    return params;
}

int64_t model_layer_params(const ModelSpec *spec, int64_t layer_index)
{
    g_assert(layer_index >= 0 && layer_index < spec->layers);

    int64_t core = (spec->kv_lora_rank > 0 ? latent_attention(spec) : attention(spec)) +
                   2 * norm(spec, spec->hidden);
    return core + (is_dense_layer(spec, layer_index) ? mlp(spec, spec->ffn) : moe(spec));
}

int64_t model_expert_params(const ModelSpec *spec)
{
    return spec->experts == 0 ? 0 : mlp(spec, spec->expert_ffn);
}

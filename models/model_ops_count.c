/* Parameters of one rank and FLOPs of a model: what follows from shapes alone.
 *
 * Every rank of a tensor group holds its part of each matrix (key/value heads are replicated where
 * there are fewer of them than ranks) and the norms whole. Routed experts are counted apart: e
 * ranks share them out and x ranks cut each one, so a rank holds E/e of 1/x. Of latent attention
 * the down-projections are whole on every rank (model_ops_latent.c).
 *
 * FLOPs are those of the parameters that a token meets: k routed experts of E, shared ones and the
 * router, twice each forward and four times backward, and of the scores.
 *
 * Left out: biases of experts on a rank (no published model has them). */
#include "model_ops.h"

#include "model_ops_private.h"
#include "model_params.h"

#include <glib.h>

static double gates(const ModelSpec *spec)
{
    return spec->gated_mlp ? 3.0 : 2.0;
}

/* Weights of the attention of one layer over @t ranks, the replicated ones whole. */
static double attention_weights(const ModelSpec *spec, double q, double kv, double t)
{
    double h = (double)spec->hidden, a = (double)spec->heads / t, d = (double)spec->head_dim;
    if (spec->kv_lora_rank == 0)
        return h * (q + 2 * kv) + q * h;
    double rope = (double)spec->rope_head_dim, value = (double)spec->value_head_dim;
    double rank = (double)spec->q_lora_rank, latent = (double)spec->kv_lora_rank;
    double query = a * (d + rope);
    return (rank > 0.0 ? h * rank + rank * query : h * query) + h * (latent + rope) +
           latent * a * (d + value) + a * value * h;
}

static double norm_weights(const ModelSpec *spec)
{
    double width = 2.0 * (double)spec->hidden;
    if (spec->kv_lora_rank > 0)
        width += (double)(spec->q_lora_rank + spec->kv_lora_rank);
    return width * (spec->norm == MODEL_NORM_LAYERNORM ? 2.0 : 1.0);
}

double model_layer_shard_params(const ModelSpec *spec, int64_t tensor, bool experts)
{
    double t = (double)tensor, h = (double)spec->hidden, d = (double)spec->head_dim;
    double q = (double)spec->heads / t * d, kv = (double)model_kv_heads_shard(spec, tensor) * d;
    double f = (double)spec->ffn / t, scores = 0.0;
    if (experts) {
        f = (double)(spec->shared_experts * spec->expert_ffn) / t;
        scores = (double)spec->experts;
    }
    double matrices = attention_weights(spec, q, kv, t) + h * f * gates(spec) + h * scores;
    double biases = 0.0;
    if (spec->linear_bias)
        biases = q + 2 * kv + h + f * (gates(spec) - 1.0) + (f > 0.0 ? h : 0.0) + scores;
    else if (spec->qkv_bias)
        biases = q + 2 * kv;
    return matrices + biases + norm_weights(spec);
}

double model_expert_shard_params(const ModelSpec *spec, const ModelShard *shard)
{
    int64_t local = spec->experts / MAX(shard->expert, 1);
    return (double)local * (double)model_expert_params(spec) / (double)MAX(shard->expert_tensor, 1);
}

double model_vocab_shard_params(const ModelSpec *spec, int64_t tensor)
{
    if (spec->vocab == 0)
        return 0.0;
    return (double)(model_vocab_padded(spec, tensor) / tensor) * (double)spec->hidden;
}

double model_attention_forward_flop(const ModelSpec *spec, double sequences, double length)
{
    double width = 2.0 * (double)spec->head_dim;
    if (spec->kv_lora_rank > 0)
        width = (double)(spec->head_dim + spec->rope_head_dim + spec->value_head_dim);
    return (double)spec->layers * 2.0 * sequences * length * length * (double)spec->heads * width;
}

double model_flop(const ModelSpec *spec, double sequences, double length, bool causal)
{
    double h = (double)spec->hidden, d = (double)spec->head_dim;
    double attention_layer =
        attention_weights(spec, (double)spec->heads * d, (double)spec->kv_heads * d, 1.0);
    double sparse = (double)(spec->experts > 0 ? spec->layers - spec->dense_layers : 0);
    double visited = (double)((spec->experts_per_token + spec->shared_experts) * spec->expert_ffn);
    double matrices = (double)spec->layers * attention_layer +
                      ((double)spec->layers - sparse) * h * (double)spec->ffn * gates(spec) +
                      sparse * h * (visited * gates(spec) + (double)spec->experts) +
                      h * (double)spec->vocab;
    double attention = model_attention_forward_flop(spec, sequences, length);
    return 3.0 * (2.0 * sequences * length * matrices + attention * (causal ? 0.5 : 1.0));
}

/* The operations of multi-head latent attention in training.
 *
 * Notation of model_params.c: ranks r_q and r_kv of the compressions, heads of d without position,
 * d_r rotary and d_v of a value; T tokens, a heads, t tensor ranks.
 *
 *   down   T x r_q x h, T x (r_kv + d_r) x h          whole on every rank, over its sequence shard
 *   norms  of both compressed vectors
 *   [gather] r_q + r_kv + d_r a token, not h          (without query compression h comes first)
 *   up     T x a/t (d + d_r) x r_q, T x a/t (d + d_v) x r_kv
 *   attention, heads of d + d_r for scores and d_v for values: 2 (d + d_r + d_v) flop a score, as
 *          of heads (d + d_r + d_v) / 2 wide
 *   output T x h x a/t d_v
 *
 * Training multiplies the up-projections out and runs ordinary attention (DeepSeek-V2, arXiv
 * 2405.04434, section 2.1.2; the absorbed form is for decoding). Down-projections that the tensor
 * group does not cut: Megatron-Core, multi_latent_attention.py (linear_q_down_proj, duplicated).
 *
 * Left out: scores through memory (unfused attention), which the loader refuses. */
#include "model_ops_private.h"

static const double ACT = MODEL_ACTIVATION_BYTES;

static void add_core(const ModelSpec *spec, const ModelShard *shard, ModelOps *ops)
{
    int64_t heads = spec->heads / shard->tensor;
    int64_t query = spec->head_dim + spec->rope_head_dim, value = spec->value_head_dim;
    model_op_add_pass(ops, "rotary", MODEL_PART_ELEMENTWISE,
                      model_shard_tokens(shard) * 2.0 * (double)(heads * query), 2 * ACT, 2 * ACT,
                      0);
    ModelCore core = {heads, heads, query, query, value};
    model_op_add_fused_attention(shard, &core, ops);
}

void model_op_add_latent_attention(const ModelSpec *spec, const ModelShard *shard, ModelOps *ops)
{
    int64_t rows = model_shard_rows(shard), heads = spec->heads / shard->tensor;
    int64_t query = heads * (spec->head_dim + spec->rope_head_dim), rank = spec->q_lora_rank;
    int64_t latent = spec->kv_lora_rank, wide = latent + spec->rope_head_dim;
    bool compressed = rank > 0;
    int64_t down = compressed ? (int64_t)((double)rows * model_shard_sequence_share(shard)) : rows;
    double input = (double)down * (double)spec->hidden * ACT;
    if (compressed) {
        model_op_add_gemm(ops, "query down", MODEL_PART_LINEAR, down, rank, spec->hidden, input);
        model_op_add_norm(shard, rank, ops);
    } else {
        model_op_add_gather(shard, spec->hidden, ops);
        model_op_add_gemm(ops, "query", MODEL_PART_LINEAR, rows, query, spec->hidden, 0);
    }
    model_op_add_gemm(ops, "latent down", MODEL_PART_LINEAR, down, wide, spec->hidden, 0);
    model_op_add_norm(shard, latent, ops);
    if (compressed) {
        model_op_add_gather(shard, rank + wide, ops);
        model_op_add_gemm(ops, "query up", MODEL_PART_LINEAR, rows, query, rank, 0);
    }
    model_op_add_gemm(ops, "latent up", MODEL_PART_LINEAR, rows,
                      heads * (spec->head_dim + spec->value_head_dim), latent,
                      compressed ? 0 : (double)rows * (double)latent * ACT);
    add_core(spec, shard, ops);
    model_op_add_gemm(ops, "attention projection", MODEL_PART_LINEAR, rows, spec->hidden,
                      heads * spec->value_head_dim,
                      (double)rows * (double)(heads * spec->value_head_dim) * ACT);
}

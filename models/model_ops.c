/* The operations of a transformer layer, op by op.
 *
 * Notation: b sequences of s tokens, width h, a heads of d, g key/value heads, inner width f,
 * t tensor ranks, c context ranks. T = b s / c tokens are on a rank; where sequence parallelism
 * cuts the norms and dropouts, they see T / t.
 *
 *   norm -> [gather] -> QKV (T x (a + 2g) d / t x h) -> rotary -> attention -> projection
 *        -> [reduce] -> bias + dropout + residual
 *   norm -> [gather] -> MLP up (T x f/t x h, twice that when gated) -> activation -> MLP down
 *        -> [reduce] -> bias + dropout + residual
 *
 * [gather] and [reduce] are g and f of Megatron's tensor parallelism (Shoeybi 2019, section 3):
 * without sequence parallelism an all-reduce forward after each block and backward before it; with
 * it an all-gather before and a reduce-scatter after (Korthikanti 2022, section 4.2.2), where the
 * backward gathers the sharded input a second time for the weights' gradient.
 *
 * Bytes saved for the backward follow Korthikanti 2022, section 4.1: they sum to
 * s b h (34 + 5 a s / h) bytes for an unfused GPT layer with dropout (pinned by a test).
 * Passes over memory count every read and write of 2-byte activations and 1-byte masks.
 *
 * The head's logits are cut over the tensor group along the vocabulary, the loss too (Shoeybi 2019,
 * section 3), or gathered whole before a loss that every rank computes for itself (Megatron's
 * parallel_output, torchtitan's disable_loss_parallel).
 *
 * Fused attention and what a context group moves around it are in model_ops_context.c, latent
 * attention in model_ops_latent.c, layers of experts in model_ops_moe.c, grids of tensor ranks in
 * model_ops_grid.c.
 *
 * Left out: the three all-reduces of a cut loss (maximum, target logit, sum), 4 bytes a token each:
 * a test holds them below 0.5 % of the head. */
#include "model_ops.h"

#include "model_ops_private.h"
#include "model_params.h"

#include <glib.h>

/* Bytes an element: an activation, a dropout mask. */
static const double ACT = MODEL_ACTIVATION_BYTES;
static const double MASK = 1.0;

ModelOp *model_op_add(ModelOps *ops, ModelOp op)
{
    g_assert(ops->count < MODEL_OPS_MAX);
    ops->op[ops->count] = op;
    return &ops->op[ops->count++];
}

double model_shard_tokens(const ModelShard *shard)
{
    return (double)shard->micro_batch * (double)shard->sequence / (double)shard->context;
}

int64_t model_shard_rows(const ModelShard *shard)
{
    return shard->micro_batch * shard->sequence / shard->context;
}

/* Share of the tokens that norms and dropouts see. */
double model_shard_sequence_share(const ModelShard *shard)
{
    return shard->sequence_parallel ? 1.0 / (double)shard->tensor : 1.0;
}

/* Key/value heads on a rank: replicated when there are fewer than ranks. */
int64_t model_kv_heads_shard(const ModelSpec *spec, int64_t tensor)
{
    return MAX(spec->kv_heads / tensor, 1);
}

void model_op_add_pass(ModelOps *ops, const char *label, ModelPart part, double elements,
                       double forward, double backward, double saved)
{
    model_op_add(ops, (ModelOp){
                          .label = label,
                          .kind = MODEL_OP_PASS,
                          .part = part,
                          .forward_bytes = elements * forward,
                          .backward_bytes = elements * backward,
                          .forward_kernels = forward > 0,
                          .backward_kernels = backward > 0,
                          .saved_bytes = elements * saved,
                      });
}

/* Reads x, writes y; backward reads x and dy for dx, and again for the weights' gradient. */
void model_op_add_norm(const ModelShard *shard, int64_t width, ModelOps *ops)
{
    double elements = model_shard_tokens(shard) * model_shard_sequence_share(shard) * (double)width;
    model_op_add_pass(ops, "norm", MODEL_PART_ELEMENTWISE, elements, 2 * ACT, 5 * ACT, ACT);
    ops->op[ops->count - 1].backward_kernels = 2;
}

/* The input of a column-parallel GEMM: saved sharded under sequence parallelism. */
void model_op_add_gather(const ModelShard *shard, int64_t width, ModelOps *ops)
{
    bool sp = shard->sequence_parallel;
    double bytes = model_shard_tokens(shard) * (double)width * ACT;
    model_op_add(ops, (ModelOp){
                          .label = "tensor gather",
                          .kind = MODEL_OP_COMM,
                          .part = MODEL_PART_LINEAR,
                          .forward_bytes = bytes,
                          .backward_bytes = bytes,
                          .forward_comm = sp ? MODEL_COMM_ALL_GATHER : MODEL_COMM_NONE,
                          .backward_comm = sp ? MODEL_COMM_REDUCE_SCATTER : MODEL_COMM_ALL_REDUCE,
                          .regather = sp,
                          .saved_bytes = bytes * model_shard_sequence_share(shard),
                      });
}

/* The output of a row-parallel GEMM. */
void model_op_add_reduce(const ModelSpec *spec, const ModelShard *shard, ModelOps *ops)
{
    bool sp = shard->sequence_parallel;
    double bytes = model_shard_tokens(shard) * (double)spec->hidden * ACT;
    model_op_add(ops, (ModelOp){
                          .label = "tensor reduce",
                          .kind = MODEL_OP_COMM,
                          .part = MODEL_PART_LINEAR,
                          .forward_bytes = bytes,
                          .backward_bytes = bytes,
                          .forward_comm = sp ? MODEL_COMM_REDUCE_SCATTER : MODEL_COMM_ALL_REDUCE,
                          .backward_comm = sp ? MODEL_COMM_ALL_GATHER : MODEL_COMM_NONE,
                      });
}

void model_op_add_gemm(ModelOps *ops, const char *label, ModelPart part, int64_t m, int64_t n,
                       int64_t k, double saved_bytes)
{
    model_op_add(ops, (ModelOp){
                          .label = label,
                          .kind = MODEL_OP_GEMM,
                          .part = part,
                          .batch = 1,
                          .m = m,
                          .n = n,
                          .k = k,
                          .saved_bytes = saved_bytes,
                      });
}

/* y = residual + dropout(x + bias); the mask is kept, and backward adds the two gradients. */
void model_op_add_residual(const ModelSpec *spec, const ModelShard *shard, ModelOps *ops)
{
    double elements =
        model_shard_tokens(shard) * model_shard_sequence_share(shard) * (double)spec->hidden;
    double mask = shard->dropout ? MASK : 0.0;
    double forward = 3 * ACT + mask;
    double backward = 3 * ACT + (shard->dropout ? 2 * ACT + mask : 0.0);
    if (!shard->fused_kernels)
        forward += (spec->linear_bias ? 2 * ACT : 0.0) + (shard->dropout ? 2 * ACT : 0.0);
    model_op_add_pass(ops, "bias dropout residual", MODEL_PART_ELEMENTWISE, elements, forward,
                      backward, mask);
}

/* Rotary embedding and per-head norms: q and k are read and written, forward and backward. */
static void add_position(const ModelSpec *spec, const ModelShard *shard, ModelOps *ops)
{
    double width =
        (double)(spec->heads / shard->tensor + model_kv_heads_shard(spec, shard->tensor)) *
        (double)spec->head_dim;
    if (spec->qk_norm)
        model_op_add_pass(ops, "query key norm", MODEL_PART_ELEMENTWISE,
                          model_shard_tokens(shard) * width, 2 * ACT, 5 * ACT, ACT);
    if (spec->position == MODEL_POSITION_ROTARY)
        model_op_add_pass(ops, "rotary", MODEL_PART_ELEMENTWISE, model_shard_tokens(shard) * width,
                          2 * ACT, 2 * ACT, 0);
}

/* Scores, softmax, dropout, context through HBM: 2 b a s^2 bytes of softmax output, as much after
 * dropout, and b a s^2 of mask are kept. */
static void add_unfused_attention(const ModelSpec *spec, const ModelShard *shard, ModelOps *ops)
{
    int64_t heads = spec->heads / shard->tensor;
    int64_t queries = shard->sequence / shard->context;
    double scores =
        (double)shard->micro_batch * (double)heads * (double)queries * (double)shard->sequence;
    double qk = model_shard_tokens(shard) *
                (double)(heads + model_kv_heads_shard(spec, shard->tensor)) *
                (double)spec->head_dim;
    double v = model_shard_tokens(shard) * (double)model_kv_heads_shard(spec, shard->tensor) *
               (double)spec->head_dim;
    ModelOp product = {.kind = MODEL_OP_BATCHED_GEMM,
                       .part = MODEL_PART_ATTENTION,
                       .batch = shard->micro_batch * heads};
    product.label = "attention scores";
    product.m = queries, product.n = shard->sequence, product.k = spec->head_dim;
    model_op_add(ops, product);
    double soft = shard->fused_kernels ? 2 * ACT : 2 * ACT + 4 * ACT + 8;
    model_op_add_pass(ops, "softmax", MODEL_PART_ATTENTION, scores, soft, 3 * ACT, ACT);
    if (shard->dropout)
        model_op_add_pass(ops, "attention dropout", MODEL_PART_ATTENTION, scores, 2 * ACT + MASK,
                          2 * ACT + MASK, ACT + MASK);
    product.label = "attention context";
    product.m = queries, product.n = spec->head_dim, product.k = shard->sequence;
    model_op_add(ops, product);
    /* Query, key and value outlive the core: selective recomputation starts from them. */
    model_op_add_pass(ops, "attention transpose", MODEL_PART_ELEMENTWISE, qk + v, 2 * ACT, 2 * ACT,
                      ACT);
}

/* Multi-head or grouped attention, from the norm's output to the projection's input. */
static void add_attention(const ModelSpec *spec, const ModelShard *shard, ModelOps *ops)
{
    int64_t t = shard->tensor, rows = model_shard_rows(shard);
    int64_t query = spec->heads / t * spec->head_dim;
    int64_t kv = model_kv_heads_shard(spec, t) * spec->head_dim;
    model_op_add_gather(shard, spec->hidden, ops);
    model_op_add_gemm(ops, "qkv", MODEL_PART_LINEAR, rows, query + 2 * kv, spec->hidden, 0);
    add_position(spec, shard, ops);
    ModelCore core = {.heads = spec->heads / t,
                      .kv_heads = model_kv_heads_shard(spec, t),
                      .query = spec->head_dim,
                      .key = spec->head_dim,
                      .value = spec->head_dim};
    if (shard->fused_attention)
        model_op_add_fused_attention(shard, &core, ops);
    else
        add_unfused_attention(spec, shard, ops);
    model_op_add_gemm(ops, "attention projection", MODEL_PART_LINEAR, rows, spec->hidden, query,
                      (double)rows * (double)query * ACT);
}

void model_op_add_activation(const ModelSpec *spec, const ModelShard *shard, double elements,
                             ModelOps *ops)
{
    double gate = spec->gated_mlp ? 2.0 : 1.0;
    double bias = shard->fused_kernels || !spec->linear_bias ? 0.0 : 2 * ACT;
    model_op_add_pass(ops, "activation", MODEL_PART_ELEMENTWISE, elements,
                      (gate + 1) * ACT + bias * gate, (2 * gate + 1) * ACT, gate * ACT);
}

void model_op_add_mlp(const ModelSpec *spec, const ModelShard *shard, int64_t width, ModelOps *ops)
{
    int64_t rows = model_shard_rows(shard), inner = width / shard->tensor;
    double inner_elements = (double)rows * (double)inner;
    model_op_add_gather(shard, spec->hidden, ops);
    model_op_add_gemm(ops, "mlp up", MODEL_PART_LINEAR, rows, inner * (spec->gated_mlp ? 2 : 1),
                      spec->hidden, 0);
    model_op_add_activation(spec, shard, inner_elements, ops);
    model_op_add_gemm(ops, "mlp down", MODEL_PART_LINEAR, rows, spec->hidden, inner,
                      inner_elements * ACT);
    model_op_add_reduce(spec, shard, ops);
}

void model_ops_layer(const ModelSpec *spec, const ModelShard *shard, bool experts, ModelOps *ops)
{
    ops->count = 0;
    model_op_add_norm(shard, spec->hidden, ops);
    if (spec->kv_lora_rank > 0)
        model_op_add_latent_attention(spec, shard, ops);
    else
        add_attention(spec, shard, ops);
    model_op_add_reduce(spec, shard, ops);
    model_op_add_residual(spec, shard, ops);
    model_op_add_norm(shard, spec->hidden, ops);
    if (experts)
        model_op_add_experts(spec, shard, ops);
    else
        model_op_add_mlp(spec, shard, spec->ffn, ops);
    model_op_add_residual(spec, shard, ops);
    model_ops_on_grid(shard, ops);
}

void model_ops_embedding(const ModelSpec *spec, const ModelShard *shard, ModelOps *ops)
{
    double elements = model_shard_tokens(shard) * (double)spec->hidden;
    ops->count = 0;
    if (spec->vocab == 0)
        return;
    model_op_add_pass(ops, "embedding", MODEL_PART_EMBEDDING, elements, 2 * ACT, 6 * ACT, 0);
    model_op_add_reduce(spec, shard, ops);
    ops->op[ops->count - 1].part = MODEL_PART_EMBEDDING;
    if (spec->position == MODEL_POSITION_LEARNED)
        model_op_add_pass(ops, "position", MODEL_PART_EMBEDDING, elements, 3 * ACT, 3 * ACT, 0);
    if (shard->dropout)
        model_op_add_pass(ops, "embedding dropout", MODEL_PART_EMBEDDING,
                          elements * model_shard_sequence_share(shard), 2 * ACT + MASK,
                          2 * ACT + MASK, MASK);
    model_ops_on_grid(shard, ops);
}

int64_t model_vocab_padded(const ModelSpec *spec, int64_t tensor)
{
    int64_t multiple = 128 * tensor;
    return (spec->vocab + multiple - 1) / multiple * multiple;
}

/* A loss over logits that are whole on every rank: each gathers what the others have of them. */
static void add_logits_gather(double logits, ModelOps *ops)
{
    model_op_add(ops, (ModelOp){.label = "gather logits",
                                .kind = MODEL_OP_COMM,
                                .part = MODEL_PART_HEAD,
                                .forward_bytes = logits * ACT,
                                .forward_comm = MODEL_COMM_ALL_GATHER});
}

void model_ops_head(const ModelSpec *spec, const ModelShard *shard, ModelOps *ops)
{
    int64_t rows = model_shard_rows(shard);
    ops->count = 0;
    if (spec->vocab == 0)
        return;
    int64_t padded = model_vocab_padded(spec, shard->tensor), vocab = padded / shard->tensor;
    bool whole = shard->gathers_logits && shard->tensor > 1;
    double logits = (double)rows * (double)(whole ? padded : vocab);
    model_op_add_norm(shard, spec->hidden, ops);
    model_op_add_gather(shard, spec->hidden, ops);
    model_op_add_gemm(ops, "logits", MODEL_PART_HEAD, rows, vocab, spec->hidden, 0);
    if (whole)
        add_logits_gather(logits, ops);
    /* fp32 logits: cast, max, subtract, exponentiate, sum, divide; backward in place, cast back. */
    model_op_add_pass(ops, "cross-entropy", MODEL_PART_HEAD, logits, 6 + 4 + 8 + 8 + 4 + 8, 8 + 6,
                      4);
    ops->op[ops->count - 1].forward_kernels = 6;
    ops->op[ops->count - 1].backward_kernels = 2;
    model_ops_on_grid(shard, ops);
}

/* The operations of a layer of experts in training, on the busiest rank of its expert group.
 *
 * A rank holds T tokens (its share of the sequence: the tensor group's ranks have different ones),
 * each of which visits k of E experts; e ranks share the experts out, x ranks cut each one.
 *
 *   router     T x E x h, 16-bit operands and fp32 output, then softmax and top-k in fp32
 *   permute    T tokens read, k T written, in the order of their experts
 *   dispatch   k T tokens of h to the ranks of their experts
 *   [gather]   over the x ranks that cut an expert
 *   experts    E/e grouped products over A = k T x l rows, l the load of the busiest rank over the
 *              mean: up A x f/x (x 2, gated) x h, activation with the routing weights, down
 *   [reduce]   over the same x ranks
 *   combine    the way back; unpermute adds up the k outputs of a token
 *   shared     experts that all tokens visit: a dense MLP of their widths together
 *
 * Kernels that send a token once (DeepEP) need neither permute nor unpermute: copies are made and
 * added up where tokens arrive, in the passes that sort them. HybridEP writes its rows in order
 * itself. A grouped product that is fused with the activation (CuTe DSL, Megatron-Bridge of 2026)
 * has no pass for it; what the backward needs is kept all the same.
 *
 * Products of a group are equal here, A x / (E/e) rows each, up to a multiple of 16 (Megatron-Core
 * pads so for fp8; in 16 bits rows lie one behind the other along h, so that any number of them
 * loads aligned, which a price by shape alone does not see): the rank's sum is what its load is.
 * Sources: Shazeer 2017; Megatron-Core, moe/token_dispatcher.py (the all-to-all dispatcher sends a
 * copy an expert and sorts what arrives by local expert where a rank has several), moe_utils.py
 * (the router's fp32 output from 16-bit operands) and experts.py (weights applied in the
 * activation, so the outputs need not stay for the weights' gradient; _apply_bias: what biases
 * take).
 *
 * Left out: auxiliary losses, exchange of counts, shared experts under the
 * dispatch. */
#include "model_ops_private.h"

#include <glib.h>
#include <math.h>

static const double ACT = MODEL_ACTIVATION_BYTES;

/* Rows of an expert are padded to multiples of this. */
enum { ALIGNED_ROWS = 16 };

/* Bytes of a score, a routing weight or an index. */
static const double FP32 = 4.0;

static void add_router(const ModelSpec *spec, double tokens, ModelOps *ops)
{
    double scores = tokens * (double)spec->experts;
    /* What shared experts read is kept by them. */
    double kept = spec->shared_experts > 0 ? 0.0 : tokens * (double)spec->hidden * ACT;
    model_op_add_gemm(ops, "router", MODEL_PART_ROUTER, (int64_t)tokens, spec->experts,
                      spec->hidden, kept);
    /* Softmax, top-k, then the map of tokens to experts; backward through the softmax. */
    model_op_add_pass(ops, "routing", MODEL_PART_ELEMENTWISE, scores, 4 * FP32, 3 * FP32, FP32);
    ops->op[ops->count - 1].forward_kernels = 3;
}

/* @rows tokens of h read and @written written, and the other way round. */
static void add_reorder(const ModelSpec *spec, const char *label, double rows, double written,
                        ModelOps *ops)
{
    model_op_add_pass(ops, label, MODEL_PART_ELEMENTWISE, (rows + written) * (double)spec->hidden,
                      ACT, ACT, 0);
}

static void add_exchange(const ModelSpec *spec, ModelOpKind kind, double rows, ModelOps *ops)
{
    double bytes = rows * (double)spec->hidden * ACT;
    model_op_add(ops, (ModelOp){.label = kind == MODEL_OP_DISPATCH ? "dispatch" : "combine",
                                .kind = kind,
                                .part = MODEL_PART_LINEAR,
                                .forward_bytes = bytes,
                                .backward_bytes = bytes});
}

/* The ranks that cut an expert see each other's tokens; with experts uncut there is nothing. */
static void add_cut(const ModelSpec *spec, const ModelShard *shard, bool before, double rows,
                    ModelOps *ops)
{
    if (shard->expert_tensor <= 1)
        return;
    double bytes = rows * (double)spec->hidden * ACT;
    model_op_add(
        ops,
        (ModelOp){.label = before ? "expert gather" : "expert reduce",
                  .kind = MODEL_OP_COMM,
                  .part = MODEL_PART_LINEAR,
                  .forward_bytes = bytes,
                  .backward_bytes = bytes,
                  .forward_comm = before ? MODEL_COMM_ALL_GATHER : MODEL_COMM_REDUCE_SCATTER,
                  .backward_comm = before ? MODEL_COMM_REDUCE_SCATTER : MODEL_COMM_ALL_GATHER});
}

static void add_grouped(ModelOps *ops, const char *label, int64_t experts, double rows, int64_t n,
                        int64_t k)
{
    int64_t m = MAX((int64_t)ceil(rows / (double)(experts * ALIGNED_ROWS)), 1) * ALIGNED_ROWS;
    model_op_add_gemm(ops, label, MODEL_PART_LINEAR, m, n, k, rows * (double)k * ACT);
    ops->op[ops->count - 1].batch = experts;
    ops->op[ops->count - 1].routed = true;
}

/* The activation between them; fused, it is no pass, and what it keeps stays kept. */
static void add_expert_activation(const ModelSpec *spec, const ModelShard *shard, double elements,
                                  ModelOps *ops)
{
    size_t first = ops->count;
    model_op_add_activation(spec, shard, elements, ops);
    for (size_t i = first; shard->fused_experts && i < ops->count; i++) {
        ModelOp *op = &ops->op[i];
        op->forward_bytes = op->backward_bytes = 0.0;
        op->forward_kernels = op->backward_kernels = 0;
    }
}

/* The bias of the second product, times a routing weight in fp32, expert by expert: forward the
 * product of both written (4 bytes an element), added (2 + 4 read, 4 written), put together (8) and
 * rounded (6); backward widened (6), rounded for the product (6), gradients of weight and bias
 * (twice 4 read, 4 written, 4 read) and of the parts put together (4). */
static void add_expert_bias(double elements, int64_t local, ModelOps *ops)
{
    model_op_add_pass(ops, "expert bias", MODEL_PART_ELEMENTWISE, elements, 4 + 10 + 8 + 6,
                      6 + 6 + 24 + 4, 0);
    ops->op[ops->count - 1].forward_kernels = (int)(2 * local + 2);
    ops->op[ops->count - 1].backward_kernels = (int)(5 * local + 2);
}

void model_op_add_experts(const ModelSpec *spec, const ModelShard *shard, ModelOps *ops)
{
    int64_t ranks = MAX(shard->expert, 1), cut = MAX(shard->expert_tensor, 1);
    int64_t local = spec->experts / ranks, inner = spec->expert_ffn / cut;
    double tokens = model_shard_tokens(shard) * model_shard_sequence_share(shard);
    double copies = tokens * (double)spec->experts_per_token;
    double arrived = copies * (shard->expert_load > 0.0 ? shard->expert_load : 1.0);
    double rows = arrived * (double)cut;
    add_router(spec, tokens, ops);
    bool copies_made = shard->expert_order == MODEL_ORDER_COPIES;
    bool sorted =
        shard->expert_order != MODEL_ORDER_KERNEL && ranks * cut > 1 && (local > 1 || !copies_made);
    if (copies_made)
        add_reorder(spec, "permute", tokens, copies, ops);
    add_exchange(spec, MODEL_OP_DISPATCH, copies, ops);
    add_cut(spec, shard, true, rows, ops);
    if (sorted)
        add_reorder(spec, "sort by expert", rows, rows, ops);
    add_grouped(ops, "experts up", local, rows, inner * (spec->gated_mlp ? 2 : 1), spec->hidden);
    add_expert_activation(spec, shard, rows * (double)inner, ops);
    add_grouped(ops, "experts down", local, rows, spec->hidden, inner);
    if (spec->linear_bias && !shard->fused_experts)
        add_expert_bias(rows * (double)spec->hidden, local, ops);
    if (sorted)
        add_reorder(spec, "sort by rank", rows, rows, ops);
    add_cut(spec, shard, false, rows, ops);
    add_exchange(spec, MODEL_OP_COMBINE, copies, ops);
    if (copies_made)
        add_reorder(spec, "unpermute", copies, tokens, ops);
    if (spec->shared_experts > 0) {
        model_op_add_mlp(spec, shard, spec->shared_experts * spec->expert_ffn, ops);
        model_op_add_pass(ops, "add shared", MODEL_PART_ELEMENTWISE, tokens * (double)spec->hidden,
                          3 * ACT, 0, 0);
    }
}

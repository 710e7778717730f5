/* What the backward of a layer repeats of its forward.
 *
 *   selective  scores, softmax, dropout and context of attention (Korthikanti 2022, section 5)
 *   full       all; where recomputation stops early, what comes before the last product, whose
 *              output no gradient needs (torch.utils.checkpoint, early_stop of PyTorch 2.1; XLA
 *              drops what is not used)
 *   per-op     all but attention, every other product and what the tensor group reduced: of query,
 *              key, value, projection, gate, up and down the first is kept, the second is not
 *              (torchtitan, parallelize_llama.py of 2024, _save_list)
 *
 * Products of one input are one here (query, key and value; gate and up): the columns of those that
 * are not kept are repeated. So per-op repeats, of a gated layer with h columns of queries and k of
 * keys, k / (h + 2 k) of the first product, all of the projection and half of the MLP's first.
 *
 * Left out: products of experts and of latent attention, which are repeated whole; early stop of
 * layers of experts. */
#include "strat_repeat.h"

#include "strat_cost.h"

#include <glib.h>

static const double ACTIVATION_BYTES = 2.0;

/* Share of the product @op that is not kept. */
static double dropped_share(const ModelSpec *spec, const ModelOp *op)
{
    double heads = (double)spec->heads, kv = (double)spec->kv_heads;
    if (g_str_equal(op->label, "qkv"))
        return kv / (heads + 2.0 * kv);
    if (g_str_equal(op->label, "mlp up"))
        return spec->gated_mlp ? 0.5 : 0.0;
    return g_str_equal(op->label, "mlp down") ? 0.0 : 1.0;
}

static bool is_reduction(const ModelOps *ops, size_t i)
{
    return ops->op[i].kind == MODEL_OP_COMM && i > 0 && ops->op[i - 1].kind == MODEL_OP_GEMM;
}

/* The last product of the layer, or none. */
static size_t last_product(const ModelOps *ops)
{
    size_t i = ops->count;
    while (i > 0 && ops->op[i - 1].kind != MODEL_OP_GEMM)
        i--;
    return i > 0 ? i - 1 : ops->count;
}

void strat_repeat_ops(const StratPlan *plan, const ModelSpec *spec, const ModelOps *ops,
                      ModelOps *again, bool repeated[MODEL_OPS_MAX])
{
    bool per_op = plan->recompute == STRAT_RECOMPUTE_PER_OP;
    bool stops = per_op || (plan->recompute == STRAT_RECOMPUTE_FULL && plan->recompute_stops_early);
    size_t end = stops ? last_product(ops) : ops->count;
    *again = *ops;
    for (size_t i = 0; i < ops->count; i++) {
        ModelOp *op = &again->op[i];
        repeated[i] = plan->recompute != STRAT_RECOMPUTE_NONE && i < end;
        if (plan->recompute == STRAT_RECOMPUTE_SELECTIVE)
            repeated[i] = op->part == MODEL_PART_ATTENTION;
        if (!per_op || !repeated[i])
            continue;
        if (op->kind == MODEL_OP_GEMM)
            op->n = (int64_t)(dropped_share(spec, op) * (double)op->n + 0.5);
        bool kept = op->part == MODEL_PART_ATTENTION || is_reduction(ops, i);
        repeated[i] = !kept && (op->kind != MODEL_OP_GEMM || op->n > 0);
    }
}

double strat_repeat_per_op_bytes(const StratPlan *plan, const ModelSpec *spec, const ModelOps *ops,
                                 double input_bytes)
{
    double bytes = input_bytes;
    for (size_t i = 0; i < ops->count; i++) {
        const ModelOp *op = &ops->op[i];
        double outputs = (double)(op->batch * op->m);
        if (op->kind == MODEL_OP_GEMM)
            bytes += ACTIVATION_BYTES * outputs * (double)op->n * (1.0 - dropped_share(spec, op));
        else if (op->kind == MODEL_OP_ATTENTION) /* its output, and the sum of each row in fp32 */
            bytes += outputs * (ACTIVATION_BYTES * (double)op->k + 4.0);
        else if (is_reduction(ops, i) && plan->sequence_parallel)
            bytes += op->forward_bytes / (double)plan->tensor;
    }
    return bytes;
}

static double product_flop(const ModelOp *op)
{
    double products = op->kind == MODEL_OP_ATTENTION ? 2.0 : 1.0;
    bool is_product = op->kind == MODEL_OP_GEMM || op->kind == MODEL_OP_BATCHED_GEMM ||
                      op->kind == MODEL_OP_ATTENTION;
    return is_product ? 2.0 * products * (double)(op->batch * op->m) * (double)op->n * (double)op->k
                      : 0.0;
}

double strat_repeat_flop_fraction(const StratPlan *plan, const ModelSpec *spec)
{
    if (plan->recompute == STRAT_RECOMPUTE_FULL && !plan->recompute_stops_early)
        return 1.0;
    ModelShard shard = strat_shard(plan);
    ModelOps ops, again;
    bool repeated[MODEL_OPS_MAX];
    double all = 0.0, more = 0.0;
    model_ops_layer(spec, &shard, false, &ops);
    strat_repeat_ops(plan, spec, &ops, &again, repeated);
    for (size_t i = 0; i < ops.count; i++) {
        all += product_flop(&ops.op[i]);
        more += repeated[i] ? product_flop(&again.op[i]) : 0.0;
    }
    return more / all;
}

/* Tensor ranks in a grid of q x q, every matrix cut along both sides (2D), and d such grids over
 * the batch (2.5D).
 *
 *   Y (T x n) = X (T x k) W (k x n): a rank has T/q x n/q, T/q x k/q and k/q x n/q of them; in each
 *   of q steps a column of ranks broadcasts its panel of X along the rows, a row its panel of W
 *   along the columns, and all multiply: SUMMA (Van de Geijn and Watts 1997)
 *
 * The list it starts from is that of q tensor ranks in a row, sequence parallel, over 1 / (q d) of
 * the batch: the elements that a rank has, keeps and passes over are the same there, since 1/q of
 * the tokens is cut instead of 1/q of the width. What changes:
 *
 *   gathers and reductions of whole activations are gone; inputs are kept as before
 *   products   column-parallel n = n'/q, k = k'; row-parallel n = n', k = k'/q become n'/q, k' in q
 *              steps each
 *   norms      sums over a row's width: an all-reduce of two fp32 a token over the row
 *   loss       maximum, sum and target likewise
 *
 * Sources: Xu 2021, Optimus (arXiv 2104.05343), section 3; Wang 2021, Tesseract (arXiv 2105.14500),
 * section 3; Colossal-AI, nn/layer/parallel_2d.
 *
 * Left out: panels held for a moment, biases broadcast along columns. */
#include "model_ops_private.h"

#include <glib.h>

static const double FP32 = 4.0;

/* A norm has two sums a token, forward and backward; a loss three numbers, and nothing backward. */
static void add_row(ModelOps *ops, const ModelOp *after, double tokens, double forward,
                    double backward)
{
    model_op_add(ops, (ModelOp){.label = "row sums",
                                .kind = MODEL_OP_ROW,
                                .part = after->part,
                                .forward_bytes = forward * tokens * FP32,
                                .backward_bytes = backward * tokens * FP32});
}

static void step_product(ModelOp *op, int64_t side, bool cuts_k)
{
    op->steps = side;
    if (!cuts_k)
        return;
    op->n /= side;
    op->k *= side;
}

void model_ops_on_grid(const ModelShard *shard, ModelOps *ops)
{
    if (shard->grid <= 1)
        return;
    ModelOps row = *ops;
    double tokens = model_shard_tokens(shard);
    ops->count = 0;
    for (size_t i = 0; i < row.count; i++) {
        ModelOp *op = model_op_add(ops, row.op[i]);
        bool reduced = i + 1 < row.count && row.op[i + 1].kind == MODEL_OP_COMM &&
                       row.op[i + 1].backward_comm == MODEL_COMM_ALL_GATHER;
        if (op->kind == MODEL_OP_GEMM)
            step_product(op, shard->grid, reduced);
        if (op->kind == MODEL_OP_COMM) {
            op->forward_comm = op->backward_comm = MODEL_COMM_NONE;
            op->regather = false;
        }
        if (g_str_equal(op->label, "norm"))
            add_row(ops, op, tokens, 2.0, 2.0);
        else if (g_str_equal(op->label, "cross-entropy"))
            add_row(ops, op, tokens, 3.0, 0.0);
    }
}

/* Recomputation of cheap parts (Megatron-Core, recompute_modules: layernorm, mla_up_proj, moe_act,
 * mlp; DeepSeek-V3, arXiv 2412.19437, sections 3.2.3 and 3.3.3).
 *
 *   norms           the norm's input is kept as before; its output, which the products after it
 *                   keep, is not: 2 elements read and written again, no product
 *   up_projection   of latent attention queries, keys and values are made again from the latent
 *                   vectors: two products and the rotary pass. The core keeps its statistics, and
 *                   its output stays with the projection that reads it
 *   activations     the output, which the last product keeps, is made again from the input
 *   quantised_inputs  that input is kept as the recipe quantises it
 *
 * Rows that experts received stay: making them again would take the exchange again. */
#include "strat_recompute_parts.h"

#include <glib.h>

static bool has_label(const ModelOp *op, const char *label)
{
    return g_str_equal(op->label, label);
}

/* What reads the norm at @norm keeps its output: every product or gather up to the next norm or
 * exchange, but for those that read an activation or attention. */
static void drop_norm_output(ModelOps *ops, size_t norm)
{
    for (size_t i = norm + 1; i < ops->count; i++) {
        ModelOp *op = &ops->op[i];
        if (has_label(op, "norm") || op->kind == MODEL_OP_DISPATCH ||
            op->kind == MODEL_OP_ATTENTION || has_label(op, "activation"))
            return;
        if (op->kind == MODEL_OP_GEMM || op->kind == MODEL_OP_COMM)
            op->saved_bytes = 0.0;
    }
}

static void again(ModelOp *op)
{
    op->again = true;
}

static void repeat_up(ModelOp *op)
{
    if (has_label(op, "query up") || has_label(op, "latent up") || has_label(op, "rotary"))
        again(op);
    else if (op->kind == MODEL_OP_ATTENTION)
        op->saved_bytes = (double)op->batch * (double)op->m * 4.0;
}

void strat_recompute_parts_apply(const StratRecomputeParts *parts, const StratRecipe *recipe,
                                 ModelOps *ops)
{
    for (size_t i = 0; i < ops->count; i++) {
        ModelOp *op = &ops->op[i];
        bool activation = has_label(op, "activation");
        if (parts->norms && has_label(op, "norm")) {
            again(op);
            drop_norm_output(ops, i);
        }
        if (parts->up_projection)
            repeat_up(op);
        if (parts->activations && activation && i + 1 < ops->count) {
            again(op);
            op[1].saved_bytes = 0.0;
        }
        if (parts->quantised_inputs && activation && recipe)
            op->saved_bytes *= recipe->element_bytes / 2.0;
    }
    /* The shared experts read the norm before the exchange: their gather keeps nothing either. */
    for (size_t i = 0; parts->norms && i < ops->count; i++)
        if (ops->op[i].kind == MODEL_OP_COMM && i + 1 < ops->count &&
            has_label(&ops->op[i + 1], "mlp up"))
            ops->op[i].saved_bytes = 0.0;
}

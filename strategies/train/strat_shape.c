/* One place for what a fused attention, a 16-bit product and a sparse one are to a kernel profile.
 *
 * GPUs since Ampere multiply a 2:4 sparse matrix at twice the dense rate; cuSPARSELt's products of
 * large matrices reach 1.3 to 1.9 times the dense ones (Mishra 2021, arXiv 2104.08378, figure 3),
 * so the plan says what it counts on. The gradient of the weights is dense: it has no sparse
 * operand (Hu 2024, arXiv 2404.01847, section 3). */
#include "strat_shape.h"

TopoDtype strat_wide_dtype(TopoDtype dtype)
{
    return dtype > TOPO_DTYPE_BF16 ? TOPO_DTYPE_BF16 : dtype;
}

KernAttentionShape strat_attention_shape(const StratPlan *plan, const ModelOp *op)
{
    return (KernAttentionShape){.batch = op->batch,
                                .kv_batch = op->kv_batch,
                                .queries = op->m,
                                .keys = op->n,
                                .head_dim = op->k,
                                .unmasked_fraction = op->causal_fraction,
                                .dtype = strat_wide_dtype(plan->precision),
                                .flash_2 = strat_context_runs_flash_2(plan)};
}

double strat_sparse_gain(const StratPlan *plan, const ModelOp *op, bool backward)
{
    const StratSparsity *sparsity = &plan->sparsity;
    bool is_sparse = op->kind == MODEL_OP_GEMM && op->part == MODEL_PART_LINEAR &&
                     sparsity->gain > 0.0 && (sparsity->backward || !backward);
    return is_sparse ? sparsity->gain : 1.0;
}

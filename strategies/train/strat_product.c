/* Products of a training step. Scales of blocks (128 x 128 weights, 128 activations) are applied by
 * the kernel itself, every 128 steps of k (DeepSeek-V3, arXiv 2412.19437, section 3.3.2): such
 * kernels have a fit of their own. The host that calls them is counted with its layer
 * (strat_expert_software.c), not with each product.
 *
 * GPUs since Ampere multiply a 2:4 sparse matrix at twice the dense rate; cuSPARSELt's products of
 * large matrices reach 1.3 to 1.9 times the dense ones (Mishra 2021, arXiv 2104.08378, figure 3),
 * so the plan says what it counts on. The gradient of the weights is dense: it has no sparse
 * operand (Hu 2024, arXiv 2404.01847, section 3). */
#include "strat_product.h"

#include "kern_pass.h"

double strat_product_s(const KernDevice *device, const StratRecipe *recipe,
                       const KernGemmShape *shape)
{
    KernGemmShape scaled = *shape;
    if (recipe && recipe->block_scales && shape->dtype == TOPO_DTYPE_FP8) {
        scaled.weights = KERN_WEIGHTS_BLOCK_SCALED;
        scaled.captured = true;
    }
    double rate = recipe && shape->dtype == recipe->dtype ? strat_recipe_rate(recipe) : 1.0;
    return kern_gemm_s(device, &scaled) / rate;
}

double strat_linear_s(const KernDevice *device, const StratRecipe *recipe, const ModelOp *op,
                      bool fused, int64_t m, int64_t n, int64_t k, TopoDtype dtype)
{
    bool apart = op->routed && !fused;
    KernGemmShape shape = {.batch = apart ? 1 : op->batch, .m = m, .n = n, .k = k, .dtype = dtype};
    return (apart ? (double)op->batch : 1.0) * strat_product_s(device, recipe, &shape);
}

/* Adding a product's dW to the gradient of the step: 6 bytes a weight beyond the product itself,
 * both when it is fused (fp32 read and written, where 2 bytes of output were counted) and when it
 * is a pass of its own in 16 bits (dW and the sum read, the sum written). The bias' gradient reads
 * dY once more. */
double strat_accumulate_s(const KernDevice *device, const ModelOp *op, bool linear_bias)
{
    double weights = (double)(op->batch * op->n) * (double)op->k;
    bool bias = linear_bias && op->part == MODEL_PART_LINEAR;
    double bytes = 6.0 * weights + (bias ? 2.0 * (double)(op->batch * op->m) * (double)op->n : 0.0);
    return kern_pass_s(device, bytes, bias ? 2 : 1);
}

TopoDtype strat_wide_dtype(TopoDtype dtype)
{
    return dtype > TOPO_DTYPE_BF16 ? TOPO_DTYPE_BF16 : dtype;
}

TopoDtype strat_op_dtype(const StratPlan *plan, const StratRecipe *recipe, const ModelOp *op)
{
    bool low = op->part == MODEL_PART_LINEAR && recipe;
    return low ? recipe->dtype : strat_wide_dtype(plan->precision);
}

static KernAttentionKernels kernels_of(const StratPlan *plan)
{
    if (plan->attention == STRAT_ATTENTION_FLASH_1)
        return KERN_ATTENTION_FLASH_1;
    return strat_context_runs_flash_2(plan) ? KERN_ATTENTION_FLASH_2 : KERN_ATTENTION_FITTED;
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
                                .kernels = kernels_of(plan)};
}

double strat_sparse_gain(const StratPlan *plan, const ModelOp *op, bool backward)
{
    const StratSparsity *sparsity = &plan->sparsity;
    bool is_sparse = op->kind == MODEL_OP_GEMM && op->part == MODEL_PART_LINEAR &&
                     sparsity->gain > 0.0 && (sparsity->backward || !backward);
    return is_sparse ? sparsity->gain : 1.0;
}

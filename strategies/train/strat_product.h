/** Products of a training step as kernels see them. */
#ifndef STRAT_PRODUCT_H
#define STRAT_PRODUCT_H

#include "kern_attention.h"
#include "kern_gemm.h"
#include "strat_plan.h"
#include "strat_recipe.h"

/** Seconds of @shape on @device; products in fp8 of a @recipe (NULL: 16 bits or more) whose scales
 *  lie in blocks are priced by the fit of such kernels. */
double strat_product_s(const KernDevice *device, const StratRecipe *recipe,
                       const KernGemmShape *shape);

/** As that for the weights of @op: its own @m, @n and @k, or those of a gradient. Products of
 *  experts are one call after the other (Transformer Engine, GroupedLinear), unless @fused. */
double strat_linear_s(const KernDevice *device, const StratRecipe *recipe, const ModelOp *op,
                      bool fused, int64_t m, int64_t n, int64_t k, TopoDtype dtype);

/** Seconds of adding the gradient of @op's weights, and of its bias where linear layers have one
 *  (@linear_bias), to that of the step. */
double strat_accumulate_s(const KernDevice *device, const ModelOp *op, bool linear_bias);

/** The type that a product of @op is computed in, in a layer of @recipe (NULL: 16 bits or more). */
TopoDtype strat_op_dtype(const StratPlan *plan, const StratRecipe *recipe, const ModelOp *op);

/** Attention and logits stay in 16 bits when the linear layers go below. */
TopoDtype strat_wide_dtype(TopoDtype dtype);

/** The fused attention of @op in @plan. */
KernAttentionShape strat_attention_shape(const StratPlan *plan, const ModelOp *op);

/** How much faster the products of @op, or (@backward) those of its input's gradient, are with 2:4
 *  weights than with dense ones; 1 where they are dense. */
double strat_sparse_gain(const StratPlan *plan, const ModelOp *op, bool backward);

#endif

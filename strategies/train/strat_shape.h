/** Shapes of kernels, from the operations of models/ and a plan. */
#ifndef STRAT_SHAPE_H
#define STRAT_SHAPE_H

#include "kern_attention.h"
#include "strat_cost.h"

/** @dtype, or 16 bits where it is narrower: attention and logits stay there when the linear layers
 *  go below. */
TopoDtype strat_wide_dtype(TopoDtype dtype);

/** The fused attention @op of @plan. */
KernAttentionShape strat_attention_shape(const StratPlan *plan, const ModelOp *op);

/** How much faster the products of @op, or (@backward) those of its input's gradient, are with 2:4
 *  weights than with dense ones; 1 where they are dense. */
double strat_sparse_gain(const StratPlan *plan, const ModelOp *op, bool backward);

#endif

/** What an operation computes and moves: the axes of a roofline. */
#ifndef STRAT_WORK_H
#define STRAT_WORK_H

#include "strat_cost.h"

/** Fills in flop and bytes of @span, which prices all (forward) or one product (backward) of @op in
 *  a layer of @recipe (NULL: 16 bits or more); zeros where @op (NULL: none) does not compute, or
 *  @span is beside it (a cast, an accumulation). */
void strat_work(const StratCosting *costing, const ModelOp *op, const StratRecipe *recipe,
                bool backward, StratSpan *span);

#endif

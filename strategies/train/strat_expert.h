/** Layers of experts in training: their operations, and seconds of tokens on their way. */
#ifndef STRAT_EXPERT_H
#define STRAT_EXPERT_H

#include "strat_cost.h"

#include <glib.h>

/** Rows of the busiest rank of an expert group over the mean; 1 when even. */
double strat_expert_load(const ModelSpec *model, const StratPlan *plan);

/** The operations of one layer of the costing's model, with experts or dense. */
void strat_layer_ops(const StratCosting *costing, bool experts, ModelOps *ops);

/** Seconds of @op (DISPATCH, COMBINE) of @chunk; @outward: rows go to the experts. */
double strat_expert_exchange_s(const StratCosting *costing, const StratModelChunk *chunk,
                               const ModelOp *op, bool outward);

/** Seconds of compute in @spans (of StratSpan) from @first on. */
double strat_expert_beside_s(const GArray *spans, guint first);

/** Whether the experts of @model split over the ranks of @plan; false and @reason (owned by the
 *  caller, may be NULL) otherwise. */
bool strat_expert_fits(const ModelSpec *model, const StratPlan *plan, char **reason);

#endif

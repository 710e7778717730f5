/** Attention of a rank whose sequences a context group shares. */
#ifndef STRAT_CONTEXT_H
#define STRAT_CONTEXT_H

#include "kern_attention.h"
#include "model_ops.h"
#include "strat_cost.h"

/** What the busiest rank of the group attends to in @op, a fused attention. */
KernAttentionShape strat_context_shape(const StratPlan *plan, const ModelOp *op);

/** Seconds of the ring of keys and values that outlast @attention_s, that of all its steps
 * together;
 *  @bytes go to the next rank in each. */
double strat_context_exposed_s(const StratCosting *costing, const StratModelChunk *chunk,
                               double bytes, double attention_s);

#endif

/** Layers of experts in training: their operations, and seconds of tokens on their way. */
#ifndef STRAT_EXPERT_H
#define STRAT_EXPERT_H

#include "strat_cost.h"

#include <glib.h>

/** Rows of the busiest rank of an expert group over the mean; 1 when even. */
double strat_expert_load(const ModelSpec *model, const StratPlan *plan);

/** Whether @rows, as plan.expert_histogram has them, are of @model's experts, and not all 0. */
bool strat_expert_reads_histogram(const ModelSpec *model, const char *rows);

/** Whether layer @layer of @chunk, from 0, has experts. */
bool strat_layer_has_experts(const StratModelChunk *chunk, int64_t layer);

/** How the plan quantises that layer; NULL: not at all. */
const StratRecipe *strat_layer_recipe(const StratPlan *plan, const StratModelChunk *chunk,
                                      int64_t layer);

/** How many layers of @chunk from @layer on are alike in both, and in what is recomputed. */
int64_t strat_layer_run(const StratModelChunk *chunk, int64_t layer);

/** The operations of that layer of the costing's model. */
void strat_layer_ops(const StratCosting *costing, const StratModelChunk *chunk, int64_t layer,
                     ModelOps *ops);

/** Seconds of @op (DISPATCH, COMBINE) of @chunk; @outward: rows go to the experts. */
double strat_expert_exchange_s(const StratCosting *costing, const StratModelChunk *chunk,
                               const ModelOp *op, bool outward);

/** Bytes that each rank of the expert group has for the others in that exchange, as an all-to-all
 *  that takes as many out of each scale-up domain; 0 within one. */
double strat_expert_exchange_bytes(const StratCosting *costing, const StratModelChunk *chunk,
                                   const ModelOp *op, bool outward);

/** Seconds of compute in @spans (of StratSpan) from @first on. */
double strat_expert_beside_s(const GArray *spans, guint first);

/** Seconds that the layer of @ops, with experts or dense, still waits for its host after @spans (of
 *  StratSpan) from @first on; @parts of its backward (StratBackward), 0: forward. */
double strat_expert_host_wait_s(const StratPlan *plan, const ModelOps *ops, const GArray *spans,
                                guint first, unsigned parts);

/** Whether the experts of @model split over the ranks of @plan; false and @reason (owned by the
 *  caller, may be NULL) otherwise. */
bool strat_expert_fits(const ModelSpec *model, const StratPlan *plan, char **reason);

#endif

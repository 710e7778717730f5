/** Distillation: a teacher's forward beside the student's step. */
#ifndef STRAT_DISTILL_H
#define STRAT_DISTILL_H

#include "strat_cost.h"

/** Whether @plan has a teacher. */
bool strat_distill_is_on(const StratPlan *plan);

/** Appends the spans of the teacher's part of @chunk, under STRAT_BUCKET_TEACHER, and of what its
 *  logits take. */
void strat_distill_forward(const StratCosting *costing, const StratModelChunk *chunk,
                           GArray *spans);

/** Bytes of the teacher's weights in @chunk on one rank, and those alive only for a moment. */
double strat_distill_weights_bytes(const StratCosting *costing, const StratModelChunk *chunk);
double strat_distill_workspace_bytes(const StratCosting *costing, const StratModelChunk *chunk);

/** FLOPs of the teacher's forward for @sequences sequences. */
double strat_distill_flop(const StratCosting *costing, double sequences);

#endif

/** From a plan to a Program: one training step of every rank class. */
#ifndef STRAT_COMPILE_H
#define STRAT_COMPILE_H

#include "sim_program.h"
#include "strat_cost.h"
#include "strat_fold.h"
#include "strat_transfers.h"

/** A compiled step. */
typedef struct StratStep {
    SimProgram *program;       /* bucket i is StratBucket i */
    StratTransfers *transfers; /* what the program's transfer numbers mean */
    StratFold *fold;
} StratStep;

/** Compiles one optimizer step of the plan in @costing; @fold off gives every rank a class of its
 *  own. NULL and @error when a price is not a time. Free with strat_step_free(). */
StratStep *strat_compile(const StratCosting *costing, bool fold, GError **error);

void strat_step_free(StratStep *step);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratStep, strat_step_free)

#endif

/** From a plan to a Program: one training step of every rank class. */
#ifndef STRAT_COMPILE_H
#define STRAT_COMPILE_H

#include "sim_program.h"
#include "strat_cost.h"
#include "strat_fold.h"
#include "strat_schedule.h"
#include "strat_transfers.h"

/** A task of a stage: its operations on the main stream, from the first to the last. */
typedef struct StratTaskOps {
    StratTask task;
    int64_t stage;
    uint32_t first, last;
} StratTaskOps;

/** A compiled step. */
typedef struct StratStep {
    GArray *tasks; /* of StratTaskOps: those of the first rank of each stage, in their order; NULL
                      when it has several jobs */
    SimProgram *program;       /* bucket i is StratBucket i */
    StratTransfers *transfers; /* what the program's transfer numbers mean */
    StratFold *fold;           /* NULL when it has several jobs */
} StratStep;

/** Compiles one optimizer step of the plan in @costing; @fold off gives every rank a class of its
 *  own. NULL and @error when a price is not a time. Free with strat_step_free(). */
StratStep *strat_compile(const StratCosting *costing, bool fold, GError **error);

/** One job of a program that has several. */
typedef struct StratSteps {
    const StratCosting *costing;
    const StratFold *fold;
    const char *prefix; /* of the names of its classes */
    int64_t first_rank; /* its ranks are numbered from here among those of all jobs */
    uint32_t steps;     /* how many it runs, one after the other, 1 or more */
    GArray *tasks;      /* takes a step's StratTaskOps; NULL: nobody asks */
} StratSteps;

/** A program without operations, whose bucket i is StratBucket i. Free with sim_program_free(). */
SimProgram *strat_program_new(void);

/** Appends the steps of @job to @program, which is not sealed, and their transfers to @transfers. A
 *  step begins when all ranks of the job have ended the last. @ends (of uint32_t) receives, of each
 *  step, how many operations the program has after it. NULL and @error as strat_compile(). */
bool strat_compile_steps(const StratSteps *job, SimProgram *program, StratTransfers *transfers,
                         GArray *ends, GError **error);

void strat_step_free(StratStep *step);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratStep, strat_step_free)

#endif

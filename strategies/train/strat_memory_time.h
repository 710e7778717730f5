/** What a stage holds over the time of a step. */
#ifndef STRAT_MEMORY_TIME_H
#define STRAT_MEMORY_TIME_H

#include "sim_exec.h"
#include "strat_compile.h"

/** From @at_ns to the next moment. Weights, gradients and optimizer are there all the time. */
typedef struct StratMoment {
    SimTime at_ns;
    double activations_bytes;
    double workspace_bytes;
    double in_flight; /* microbatch chunks whose activations are held */
    StratTask task;   /* that begins or, where activations shrink, ends */
} StratMoment;

/** The moments (of StratMoment, freed by the caller) of @stage in @run, which ran @step, in order
 * of time: from nothing held to nothing held. The most held is what strat_memory_stages() says:
 *  @workspace_bytes of it, which count as held while tasks run. */
GArray *strat_memory_moments(const StratCosting *costing, const StratStep *step, const SimRun *run,
                             int64_t stage, double workspace_bytes);

/** The moment with the most activations, the first of them. */
const StratMoment *strat_memory_peak_moment(const GArray *moments);

#endif

/** The pipeline of a plan: its shape, and what its tasks take. */
#ifndef STRAT_PIPE_H
#define STRAT_PIPE_H

#include "strat_cost.h"
#include "strat_schedule.h"

/** The shape; with times where the schedule looks at them. */
StratPipeline strat_pipe(const StratCosting *costing);

#endif

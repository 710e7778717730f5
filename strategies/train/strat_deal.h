/** Microbatches dealt to data-parallel replicas by their speed. */
#ifndef STRAT_DEAL_H
#define STRAT_DEAL_H

#include "strat_cost.h"

/** How many microbatches each replica of the plan takes, one or more each, in sum those of the
 *  global batch; NULL where the plan gives all as many. The caller frees. */
int64_t *strat_deal(const StratCosting *costing);

/** Deals @total microbatches to @count replicas whose microbatch takes @seconds each, in pipelines of
 *  @stages: @dealt receives how many each takes. @total is @count or more. */
void strat_deal_out(const double *seconds, int64_t count, int64_t stages, int64_t total,
                    int64_t *dealt);

#endif

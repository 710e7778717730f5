/** DualPipe: microbatches from both ends, forwards and backwards in pairs. */
#ifndef STRAT_SCHEDULE_DUAL_H
#define STRAT_SCHEDULE_DUAL_H

#include "strat_schedule.h"

void strat_schedule_order_dual(const StratPipeline *pipeline, int64_t stage, GArray *tasks);
void strat_schedule_order_dual_v(const StratPipeline *pipeline, int64_t stage, GArray *tasks);
double strat_schedule_bubble_dual(const StratPipeline *pipeline);
double strat_schedule_bubble_dual_v(const StratPipeline *pipeline);

#endif

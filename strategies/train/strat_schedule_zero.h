/** Zero-bubble schedules: orders that are found by laying tasks out in time. */
#ifndef STRAT_SCHEDULE_ZERO_H
#define STRAT_SCHEDULE_ZERO_H

#include "strat_schedule.h"

void strat_schedule_plan_zb_h1(const StratPipeline *pipeline, GArray **tasks);
void strat_schedule_plan_zb_h2(const StratPipeline *pipeline, GArray **tasks);
void strat_schedule_plan_zb_1p(const StratPipeline *pipeline, GArray **tasks);
void strat_schedule_plan_zb_2p(const StratPipeline *pipeline, GArray **tasks);
void strat_schedule_plan_zb_v(const StratPipeline *pipeline, GArray **tasks);

#endif

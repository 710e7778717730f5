/** What levers change in a stage's memory: adapters, teachers, sparse weights, other stores. */
#ifndef STRAT_MEMORY_LEVERS_H
#define STRAT_MEMORY_LEVERS_H

#include "strat_memory.h"

/** Changes the weights, gradients and optimizer's states of @memory, a rank's of @stage without
 *  levers, to what the plan's levers leave of them, and fills in what is elsewhere. */
void strat_memory_levers(const StratCosting *costing, int64_t stage, StratMemory *memory);

/** Whether the hosts and disks hold what the stages put there; false and @text, when it is not
 *  NULL, with the reason. */
bool strat_memory_elsewhere_fits(const StratCosting *costing, const GArray *stages, GString *text);

/** Bytes of optimizer state that a parameter has under @plan, its fp32 copy included, in a model
 *  @width wide. */
double strat_memory_state_bytes(const StratPlan *plan, double width);

#endif

/** From a loaded scenario to its result. */
#ifndef SCEN_SIMULATE_H
#define SCEN_SIMULATE_H

#include "scen_scenario.h"
#include "strat_train.h"

/** What prices the step of @scenario; borrows from it. False when its network is unknown. */
bool scen_costing(const ScenScenario *scenario, StratCosting *costing, GError **error);

/** Simulates the step of @scenario. NULL and @error when it is not modelled. Whether it fits in
 *  memory is for the caller to ask (scen_fits(), or strat_memory_check() for the reasons). */
StratTrainResult *scen_simulate(const ScenScenario *scenario, GError **error);

/** Does every stage of @memory (of StratMemory) fit? */
bool scen_fits(const GArray *memory);

/** The stage of @memory that fills its GPUs most; the first of several. */
guint scen_worst_stage(const GArray *memory);

#endif

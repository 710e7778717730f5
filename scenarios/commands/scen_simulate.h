/** From a loaded scenario to its result. */
#ifndef SCEN_SIMULATE_H
#define SCEN_SIMULATE_H

#include "scen_scenario.h"
#include "strat_train.h"

/** What prices the step of @scenario; borrows from it. False when its network is unknown. */
bool scen_costing(const ScenScenario *scenario, StratCosting *costing, GError **error);

/** Simulates the step of @scenario. NULL and @error when it is not modelled. Whether it fits in
 *  memory is for the caller to ask (strat_memory_fits(), or strat_memory_check() for the reasons).
 */
StratTrainResult *scen_simulate(const ScenScenario *scenario, GError **error);

#endif

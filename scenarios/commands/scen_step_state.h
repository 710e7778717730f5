/** The step of a scenario in a state of its job. */
#ifndef SCEN_STEP_STATE_H
#define SCEN_STEP_STATE_H

#include "scen_scenario.h"
#include "strat_train.h"

/** Simulates the step of @scenario, whose own faults count no more, in @state. NULL and @error when
 *  that is not modelled. */
StratTrainResult *scen_simulate_in(const ScenScenario *scenario, const StratJobState *state,
                                   GError **error);

#endif

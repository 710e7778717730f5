/** Checks of the serving half of a scenario. */
#ifndef SCEN_CHECK_SERVING_H
#define SCEN_CHECK_SERVING_H

#include "scen_marks.h"
#include "scen_scenario.h"

/** Holds the deployment of @scenario to its model and cluster; faults are placed by @marks and
 * added to @errors. Completes the deployment: engine, pools, replicas that the GPUs leave, draft.
 * Does nothing where the scenario has no `serve:`. */
void scen_check_serving(ScenScenario *scenario, const ScenMarks *marks, ScenErrors *errors);

#endif

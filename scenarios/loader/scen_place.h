/** Puts the ranks of a scenario on the GPUs of its cluster. */
#ifndef SCEN_PLACE_H
#define SCEN_PLACE_H

#include "scen_marks.h"
#include "scen_scenario.h"

/** Fills in the gpu_of_rank of @scenario, whose parts have been checked; faults are placed by
 * @marks and added to @errors. */
void scen_place(ScenScenario *scenario, const ScenMarks *marks, ScenErrors *errors);

#endif

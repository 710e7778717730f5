/** The check of a scenario's network against its cluster. */
#ifndef SCEN_CHECK_FABRIC_H
#define SCEN_CHECK_FABRIC_H

#include "scen_marks.h"
#include "scen_scenario.h"

/** Adds to @errors what is wrong with the fabric of @scenario, if it has one: rows of wires one by
 *  one, then, when nothing else of the scenario is wrong, whether the whole can be built and has
 * the links and racks that are named. @marks may be NULL. */
void scen_check_fabric(const ScenScenario *scenario, const ScenMarks *marks, ScenErrors *errors);

#endif

/** Rules of plans with experts, and of parts that are recomputed. */
#ifndef SCEN_CHECK_EXPERT_H
#define SCEN_CHECK_EXPERT_H

#include "scen_check_levers.h"

/** Holds the experts of @scenario's plan to its model and ranks; a plan that does not say how many
 *  ranks share them out gets 1. Its data is known. @check goes to @fail. */
void scen_check_expert(ScenScenario *scenario, const struct Check *check, ScenCheckFail fail);

/** Holds recompute_parts to the model and the precision. */
void scen_check_recompute_parts(const ScenScenario *scenario, const struct Check *check,
                                ScenCheckFail fail);

#endif

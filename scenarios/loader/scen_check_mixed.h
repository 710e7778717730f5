/** Rules of a cluster with two kinds of nodes. */
#ifndef SCEN_CHECK_MIXED_H
#define SCEN_CHECK_MIXED_H

#include "scen_check_levers.h"

/** Holds the second kind of nodes of @scenario's cluster to the first, and to what reads it; nothing
 *  where there is none. @check goes to @fail. */
void scen_check_mixed(const ScenScenario *scenario, const struct Check *check, ScenCheckFail fail);

/** Likewise the plan, whose sizes are known. */
void scen_check_mixed_plan(const ScenScenario *scenario, const struct Check *check,
                           ScenCheckFail fail);

#endif

/** Rules of a plan's `data_parallel:`. */
#ifndef SCEN_CHECK_DATA_H
#define SCEN_CHECK_DATA_H

#include "scen_scenario.h"

/** The first rule that the data parallelism of @scenario's plan breaks, whose sizes are known: what
 *  is wrong, owned by the caller, and the key in @path (a static text). NULL when it is sound. */
char *scen_check_data_parallel(const ScenScenario *scenario, const char **path);

#endif

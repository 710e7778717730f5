/** Rules of a plan's `data_parallel:`. */
#ifndef SCEN_CHECK_DATA_H
#define SCEN_CHECK_DATA_H

#include "scen_check_levers.h"

/** Reports the first rule that the data parallelism of @scenario's plan, whose sizes are known,
 *  breaks; @check goes to @fail. */
void scen_check_data_parallel(const ScenScenario *scenario, const struct Check *check,
                              ScenCheckFail fail);

#endif

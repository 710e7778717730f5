/** Rules of how tensor and context ranks share a layer. */
#ifndef SCEN_CHECK_PARALLEL_H
#define SCEN_CHECK_PARALLEL_H

#include "scen_check_levers.h"

/** Holds the tensor ranks of @scenario's plan to the model's sizes; @check goes to @fail. */
void scen_check_tensor(const ScenScenario *scenario, const struct Check *check, ScenCheckFail fail);

/** Holds kinds of tensor and context parallelism to model, plan and network. */
void scen_check_parallel(const ScenScenario *scenario, const struct Check *check,
                         ScenCheckFail fail);

#endif

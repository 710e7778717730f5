/** `orrery run` on a scenario with a queue. */
#ifndef SCEN_CMD_RUN_QUEUE_H
#define SCEN_CMD_RUN_QUEUE_H

#include "scen_scenario.h"

/** Runs the queue of @scenario and prints its report, as JSON where @json says so; @out: a folder
 *  that takes report.txt, result.json and jobs.csv, the jobs of the first history as they leave;
 *  NULL: none. False and @error when that cannot be written. */
bool scen_run_queue(const ScenScenario *scenario, bool json, const char *out, GError **error);

#endif

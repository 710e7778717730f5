/** `orrery run` on a scenario that serves. */
#ifndef SCEN_CMD_RUN_SERVE_H
#define SCEN_CMD_RUN_SERVE_H

#include "scen_scenario.h"

/** Serves @scenario and prints its report, as JSON where @json says so; @out: a folder that takes
 *  report.txt, result.json, requests.csv and timeseries.csv, NULL: none. @holds: it fits and meets
 *  its objectives. False and @error otherwise. */
bool scen_run_serve(const ScenScenario *scenario, bool json, const char *out, bool *holds,
                    GError **error);

#endif

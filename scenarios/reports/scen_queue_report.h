/** What `orrery run` says of a queue, as text for a person and as JSON for a program. */
#ifndef SCEN_QUEUE_REPORT_H
#define SCEN_QUEUE_REPORT_H

#include "scen_scenario.h"

/** One screen of text. The caller owns it. */
char *scen_queue_text(const ScenScenario *scenario, const StratQueueResult *result);

/** The result as JSON (schema 1). The caller owns it. */
char *scen_queue_json(const ScenScenario *scenario, const StratQueueResult *result);

#endif

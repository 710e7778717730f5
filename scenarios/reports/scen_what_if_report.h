/** What `orrery run --what-if` says, as text for a person and as JSON for a program. */
#ifndef SCEN_WHAT_IF_REPORT_H
#define SCEN_WHAT_IF_REPORT_H

#include "scen_what_if.h"

/** A line for each change, the most helpful first; what changes nothing in one line. The caller
 *  owns it. */
char *scen_what_if_text(const ScenScenario *scenario, const ScenWhatIf *what_if);

/** The same as JSON (schema 1), every change with all its figures. The caller owns it. */
char *scen_what_if_json(const ScenScenario *scenario, const ScenWhatIf *what_if);

#endif

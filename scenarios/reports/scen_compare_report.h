/** What `orrery compare` says, as text for a person and as JSON for a program. */
#ifndef SCEN_COMPARE_REPORT_H
#define SCEN_COMPARE_REPORT_H

#include "scen_compare.h"

/** A column for each scenario, and its difference to the first. The caller owns it. */
char *scen_compare_text(const ScenComparison *comparison);

/** The same as JSON (schema 1), lists in the order of the scenarios. The caller owns it. */
char *scen_compare_json(const ScenComparison *comparison);

#endif

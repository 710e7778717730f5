/** Where the inputs of a figure came from: rows of the catalogs that a scenario names. */
#ifndef SCEN_PROVENANCE_H
#define SCEN_PROVENANCE_H

#include "scen_scenario.h"

/** Appends to @out, a line or more each, the rows behind the figure @path of @scenario: their names,
 *  their sources, of a kernel profile the error of its fits; and the weakest evidence of what matters
 *  in the answer @json (may be NULL). */
void scen_provenance_append(GString *out, const ScenScenario *scenario, const char *path,
                            const char *json);

#endif

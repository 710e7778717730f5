/** What `orrery validate` says, as text and as JSON. */
#ifndef SCEN_VALIDATE_REPORT_H
#define SCEN_VALIDATE_REPORT_H

#include "scen_validate.h"

/** A line a row, the rows left out, a summary by source; with @verbose the assumptions of each
 *  row as well. The caller owns it. */
char *scen_validate_text(const ScenValidation *validation, bool verbose);

/** The same as JSON (schema 1). The caller owns it. */
char *scen_validate_json(const ScenValidation *validation);

#endif

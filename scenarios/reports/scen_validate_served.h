/** The part of `orrery validate` that is about serving. */
#ifndef SCEN_VALIDATE_SERVED_H
#define SCEN_VALIDATE_SERVED_H

#include "scen_validate.h"

#include <json-glib/json-glib.h>

/** Appends a line a figure, and further lines with what was assumed of it where @verbose says so.
 */
void scen_served_rows_text(GString *out, const ScenValidation *validation, bool verbose);

/** Appends errors by group and metric; nothing without rows of serving. */
void scen_served_summary_text(GString *out, const ScenValidation *validation);

/** Adds the rows to the array at hand, and the member "serving" to the object at hand. */
void scen_served_rows_json(JsonBuilder *json, const ScenValidation *validation);
void scen_served_summary_json(JsonBuilder *json, const ScenValidation *validation);

#endif

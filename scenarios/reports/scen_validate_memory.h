/** The part of `orrery validate` that is about peak memory. */
#ifndef SCEN_VALIDATE_MEMORY_H
#define SCEN_VALIDATE_MEMORY_H

#include "scen_validate.h"

#include <json-glib/json-glib.h>

/** Errors of the rows whose peak memory was published, of @group (NULL: of all). */
ScenValidSummary scen_memory_summary(const ScenValidation *validation, const char *group);

/** Appends a line a row, then errors by source; nothing where no row has a published peak. */
void scen_memory_rows_text(GString *out, const ScenValidation *validation);

/** Adds the rows to the array at hand, metric peak_memory_bytes. */
void scen_memory_rows_json(JsonBuilder *json, const ScenValidation *validation);

#endif

/** JSON Schema of what people write: scenarios, and files of the catalogs. */
#ifndef SCEN_SCHEMA_H
#define SCEN_SCHEMA_H

#include <glib.h>
#include <stdbool.h>

/** The schema (draft-07, indented) of a scenario, or of a file of catalog @kind, a kind of
 *  `orrery list`. With @any_name a name that is in no catalog is no fault. NULL and @error when a
 *  catalog cannot be read or @kind is no catalog. The caller owns it. */
char *scen_schema_text(const char *kind, bool any_name, GError **error);

#endif

/** Tables of measured training runs (JSON rows) as scenarios. */
#ifndef SCEN_ROWS_H
#define SCEN_ROWS_H

#include <glib.h>
#include <json-glib/json-glib.h>

/** The scenario (YAML text, owned by the caller) that restates @row. What the row leaves open is
 *  taken from its software's plan of the catalog and said in the description. NULL and @error,
 *  with the reason, when the row cannot be expressed. */
char *scen_row_to_yaml(JsonObject *row, GError **error);

#endif

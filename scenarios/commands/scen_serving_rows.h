/** From a JSON row of a measured serving run to a scenario. */
#ifndef SCEN_SERVING_ROWS_H
#define SCEN_SERVING_ROWS_H

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

/** Is @row about serving: does it have `results`? */
bool scen_row_serves(JsonObject *row);

/** The YAML of a scenario that restates @row, with what can be compared under `expect:`. Figures
 * that cannot are added to @left_out, each as "metric: reason". NULL and @error (the reason) when
 * nothing can. The caller owns the text. */
char *scen_serving_row_to_yaml(JsonObject *row, GPtrArray *left_out, GError **error);

#endif

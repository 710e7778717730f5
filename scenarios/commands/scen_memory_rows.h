/** Rows of measured peak memory become scenarios. */
#ifndef SCEN_MEMORY_ROWS_H
#define SCEN_MEMORY_ROWS_H

#include "scen_row_writer.h"

/** Is @row one of peak memory: a `parallel` text, and no `setup`? */
bool scen_row_is_of_memory(JsonObject *row);

/** The YAML of @row, which the caller owns, or NULL and @error. */
char *scen_memory_row_to_yaml(JsonObject *row, GError **error);

/** Puts the peak of memory that a row of training gives besides, as its kinds of rows call it:
 *  torchtitan prints what the allocator reserved. */
void scen_row_put_peaks(ScenRowWriter *w);

#endif

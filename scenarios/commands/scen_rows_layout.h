/** The parallel layout of a measured row. */
#ifndef SCEN_ROWS_LAYOUT_H
#define SCEN_ROWS_LAYOUT_H

#include "scen_row_writer.h"

/** Virtual stages of its schedule. */
int64_t scen_rows_chunks(ScenRowWriter *w);

/** Appends the sizes of a plan refined from @preset, and where layers stand. */
void scen_rows_put_layout(ScenRowWriter *w, const char *preset);

/** Appends the pipeline schedule. */
void scen_rows_put_schedule(ScenRowWriter *w);

#endif

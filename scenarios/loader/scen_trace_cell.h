/** Numbers, dates and names from the cells of a trace. */
#ifndef SCEN_TRACE_CELL_H
#define SCEN_TRACE_CELL_H

#include "scen_scan.h"
#include "sim_time.h"

/** A whole number from 0 below 10^12, which may be written as 12.0; false when it is none. */
bool scen_trace_cell_whole(ScenSlice cell, int64_t *value);

/** Nanoseconds since 1970 of a date such as "2023-11-16 18:15:46.6805900" or
 *  "2024-05-10T00:00:00.009930+00:00"; -1 when it is none. */
SimTime scen_trace_cell_date(ScenSlice cell);

/** A session by its number, or by a hash of whatever names it; -1 for an empty cell. */
int64_t scen_trace_cell_session(ScenSlice cell);

#endif

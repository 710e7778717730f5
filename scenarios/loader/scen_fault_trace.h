/** Recorded faults. */
#ifndef SCEN_FAULT_TRACE_H
#define SCEN_FAULT_TRACE_H

#include <glib.h>

/** Reads the CSV file @path with columns at_s, class (a name among the StratFaultClass of @classes)
 *  and node, in order of time. An array of StratFaultRecord that the caller owns, or NULL and
 *  @error (file:line). */
GArray *scen_fault_trace_read(const char *path, const GArray *classes, GError **error);

#endif

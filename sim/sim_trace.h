/** A run as a picture over time. */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdio.h>

#include "sim_exec.h"

/** Writes @run of @p to @file as Chrome trace-event JSON, which Perfetto and chrome://tracing open:
 *  a process for each class, a thread for each stream, arrows for sends between classes. @file
 *  stays open. The same run gives the same bytes. Fails (SIM_ERROR_WRITE) when @file does. */
bool sim_trace_write(const SimProgram *p, const SimRun *run, FILE *file, GError **error);

#endif

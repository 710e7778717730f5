/** Requests from a trace. */
#ifndef SCEN_TRACE_H
#define SCEN_TRACE_H

#include "scen_lines.h"
#include "strat_request.h"

/** How a trace is replayed. All zero: as it is. */
typedef struct ScenTraceOptions {
    const char *format; /* a row of scen_trace_formats(); NULL: told from the first line */
    double rate_scale;  /* so many times the rate: arrivals are divided by it; 0: 1 */
    int64_t limit;      /* ends after so many requests; 0: at the end of the trace */
    int64_t repeat;     /* passes over the trace, a mean gap apart, each with texts and sessions of
                           its own; 0: 1 */
} ScenTraceOptions;

/** Reads @path line by line as its requests are taken. A fault of the first row is @error (and
 *  NULL), later ones (among them an arrival before the last one) are the source's. Free with
 *  strat_source_free(). */
StratSource *scen_trace_open(const char *path, const ScenTraceOptions *options, GError **error);

/** The same of @lines, which it takes. */
StratSource *scen_trace_new(ScenLines *lines, const ScenTraceOptions *options, GError **error);

/** Rows of failed requests that were left out so far, of a source from here. */
int64_t scen_trace_skipped(const StratSource *source);

#endif

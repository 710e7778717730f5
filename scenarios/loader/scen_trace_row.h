/** Formats of request traces, and reading a row of one. */
#ifndef SCEN_TRACE_ROW_H
#define SCEN_TRACE_ROW_H

#include "scen_lines.h"
#include "sim_time.h"

/** What a column (or key) says. */
typedef enum ScenTraceColumn {
    SCEN_TRACE_ARRIVAL,
    SCEN_TRACE_INPUT,
    SCEN_TRACE_OUTPUT,
    SCEN_TRACE_SESSION,
    SCEN_TRACE_PRIORITY,
    SCEN_TRACE_PAGES, /* a list of ids */
    SCEN_TRACE_TURNS, /* a list of maps with input, output and tool time */
    SCEN_TRACE_TOOL,
    SCEN_TRACE_SAMPLES,
    SCEN_TRACE_COLUMNS
} ScenTraceColumn;

/** One format. */
typedef struct ScenTraceFormat {
    const char *name;
    const char *source;                    /* where it is used */
    bool json;                             /* a map on each line, else CSV with a header */
    const char *names[SCEN_TRACE_COLUMNS]; /* NULL: it has no such column */
    double unit_s;                         /* of arrivals; 0: dates */
    bool from_first;     /* clocks that start anywhere: the first arrival becomes 0 */
    bool skips_failed;   /* a row without input or output tokens is a request that failed */
    int64_t page_tokens; /* of the ids of pages */
} ScenTraceFormat;

/** The formats, @count of them. */
const ScenTraceFormat *scen_trace_formats(size_t *count);

/** The format @name, NULL and @error when there is none. */
const ScenTraceFormat *scen_trace_format_by_name(const char *name, GError **error);

/** One request of an agent: after its answer a tool runs, then the next one is sent. */
typedef struct ScenTraceTurn {
    int64_t input_tokens, output_tokens;
    SimTime tool_ns;
} ScenTraceTurn;

typedef struct ScenTraceRow {
    SimTime arrival_ns; /* as the file counts; dates from 1970 */
    int64_t input_tokens, output_tokens;
    int64_t session; /* -1: none */
    int64_t priority;
    int64_t samples; /* answers, each of output_tokens */
    bool failed;     /* leave it out */
    GArray *pages;   /* of uint64_t: ids, of the prompt's full pages */
    GArray *turns;   /* of ScenTraceTurn, empty for a plain request */
} ScenTraceRow;

/** Reads rows of one file; embed it, then init and clear. */
typedef struct ScenTraceReader {
    ScenLines *lines;
    const ScenTraceFormat *format;
    int column[SCEN_TRACE_COLUMNS]; /* of a CSV: its number, -1: none */
    int width;                      /* of a CSV: columns */
    const char *first;              /* the first line when it is a row that is still to be read */
} ScenTraceReader;

/** Looks at the first line: @format, or NULL to tell it from that line. Takes @lines. False and
 *  @error when the file is empty or has another format; clear it in any case. */
bool scen_trace_reader_init(ScenTraceReader *reader, ScenLines *lines,
                            const ScenTraceFormat *format, GError **error);
void scen_trace_reader_clear(ScenTraceReader *reader);

void scen_trace_row_init(ScenTraceRow *row);
void scen_trace_row_clear(ScenTraceRow *row);

/** Fills @row with the next one. False at the end, or with @error (file:line:column). */
bool scen_trace_reader_next(ScenTraceReader *reader, ScenTraceRow *row, GError **error);

/** Goes back to the first row. */
void scen_trace_reader_rewind(ScenTraceReader *reader);

#endif

/** Whether a document of trace events is one that Perfetto draws as it is meant. */
#ifndef TRACE_CHECK_H
#define TRACE_CHECK_H

#include <json-glib/json-glib.h>

typedef struct TraceCheck {
    JsonParser *parser; /* borrowed by events and notes */
    JsonArray *events;
    JsonObject *notes; /* otherData */
    int slices, arrows, counters, stretches, processes;
} TraceCheck;

/** Reads @text and looks at every event: phases and the members that each needs; times not negative;
 *  every process and track named; slices of a track apart or one within the other; arrows with one
 *  start and one end, not backwards, each within a slice; counters not negative and in order;
 *  asynchronous slices closed in the reverse of the order in which they were opened. Returns the
 *  first complaint, NULL when there is none; the caller frees it, and clears @check either way. */
char *trace_check(const char *text, TraceCheck *check);
void trace_check_clear(TraceCheck *check);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TraceCheck, trace_check_clear)

/** The largest value of counter @name in process @pid; -1 when it has none. */
double trace_check_most(const TraceCheck *check, int64_t pid, const char *name);

/** The sum of argument @arg over all slices. */
int64_t trace_check_sum(const TraceCheck *check, const char *arg);

#endif

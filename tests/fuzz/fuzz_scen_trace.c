/* Fuzzes the readers of traces: the first byte picks replay options (and whether the format is told
 * or given), the rest is the file. Whatever comes in, requests come out in order with tokens in
 * them, or there is an error with a message; never a crash, a leak or a hang. */
#include "scen_trace.h"
#include "scen_trace_row.h"

#include <string.h>

enum { REQUESTS_MAX = 5000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(StratSource *source)
{
    SimTime last = 0;
    int64_t count = 0;
    for (const StratRequest *next = source->peek(source); next && count < REQUESTS_MAX;
         next = source->peek(source), count++) {
        StratRequest kept = *next;
        g_assert(kept.id == count && kept.arrival_ns >= last);
        g_assert(kept.input_tokens >= 1 && kept.output_tokens >= 1);
        g_assert((int64_t)kept.pages * source->page_tokens <= kept.input_tokens);
        last = kept.arrival_ns;
        source->take(source);
        source->done(source, kept.id, kept.session, last);
    }
    const GError *fault = source->fault(source);
    g_assert(!fault || fault->message[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t count = 0;
    const ScenTraceFormat *formats = scen_trace_formats(&count);
    ScenTraceOptions options = {.repeat = data[0] & 1 ? 3 : 0,
                                .rate_scale = data[0] & 2 ? 0.37 : 0.0,
                                .limit = data[0] & 4 ? 2 : 0};
    if ((data[0] >> 3) % (count + 1) < count)
        options.format = formats[(data[0] >> 3) % (count + 1)].name;
    FILE *file = fmemopen((void *)(data + 1), size - 1, "r");
    g_assert(file);
    g_autoptr(GError) error = NULL;
    g_autoptr(StratSource) source = scen_trace_new(scen_lines_new(file, "fuzz"), &options, &error);
    g_assert((source != NULL) == (error == NULL));
    if (source)
        read_all(source);
    else
        g_assert(error->message[0] != '\0');
    return 0;
}

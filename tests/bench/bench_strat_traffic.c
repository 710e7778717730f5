/*
 * Requests a second that sources give: generated (a Poisson process with lognormal lengths, and
 * conversations with hashed pages) and read from traces written here, each answered at once. Also
 * checks that memory stays bounded: what a million requests take beyond a thousand is reported, and
 * must stay below 8 MB. With --quick, a tenth of the requests.
 */
#include "scen_trace.h"
#include "strat_traffic.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { REQUESTS = 1000000, MEMORY_KB = 8 << 10 };

static int64_t peak_kb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* Takes all of @source, which it frees, answering each request at once; how many there were. */
static int64_t drain(StratSource *source)
{
    int64_t count = 0;
    for (const StratRequest *next = source->peek(source); next; next = source->peek(source)) {
        StratRequest kept = *next;
        source->take(source);
        if (source->done)
            source->done(source, kept.id, kept.session, kept.arrival_ns);
        count++;
    }
    strat_source_free(source);
    return count;
}

static void report(const char *what, int64_t count, int64_t began_us)
{
    double s = (double)(g_get_monotonic_time() - began_us) * 1e-6;
    printf("traffic %-28s %8" G_GINT64_FORMAT " requests: %6.3f M/s\n", what, count,
           (double)count / s * 1e-6);
}

static void generate(const char *what, StratTraffic spec, int64_t requests)
{
    spec.requests = requests;
    int64_t began_us = g_get_monotonic_time();
    report(what, drain(strat_traffic_new(&spec, 1)), began_us);
}

static void write_rows(FILE *file, const char *header, const char *format, int64_t requests)
{
    fputs(header, file);
    for (int64_t i = 0; i < requests; i++)
        fprintf(file, format, (double)i * 0.25, (int)(600 + i * 7919 % 9000),
                (int)(1 + i * 104729 % 700));
    rewind(file);
}

static void replay(const char *what, const char *header, const char *format, int64_t requests)
{
    FILE *file = tmpfile();
    write_rows(file, header, format, requests);
    ScenTraceOptions options = {0};
    int64_t began_us = g_get_monotonic_time();
    report(what, drain(scen_trace_new(scen_lines_new(file, what), &options, NULL)), began_us);
}

int main(int argc, char **argv)
{
    int64_t requests = argc > 1 && strcmp(argv[1], "--quick") == 0 ? REQUESTS / 10 : REQUESTS;
    StratTraffic plain = {
        .arrivals = {.kind = STRAT_ARRIVALS_POISSON, .rate_per_s = 10.0},
        .input = { .kind = STRAT_LENGTH_LOGNORMAL,                 .mean = 800.0,       .sigma = 1.0},
        .output = { .kind = STRAT_LENGTH_LOGNORMAL,                 .mean = 200.0,       .sigma = 1.0}
    };
    StratTraffic chat = plain;
    chat.sessions = true;
    chat.turns.mean = 5.0;
    chat.turn_think.mean_s = 60.0;
    chat.page_tokens = 16;
    generate("warm-up", plain, 1000);
    generate("conversations, warm-up", chat, 1000);
    int64_t before_kb = peak_kb();
    generate("poisson, lognormal", plain, requests);
    generate("conversations, pages of 16", chat, requests);
    replay("csv", "arrival_s,input_tokens,output_tokens\n", "%.3f,%d,%d\n", requests);
    replay("mooncake", "",
           "{\"timestamp\": %.3f, \"input_length\": %d, \"output_length\": %d, \"hash_ids\": "
           "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]}\n",
           requests);
    int64_t grown_kb = peak_kb() - before_kb;
    printf("traffic memory for all of them: %" G_GINT64_FORMAT " kB\n", grown_kb);
    return grown_kb > MEMORY_KB;
}

/*
 * Chrome trace-event JSON ("Trace Event Format", Google, the JSON object form). Times there are in
 * microseconds; they are written as integer nanoseconds with the point put in, so no digit is ever
 * rounded. Processes and tracks are written one higher, as viewers take 0 for the idle task.
 *
 * Phases used: M (names and order), X (slices), C (counters), s and f (arrows; "bp":"e" binds the
 * end to the slice that covers it, not to the next), b and e (nestable asynchronous slices).
 */
#include "sim_events.h"

#include <errno.h>

#include "sim_error.h"

enum {
    NS_PER_US = 1000,
};

struct SimEvents {
    FILE *file;
    const char *separator; /* before the next event */
    uint64_t arrows;
    GString *notes;
};

char *sim_events_quote(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *json = g_string_new("\"");
    for (const char *c = valid; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            g_string_append_printf(json, "\\%c", *c);
        else if ((uint8_t)*c < 0x20)
            g_string_append_printf(json, "\\u%04x", (unsigned)*c);
        else
            g_string_append_c(json, *c);
    }
    g_string_append_c(json, '"');
    return g_string_free(json, FALSE);
}

SimEvents *sim_events_new(FILE *file)
{
    SimEvents *events = g_new0(SimEvents, 1);
    events->file = file;
    events->separator = "\n";
    events->notes = g_string_new(NULL);
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", file);
    return events;
}

/* Begins an event; the caller adds more and closes the brace. */
static void begin_event(SimEvents *events, char phase, SimTrack track, const char *name)
{
    g_autofree char *quoted = sim_events_quote(name);
    fprintf(events->file, "%s{\"ph\":\"%c\",\"pid\":%u,\"tid\":%u,\"name\":%s", events->separator,
            phase, track.process + 1, track.thread + 1, quoted);
    events->separator = ",\n";
}

static void write_us(SimEvents *events, const char *key, SimTime ns)
{
    fprintf(events->file, ",\"%s\":%" G_GINT64_FORMAT ".%03d", key, ns / NS_PER_US,
            (int)(ns % NS_PER_US));
}

static void write_name(SimEvents *events, const char *what, SimTrack track, const char *name)
{
    g_autofree char *quoted = sim_events_quote(name);
    begin_event(events, 'M', track, what);
    fprintf(events->file, ",\"args\":{\"name\":%s}}", quoted);
}

static void write_order(SimEvents *events, const char *what, SimTrack track, uint32_t order)
{
    begin_event(events, 'M', track, what);
    fprintf(events->file, ",\"args\":{\"sort_index\":%u}}", order);
}

void sim_events_process(SimEvents *events, uint32_t process, const char *name, uint32_t order)
{
    SimTrack track = {.process = process};
    write_name(events, "process_name", track, name);
    write_order(events, "process_sort_index", track, order);
}

void sim_events_thread(SimEvents *events, SimTrack track, const char *name)
{
    write_name(events, "thread_name", track, name);
    write_order(events, "thread_sort_index", track, track.thread);
}

static void write_args(SimEvents *events, const char *args)
{
    if (args)
        fprintf(events->file, ",\"args\":{%s}", args);
    fputc('}', events->file);
}

void sim_events_slice(SimEvents *events, const SimSlice *slice)
{
    g_autofree char *category = sim_events_quote(slice->category);
    begin_event(events, 'X', slice->track, slice->name);
    write_us(events, "ts", slice->at);
    write_us(events, "dur", slice->lasts);
    fprintf(events->file, ",\"cat\":%s", category);
    write_args(events, slice->args);
}

void sim_events_counter(SimEvents *events, uint32_t process, const char *name, SimTime at,
                        double value)
{
    begin_event(events, 'C', (SimTrack){.process = process}, name);
    write_us(events, "ts", at);
    fprintf(events->file, ",\"args\":{\"value\":%.15g}}", value);
}

void sim_events_arrow(SimEvents *events, const char *name, SimTrack from, SimTime leaves,
                      SimTrack to, SimTime arrives)
{
    events->arrows++;
    begin_event(events, 's', from, name);
    write_us(events, "ts", leaves);
    fprintf(events->file, ",\"cat\":\"flow\",\"id\":%" G_GUINT64_FORMAT "}", events->arrows);
    begin_event(events, 'f', to, name);
    write_us(events, "ts", arrives);
    fprintf(events->file, ",\"bp\":\"e\",\"cat\":\"flow\",\"id\":%" G_GUINT64_FORMAT "}",
            events->arrows);
}

static void write_stretch(SimEvents *events, char phase, uint32_t process, const char *category,
                          int64_t id, const char *name, SimTime at)
{
    g_autofree char *quoted = sim_events_quote(category);
    begin_event(events, phase, (SimTrack){.process = process}, name);
    write_us(events, "ts", at);
    fprintf(events->file, ",\"cat\":%s,\"id\":%" G_GINT64_FORMAT, quoted, id);
}

void sim_events_begin(SimEvents *events, uint32_t process, const char *category, int64_t id,
                      const char *name, SimTime at, const char *args)
{
    write_stretch(events, 'b', process, category, id, name, at);
    write_args(events, args);
}

void sim_events_end(SimEvents *events, uint32_t process, const char *category, int64_t id,
                    const char *name, SimTime at)
{
    write_stretch(events, 'e', process, category, id, name, at);
    write_args(events, NULL);
}

void sim_events_note(SimEvents *events, const char *key, const char *text)
{
    g_autofree char *quoted_key = sim_events_quote(key), *quoted = sim_events_quote(text);
    g_string_append_printf(events->notes, "%s\n%s:%s", events->notes->len > 0 ? "," : "",
                           quoted_key, quoted);
}

bool sim_events_close(SimEvents *events, GError **error)
{
    FILE *file = events->file;
    fprintf(file, "\n],\"otherData\":{%s}}\n", events->notes->str);
    g_string_free(events->notes, TRUE);
    g_free(events);
    if (fflush(file) == 0 && !ferror(file))
        return true;
    g_set_error(error, SIM_ERROR, SIM_ERROR_WRITE, "cannot write the trace: %s", g_strerror(errno));
    return false;
}

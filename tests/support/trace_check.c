/*
 * What Perfetto's importer of trace-event JSON needs, as its documentation and the format's have it:
 * it sorts events by time, those of one time in the order of the file; a slice that overlaps the end
 * of the one it began in is cut or dropped; arrows bind to the slice that covers their instant and
 * vanish without one; unnamed tracks are shown as numbers.
 */
#include "trace_check.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* A slice or the end of an arrow, in ns. */
typedef struct Mark {
    int64_t pid, tid, at, end, place;
} Mark;

static int64_t ns_of(JsonObject *event, const char *key)
{
    return llround(json_object_get_double_member(event, key) * 1000.0);
}

static const char *text_of(JsonObject *event, const char *key)
{
    return json_object_get_string_member_with_default(event, key, "");
}

static char *track_key(int64_t pid, int64_t tid)
{
    return g_strdup_printf("%d/%d", (int)pid, (int)tid);
}

/* All names of processes ("1/0") and tracks ("1/2"). */
static GHashTable *names_of(const TraceCheck *check)
{
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < json_array_get_length(check->events); i++) {
        JsonObject *event = json_array_get_object_element(check->events, i);
        if (strcmp(text_of(event, "ph"), "M") != 0)
            continue;
        bool process = strcmp(text_of(event, "name"), "process_name") == 0;
        if (process || strcmp(text_of(event, "name"), "thread_name") == 0)
            g_hash_table_add(names,
                             track_key(json_object_get_int_member(event, "pid"),
                                       process ? 0 : json_object_get_int_member(event, "tid")));
    }
    return names;
}

/* Whether the process, and of a slice the track, has a name. */
static bool is_named(GHashTable *names, JsonObject *event)
{
    int64_t pid = json_object_get_int_member(event, "pid");
    bool slice = strcmp(text_of(event, "ph"), "X") == 0;
    g_autofree char *process = track_key(pid, 0);
    g_autofree char *track = track_key(pid, json_object_get_int_member(event, "tid"));
    return g_hash_table_contains(names, process) && (!slice || g_hash_table_contains(names, track));
}

static char *check_members(TraceCheck *check, GHashTable *names, JsonObject *event)
{
    static const char *const needs[][2] = {
        {"M", "args"        },
        {"X", "ts dur cat"  },
        {"C", "ts args"     },
        {"s", "ts id cat"   },
        {"f", "ts id bp cat"},
        {"b", "ts id cat"   },
        {"e", "ts id cat"   },
    };
    const char *phase = text_of(event, "ph");
    for (size_t i = 0; i < G_N_ELEMENTS(needs); i++) {
        if (strcmp(needs[i][0], phase) != 0)
            continue;
        g_auto(GStrv) members = g_strsplit(needs[i][1], " ", -1);
        for (char **member = members; *member; member++)
            if (!json_object_has_member(event, *member))
                return g_strdup_printf("%s without %s", phase, *member);
        if (!json_object_has_member(event, "pid") || !json_object_has_member(event, "tid") ||
            !json_object_has_member(event, "name"))
            return g_strdup_printf("%s without pid, tid or name", phase);
        if (!is_named(names, event))
            return g_strdup_printf("%s %s on a track without a name", phase,
                                   text_of(event, "name"));
        bool timed = strcmp(phase, "M") != 0;
        if (timed && json_object_get_double_member(event, "ts") < 0.0)
            return g_strdup("a negative time");
        check->slices += *phase == 'X';
        check->arrows += *phase == 's';
        check->counters += *phase == 'C';
        check->stretches += *phase == 'b';
        check->processes += strcmp(text_of(event, "name"), "process_name") == 0;
        return NULL;
    }
    return g_strdup_printf("phase '%s'", phase);
}

static int by_track(gconstpointer left, gconstpointer right)
{
    const Mark *a = left, *b = right;
    if (a->pid != b->pid)
        return a->pid < b->pid ? -1 : 1;
    if (a->tid != b->tid)
        return a->tid < b->tid ? -1 : 1;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

/* Events of @phase, sorted by track, time and place in the file. */
static GArray *marks_of(const TraceCheck *check, const char *phase)
{
    GArray *marks = g_array_new(FALSE, FALSE, sizeof(Mark));
    for (guint i = 0; i < json_array_get_length(check->events); i++) {
        JsonObject *event = json_array_get_object_element(check->events, i);
        if (strcmp(text_of(event, "ph"), phase) != 0)
            continue;
        Mark mark = {.pid = json_object_get_int_member(event, "pid"),
                     .tid = json_object_get_int_member(event, "tid"),
                     .at = ns_of(event, "ts"),
                     .place = i};
        mark.end = mark.at + (*phase == 'X' ? ns_of(event, "dur") : 0);
        g_array_append_val(marks, mark);
    }
    g_array_sort(marks, by_track);
    return marks;
}

static char *check_nesting(const GArray *slices)
{
    g_autoptr(GArray) open = g_array_new(FALSE, FALSE, sizeof(Mark));
    for (guint i = 0; i < slices->len; i++) {
        const Mark *mark = &g_array_index(slices, Mark, i);
        if (mark->end < mark->at)
            return g_strdup("a slice of negative length");
        while (open->len > 0) {
            const Mark *outer = &g_array_index(open, Mark, open->len - 1);
            if (outer->pid == mark->pid && outer->tid == mark->tid && outer->end > mark->at)
                break;
            g_array_set_size(open, open->len - 1);
        }
        if (open->len > 0 && g_array_index(open, Mark, open->len - 1).end < mark->end)
            return g_strdup_printf("slices of track %d/%d overlap at %" G_GINT64_FORMAT " ns",
                                   (int)mark->pid, (int)mark->tid, mark->at);
        g_array_append_val(open, *mark);
    }
    return NULL;
}

/* Whether a slice of @slices, sorted, covers @at on its track. The outermost ones cover their inner
 * ones, so of all that begin in time one that ends late enough is near; all are looked at. */
static bool is_covered(const GArray *slices, const Mark *at)
{
    for (guint i = 0; i < slices->len; i++) {
        const Mark *slice = &g_array_index(slices, Mark, i);
        if (slice->pid == at->pid && slice->tid == at->tid && slice->at <= at->at &&
            slice->end >= at->at)
            return true;
    }
    return false;
}

static char *check_arrows(const TraceCheck *check, const GArray *slices)
{
    g_autoptr(GHashTable) starts = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (guint i = 0; i < json_array_get_length(check->events); i++) {
        JsonObject *event = json_array_get_object_element(check->events, i);
        bool start = strcmp(text_of(event, "ph"), "s") == 0;
        if (!start && strcmp(text_of(event, "ph"), "f") != 0)
            continue;
        Mark mark = {.pid = json_object_get_int_member(event, "pid"),
                     .tid = json_object_get_int_member(event, "tid"),
                     .at = ns_of(event, "ts")};
        if (!is_covered(slices, &mark))
            return g_strdup_printf("an arrow's %s outside of slices", start ? "start" : "end");
        gint64 id = json_object_get_int_member(event, "id");
        JsonObject *other = g_hash_table_lookup(starts, &id);
        if (start == (other != NULL))
            return g_strdup_printf("arrow %d has not one start and one end", (int)id);
        if (!start && ns_of(other, "ts") > mark.at)
            return g_strdup_printf("arrow %d goes back in time", (int)id);
        if (start)
            g_hash_table_insert(starts, g_memdup2(&id, sizeof id), event);
        else
            g_hash_table_remove(starts, &id);
    }
    return g_hash_table_size(starts) > 0 ? g_strdup("arrows without an end") : NULL;
}

static double value_of(JsonObject *event)
{
    return json_object_get_double_member(json_object_get_object_member(event, "args"), "value");
}

static char *check_counters(const TraceCheck *check)
{
    g_autoptr(GHashTable) last = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < json_array_get_length(check->events); i++) {
        JsonObject *event = json_array_get_object_element(check->events, i);
        if (strcmp(text_of(event, "ph"), "C") != 0)
            continue;
        char *key = g_strdup_printf("%d/%s", (int)json_object_get_int_member(event, "pid"),
                                    text_of(event, "name"));
        JsonObject *before = g_hash_table_lookup(last, key);
        g_hash_table_replace(last, key, event);
        if (!(value_of(event) >= 0.0))
            return g_strdup_printf("counter %s is negative", text_of(event, "name"));
        if (before && ns_of(before, "ts") > ns_of(event, "ts"))
            return g_strdup_printf("counter %s goes back in time", text_of(event, "name"));
    }
    return NULL;
}

/* A begin that is open. */
static char *check_stretches(const TraceCheck *check)
{
    g_autoptr(GHashTable) open =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    guint deep = 0;
    for (guint i = 0; i < json_array_get_length(check->events); i++) {
        JsonObject *event = json_array_get_object_element(check->events, i);
        const char *phase = text_of(event, "ph");
        if (strcmp(phase, "b") != 0 && strcmp(phase, "e") != 0)
            continue;
        g_autofree char *key = g_strdup_printf("%s/%d", text_of(event, "cat"),
                                               (int)json_object_get_int_member(event, "id"));
        GPtrArray *stack = g_hash_table_lookup(open, key);
        if (!stack) {
            stack = g_ptr_array_new();
            g_hash_table_insert(open, g_strdup(key), stack);
        }
        JsonObject *top = stack->len > 0 ? stack->pdata[stack->len - 1] : NULL;
        if (top && ns_of(top, "ts") > ns_of(event, "ts"))
            return g_strdup_printf("%s goes back in time", key);
        if (*phase == 'b') {
            g_ptr_array_add(stack, event);
            deep++;
            continue;
        }
        if (!top || strcmp(text_of(top, "name"), text_of(event, "name")) != 0)
            return g_strdup_printf("%s ends %s, which is not open", key, text_of(event, "name"));
        g_ptr_array_set_size(stack, (int)stack->len - 1);
        deep--;
    }
    return deep > 0 ? g_strdup("asynchronous slices without an end") : NULL;
}

char *trace_check(const char *text, TraceCheck *check)
{
    g_autoptr(GError) error = NULL;
    *check = (TraceCheck){.parser = json_parser_new()};
    if (!json_parser_load_from_data(check->parser, text, -1, &error))
        return g_strdup(error->message);
    JsonObject *root = json_node_get_object(json_parser_get_root(check->parser));
    check->events = json_object_get_array_member(root, "traceEvents");
    check->notes = json_object_get_object_member(root, "otherData");
    g_autoptr(GHashTable) names = names_of(check);
    char *complaint = NULL;
    for (guint i = 0; i < json_array_get_length(check->events) && !complaint; i++)
        complaint = check_members(check, names, json_array_get_object_element(check->events, i));
    if (complaint)
        return complaint;
    g_autoptr(GArray) slices = marks_of(check, "X");
    complaint = check_nesting(slices);
    if (!complaint)
        complaint = check_arrows(check, slices);
    if (!complaint)
        complaint = check_counters(check);
    return complaint ? complaint : check_stretches(check);
}

void trace_check_clear(TraceCheck *check)
{
    g_clear_object(&check->parser);
}

double trace_check_most(const TraceCheck *check, int64_t pid, const char *name)
{
    double most = -1.0;
    for (guint i = 0; i < json_array_get_length(check->events); i++) {
        JsonObject *event = json_array_get_object_element(check->events, i);
        if (strcmp(text_of(event, "ph"), "C") == 0 &&
            json_object_get_int_member(event, "pid") == pid &&
            strcmp(text_of(event, "name"), name) == 0)
            most = fmax(most, value_of(event));
    }
    return most;
}

int64_t trace_check_sum(const TraceCheck *check, const char *arg)
{
    int64_t sum = 0;
    for (guint i = 0; i < json_array_get_length(check->events); i++) {
        JsonObject *event = json_array_get_object_element(check->events, i);
        if (strcmp(text_of(event, "ph"), "X") == 0 && json_object_has_member(event, "args"))
            sum += json_object_get_int_member_with_default(
                json_object_get_object_member(event, "args"), arg, 0);
    }
    return sum;
}

/* What the fullest stage holds over the time of a step: a line of columns for a person, moments for
 * a program. A column shows the most that activations take in its share of the step, in tenths of
 * their peak. Where there are many moments, a program gets the fullest of each of so many spans. */
#include "scen_run_report.h"

#include "scen_json.h"
#include "scen_text.h"

#include <math.h>

enum { COLUMNS = 72, SPANS = 256 };

static const char LEVELS[] = " .:-=+*#%@";

/* The fullest moment of each of @count equal spans of the step, one that lasts into it counted. */
static GArray *fullest_of(const StratTrainResult *result, guint count)
{
    GArray *spans = g_array_new(FALSE, TRUE, sizeof(StratMoment));
    const GArray *moments = result->moments;
    double length = (double)MAX(result->run->makespan, 1) / count;
    guint next = 0;
    StratMoment held = {0};
    for (guint i = 0; i < count; i++) {
        SimTime from = (SimTime)(length * i), until = (SimTime)(length * (i + 1));
        StratMoment most = held;
        most.at_ns = from;
        for (; next < moments->len; next++) {
            held = g_array_index(moments, StratMoment, next);
            if (held.at_ns >= until && i + 1 < count)
                break;
            if (held.activations_bytes > most.activations_bytes)
                most = held;
        }
        if (next > 0)
            held = g_array_index(moments, StratMoment, next - 1);
        g_array_append_val(spans, most);
    }
    return spans;
}

static void add_peak(GString *out, const StratTrainResult *result, guint stage)
{
    static const char *const tasks[STRAT_TASK_KINDS] = {
        [STRAT_TASK_FORWARD] = "forward",         [STRAT_TASK_BACKWARD] = "backward",
        [STRAT_TASK_INPUT] = "backward of input", [STRAT_TASK_WEIGHT] = "backward of weights",
        [STRAT_TASK_PAIRED_FORWARD] = "forward",  [STRAT_TASK_PAIRED_BACKWARD] = "backward",
    };
    const StratMoment *peak = strat_memory_peak_moment(result->moments);
    const StratMemory *m = &g_array_index(result->memory, StratMemory, stage);
    g_autofree char *at = scen_text_seconds((double)peak->at_ns * 1e-9);
    g_autofree char *line = g_strdup_printf(
        "most at %s, %s of microbatch %d of chunk %d: %.2f GB, of which activations of %.0f "
        "microbatch chunks are %.2f",
        at, tasks[peak->task.kind], peak->task.microbatch, peak->task.chunk, m->peak_bytes * 1e-9,
        peak->in_flight, peak->activations_bytes * 1e-9);
    g_string_append(out, "  ");
    scen_text_wrap(out, line, 2, 4);
}

void scen_memory_time_text(GString *out, const StratTrainResult *result)
{
    guint stage = strat_memory_worst_stage(result->memory);
    double peak = strat_memory_peak_moment(result->moments)->activations_bytes;
    if (peak <= 0.0)
        return;
    g_autoptr(GArray) columns = fullest_of(result, COLUMNS);
    g_autofree char *each = scen_text_seconds((double)result->run->makespan * 1e-9 / COLUMNS);
    g_string_append_printf(out, "Activations of stage %u over the step, %s a column\n  |", stage,
                           each);
    for (guint i = 0; i < columns->len; i++) {
        double share = g_array_index(columns, StratMoment, i).activations_bytes / peak;
        g_string_append_c(out, LEVELS[CLAMP((int)ceil(share * 9.0 - 1e-9), 0, 9)]);
    }
    g_string_append(out, "|\n");
    add_peak(out, result, stage);
}

static void add_bytes(JsonBuilder *json, const char *key, double bytes)
{
    scen_json_integer(json, key, (gint64)llround(bytes));
}

GArray *scen_memory_moments(const StratTrainResult *result)
{
    if (result->moments->len <= 2 * SPANS)
        return g_array_ref(result->moments);
    GArray *moments = fullest_of(result, SPANS);
    g_array_append_val(moments,
                       g_array_index(result->moments, StratMoment, result->moments->len - 1));
    return moments;
}

void scen_memory_time_json(JsonBuilder *json, const StratTrainResult *result)
{
    guint stage = strat_memory_worst_stage(result->memory);
    const StratMemory *m = &g_array_index(result->memory, StratMemory, stage);
    g_autoptr(GArray) moments = scen_memory_moments(result);
    json_builder_set_member_name(json, "memory_timeline");
    json_builder_begin_array(json);
    for (guint i = 0; i < moments->len; i++) {
        const StratMoment *now = &g_array_index(moments, StratMoment, i);
        json_builder_begin_object(json);
        scen_json_number(json, "time_s", (double)now->at_ns * 1e-9);
        scen_json_integer(json, "stage", stage);
        add_bytes(json, "weights_bytes", m->weights_bytes);
        add_bytes(json, "gradients_bytes", m->gradients_bytes);
        add_bytes(json, "optimizer_bytes", m->optimizer_bytes);
        add_bytes(json, "activations_bytes", now->activations_bytes);
        add_bytes(json, "workspace_bytes", now->workspace_bytes);
        add_bytes(json, "reserved_bytes", m->reserved_bytes);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

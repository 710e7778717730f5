/* The text of `orrery validate`: rows, what was skipped, and the errors by source beside those of
 * the baseline. Rows with measured stage times say nothing about costs, so they are summarised
 * apart. */
#include "scen_validate_report.h"

#include "scen_judged.h"
#include "scen_layout_studies.h"
#include "scen_text.h"
#include "scen_validate_memory.h"
#include "scen_validate_served.h"

#include <string.h>

enum { LEAST_WIDTH = 20, MOST_WIDTH = 54 };

static int name_width(const ScenValidation *validation)
{
    size_t width = LEAST_WIDTH;
    for (guint i = 0; i < validation->rows->len; i++)
        width = MAX(width, strlen(g_array_index(validation->rows, ScenValidRow, i).id));
    return (int)MIN(width, MOST_WIDTH);
}

static void add_row(GString *out, const ScenValidRow *row, int width)
{
    g_string_append_printf(out, "%-*s %10.4f %10.4f %+7.1f %% %5.1f %%%s", width, row->id,
                           row->predicted_s, row->published_s, 100.0 * row->error_fraction,
                           100.0 * row->interval.half_width_fraction, row->is_inside ? " " : "*");
    if (row->schedule_only)
        g_string_append_printf(out, " %9s", "-");
    else
        g_string_append_printf(out, " %+7.1f %%", 100.0 * row->baseline_error_fraction);
    if (row->schedule_only || !row->fits)
        g_string_append_printf(out, " %s%s", row->schedule_only ? "S" : "", row->fits ? "" : "M");
    g_string_append_c(out, '\n');
}

static void add_rows(GString *out, const ScenValidation *validation, bool verbose)
{
    int width = name_width(validation);
    g_string_append_printf(out, "%-*s %10s %10s %9s %8s %9s\n", width, "step time, s", "predicted",
                           "published", "error", "+-90 % ", "baseline");
    bool schedule = false, memory = false, outside = false;
    for (guint i = 0; i < validation->rows->len; i++) {
        const ScenValidRow *row = &g_array_index(validation->rows, ScenValidRow, i);
        add_row(out, row, width);
        schedule = schedule || row->schedule_only;
        memory = memory || !row->fits;
        outside = outside || !row->is_inside;
        if (verbose && row->note) {
            g_string_append(out, "    ");
            scen_text_wrap(out, row->note, 4, 4);
        }
    }
    if (outside)
        g_string_append(
            out, "*  published outside the 90 % interval, which is predicted +- that much\n");
    if (schedule)
        g_string_append(out, "S  stage times measured, only the schedule is simulated\n");
    if (memory)
        g_string_append(out, "M  the memory model says that it does not fit\n");
}

static void add_skipped(GString *out, const GArray *skipped)
{
    if (skipped->len > 0)
        g_string_append_printf(out, "\nSkipped, %u\n", skipped->len);
    for (guint i = 0; i < skipped->len; i++) {
        const ScenSkippedRow *row = &g_array_index(skipped, ScenSkippedRow, i);
        g_autofree char *line = g_strdup_printf("%s: %s", row->id, row->reason);
        g_string_append(out, "  ");
        scen_text_wrap(out, line, 2, 4);
    }
}

static void add_summary(GString *out, const char *name, const ScenValidSummary *summary)
{
    if (summary->rows == 0)
        return;
    g_autofree char *shown = g_strndup(name, MOST_WIDTH);
    g_string_append_printf(out, "%-*s %5zu %8.1f %% %8.1f %%", MOST_WIDTH, shown, summary->rows,
                           100.0 * summary->mean_fraction, 100.0 * summary->worst_fraction);
    if (summary->baseline_rows > 0)
        g_string_append_printf(out, " %8.1f %%", 100.0 * summary->baseline_fraction);
    if (summary->rows > 2)
        g_string_append_printf(out, " %8.2f", summary->rank_correlation);
    g_string_append_c(out, '\n');
}

/* The groups of @validation in order of first appearance; borrowed names. */
static GPtrArray *groups_of(const ScenValidation *validation)
{
    GPtrArray *groups = g_ptr_array_new();
    for (guint i = 0; i < validation->rows->len; i++) {
        char *group = g_array_index(validation->rows, ScenValidRow, i).group;
        if (!g_ptr_array_find_with_equal_func(groups, group, g_str_equal, NULL))
            g_ptr_array_add(groups, group);
    }
    return groups;
}

static void add_kind(GString *out, const ScenValidation *validation, const GPtrArray *groups,
                     ScenValidKind kind, const char *title)
{
    ScenValidSummary all = scen_validation_by_source(validation, NULL, kind);
    if (all.rows == 0)
        return;
    g_string_append_printf(out, "\n%-*s %5s %10s %10s%s %8s\n", MOST_WIDTH, title, "rows",
                           "mean |err|", "worst",
                           kind == SCEN_VALID_COST_MODEL ? "   baseline" : "", "rank cor");
    for (guint i = 0; i < groups->len; i++) {
        ScenValidSummary s = scen_validation_by_group(validation, groups->pdata[i], kind);
        add_summary(out, groups->pdata[i], &s);
    }
    add_summary(out, "all", &all);
}

/* How many published figures lie in their intervals, and how wide those are. */
static void add_coverage(GString *out, const ScenValidation *validation)
{
    static const struct {
        ScenValidKind kind;
        const char *of;
    } lines[] = {
        {SCEN_VALID_COST_MODEL,    "costs and schedule"},
        {SCEN_VALID_SCHEDULE_ONLY, "schedule alone"    },
    };
    g_string_append_c(out, '\n');
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        ScenValidSummary s = scen_validation_by_source(validation, NULL, lines[i].kind);
        if (s.rows > 0)
            g_string_append_printf(out,
                                   "%s: inside 90 %% interval: %zu of %zu (%.1f %%); mean "
                                   "half-width %.1f %%\n",
                                   lines[i].of, s.inside, s.rows,
                                   100.0 * (double)s.inside / (double)s.rows,
                                   100.0 * s.half_width_fraction);
    }
}

static void add_studies(GString *out, const ScenValidation *validation)
{
    g_autoptr(GArray) studies = scen_layout_studies(validation);
    if (studies->len > 0)
        g_string_append_printf(out, "\n%-*s %5s %8s %8s\n", MOST_WIDTH,
                               "Layout studies: fastest predicted over fastest measured", "rows",
                               "lost", "rank cor");
    for (guint i = 0; i < studies->len; i++) {
        const ScenLayoutStudy *study = &g_array_index(studies, ScenLayoutStudy, i);
        g_string_append_printf(out, "%s\n%-*s %5u %6.1f %% %8.2f\n", study->name, MOST_WIDTH,
                               study->chosen, study->rows, 100.0 * study->lost_fraction,
                               study->rank_correlation);
    }
}

char *scen_validate_text(const ScenValidation *validation, bool verbose)
{
    GString *out = g_string_new(NULL);
    g_autoptr(GPtrArray) groups = groups_of(validation);
    if (validation->rows->len > 0)
        add_rows(out, validation, verbose);
    if (validation->rows->len > 0 && validation->served->len > 0)
        g_string_append_c(out, '\n');
    scen_served_rows_text(out, validation, verbose);
    if (validation->judged->len > 0 && out->len > 0)
        g_string_append_c(out, '\n');
    scen_judged_text(out, validation->judged, verbose);
    add_skipped(out, validation->skipped);
    add_kind(out, validation, groups, SCEN_VALID_COST_MODEL, "Costs and schedule, by source");
    add_kind(out, validation, groups, SCEN_VALID_SCHEDULE_ONLY, "Schedule alone, by source");
    if (validation->rows->len > 0)
        add_coverage(out, validation);
    scen_memory_rows_text(out, validation);
    add_studies(out, validation);
    scen_served_summary_text(out, validation);
    if (validation->judged->len > 0)
        g_string_append_c(out, '\n');
    scen_judged_definitions(out, validation->judged);
    if (scen_validation_by_source(validation, NULL, SCEN_VALID_COST_MODEL).rows > 0) {
        g_string_append_c(out, '\n');
        scen_text_wrap(
            out,
            "baseline: one constant rate of model FLOPs for each kind of GPU, the one that "
            "suits these very rows best",
            0, 0);
    }
    return g_string_free(out, FALSE);
}

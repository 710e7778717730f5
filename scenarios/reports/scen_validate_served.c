/* Serving rows of `orrery validate`: figures with their errors, then medians by group (source and
 * engine version) and metric. */
#include "scen_validate_served.h"

#include "scen_json.h"
#include "scen_text.h"
#include "scen_validate_serve.h"

#include <string.h>

enum { LEAST_WIDTH = 20, MOST_WIDTH = 56, METRIC_WIDTH = 27 };

/* Groups of @validation in order of first appearance; borrowed names. */
static GPtrArray *groups_of(const ScenValidation *validation)
{
    GPtrArray *groups = g_ptr_array_new();
    for (guint i = 0; i < validation->served->len; i++) {
        char *group = g_array_index(validation->served, ScenServedRow, i).group;
        if (!g_ptr_array_find_with_equal_func(groups, group, g_str_equal, NULL))
            g_ptr_array_add(groups, group);
    }
    return groups;
}

void scen_served_rows_text(GString *out, const ScenValidation *validation, bool verbose)
{
    size_t width = LEAST_WIDTH;
    if (validation->served->len == 0)
        return;
    for (guint i = 0; i < validation->served->len; i++)
        width = MAX(width, strlen(g_array_index(validation->served, ScenServedRow, i).id));
    int column = (int)MIN(width, MOST_WIDTH);
    g_string_append_printf(out, "%-*s %-*s %11s %11s %10s\n", column, "serving", METRIC_WIDTH,
                           "figure", "predicted", "published", "error");
    for (guint i = 0; i < validation->served->len; i++) {
        const ScenServedRow *row = &g_array_index(validation->served, ScenServedRow, i);
        g_autofree char *figure =
            g_strdup_printf("%s, %s", scen_metric_key(row->metric), scen_metric_unit(row->metric));
        g_string_append_printf(out, "%-*s %-*s %11.5g %11.5g %+8.1f %%\n", column, row->id,
                               METRIC_WIDTH, figure, row->predicted, row->published,
                               100.0 * row->error_fraction);
        if (verbose && row->note) {
            g_string_append(out, "    ");
            scen_text_wrap(out, row->note, 4, 4);
        }
    }
}

static void add_summary(GString *out, const char *group, const char *metric,
                        const ScenServedSummary *s)
{
    if (s->rows > 0)
        g_string_append_printf(out, "%-*.*s %-*s %5zu %7.1f %% %+7.1f %% %7.1f %% %9.1f %%\n", 30,
                               30, group, METRIC_WIDTH, metric, s->rows, 100.0 * s->median_fraction,
                               100.0 * s->median_signed_fraction, 100.0 * s->mean_fraction,
                               100.0 * s->worst_fraction);
}

/* What each figure with rows means. */
static void add_definitions(GString *out, const ScenValidation *validation)
{
    for (int m = 0; m < SCEN_METRIC_COUNT; m++) {
        ScenServedSummary s = scen_served_summary(validation, NULL, (ScenMetric)m);
        if (s.rows == 0)
            continue;
        g_autofree char *text = g_strdup_printf("%s: %s", scen_metric_key((ScenMetric)m),
                                                scen_metric_definition((ScenMetric)m));
        scen_text_wrap(out, text, 0, 4);
    }
}

void scen_served_summary_text(GString *out, const ScenValidation *validation)
{
    if (validation->served->len == 0)
        return;
    g_autoptr(GPtrArray) groups = groups_of(validation);
    g_string_append_printf(out, "\n%-30s %-*s %5s %9s %9s %9s %11s\n", "Serving, by group",
                           METRIC_WIDTH, "and figure", "rows", "median", "leaning", "mean",
                           "worst");
    for (guint i = 0; i <= groups->len; i++) {
        const char *group = i < groups->len ? groups->pdata[i] : NULL;
        for (int m = 0; m < SCEN_METRIC_COUNT; m++) {
            ScenServedSummary s = scen_served_summary(validation, group, (ScenMetric)m);
            add_summary(out, group ? group : "all", scen_metric_key((ScenMetric)m), &s);
        }
    }
    ScenServedSummary all = scen_served_summary(validation, NULL, SCEN_METRIC_COUNT);
    add_summary(out, "all", "all", &all);
    scen_text_wrap(
        out,
        "median, mean and worst of |predicted / published - 1|; leaning: the median with "
        "its sign",
        0, 0);
    add_definitions(out, validation);
}

void scen_served_rows_json(JsonBuilder *json, const ScenValidation *validation)
{
    for (guint i = 0; i < validation->served->len; i++) {
        const ScenServedRow *row = &g_array_index(validation->served, ScenServedRow, i);
        json_builder_begin_object(json);
        scen_json_text(json, "id", row->id);
        scen_json_text(json, "source", row->source);
        scen_json_text(json, "group", row->group);
        scen_json_text(json, "metric", scen_metric_key(row->metric));
        scen_json_text(json, "unit", scen_metric_unit(row->metric));
        scen_json_number(json, "predicted", row->predicted);
        scen_json_number(json, "published", row->published);
        scen_json_number(json, "error_fraction", row->error_fraction);
        scen_json_text(json, "gpu", row->gpu);
        scen_json_text(json, "engine", row->engine);
        scen_json_number(json, "busy_fraction", row->busy_fraction);
        scen_json_integer(json, "guesses", row->guesses);
        scen_json_text(json, "assumptions", row->note ? row->note : "");
        json_builder_end_object(json);
    }
}

static void add_member(JsonBuilder *json, const char *name, const ScenServedSummary *s)
{
    if (s->rows == 0)
        return;
    json_builder_set_member_name(json, name);
    json_builder_begin_object(json);
    scen_json_integer(json, "rows", (gint64)s->rows);
    scen_json_number(json, "median_abs_error_fraction", s->median_fraction);
    scen_json_number(json, "median_error_fraction", s->median_signed_fraction);
    scen_json_number(json, "mean_abs_error_fraction", s->mean_fraction);
    scen_json_number(json, "worst_abs_error_fraction", s->worst_fraction);
    json_builder_end_object(json);
}

static void add_group(JsonBuilder *json, const ScenValidation *validation, const char *group)
{
    json_builder_set_member_name(json, group ? group : "all");
    json_builder_begin_object(json);
    for (int m = 0; m < SCEN_METRIC_COUNT; m++) {
        ScenServedSummary s = scen_served_summary(validation, group, (ScenMetric)m);
        add_member(json, scen_metric_key((ScenMetric)m), &s);
    }
    json_builder_end_object(json);
}

void scen_served_summary_json(JsonBuilder *json, const ScenValidation *validation)
{
    if (validation->served->len == 0)
        return;
    g_autoptr(GPtrArray) groups = groups_of(validation);
    json_builder_set_member_name(json, "serving");
    json_builder_begin_object(json);
    for (guint i = 0; i < groups->len; i++)
        add_group(json, validation, groups->pdata[i]);
    add_group(json, validation, NULL);
    json_builder_end_object(json);
}

/* The JSON of `orrery validate`, schema 1. The summary counts all training rows; beside it stand
 * those whose costs Orrery prices ("cost_model") and those whose stage times were measured
 * ("schedule_only"), which have no baseline, and those of serving ("serving", by group and metric),
 * a row a figure. Layout studies (scen_layout_studies.c) stand on their own. */
#include "scen_validate_report.h"

#include "scen_json.h"
#include "scen_judged.h"
#include "scen_layout_studies.h"
#include "scen_validate_memory.h"
#include "scen_validate_served.h"

#include <math.h>

/* Where the step's time goes, as shares of it, by kind of cost and evidence; the schedule's is the
 * bubble, which the others share out among them as well. */
static void add_exposure(JsonBuilder *json, const StratExposure *exposure)
{
    json_builder_set_member_name(json, "exposure_fraction");
    json_builder_begin_object(json);
    for (int k = 0; k < STRAT_KIND_SOFTWARE; k++) {
        for (int v = 0; v < KERN_EVIDENCE_COUNT; v++) {
            g_autofree char *key = g_strdup_printf("%s_%s", strat_kind_key((StratKind)k),
                                                   kern_evidence_name((KernEvidence)v));
            if (exposure->parts[k][v] > 0.0)
                scen_json_number(json, key, exposure->parts[k][v] / exposure->total);
        }
    }
    json_builder_end_object(json);
}

static void add_row(JsonBuilder *json, const ScenValidRow *row)
{
    json_builder_begin_object(json);
    scen_json_text(json, "id", row->id);
    scen_json_text(json, "source", row->source);
    scen_json_text(json, "metric", "step_time_s");
    scen_json_number(json, "predicted", row->predicted_s);
    scen_json_number(json, "published", row->published_s);
    scen_json_number(json, "error_fraction", row->error_fraction);
    scen_json_number(json, "baseline_error_fraction",
                     row->schedule_only ? NAN : row->baseline_error_fraction);
    json_builder_set_member_name(json, "interval_s");
    json_builder_begin_array(json);
    json_builder_add_double_value(json, row->interval.low_s);
    json_builder_add_double_value(json, row->interval.high_s);
    json_builder_end_array(json);
    scen_json_number(json, "half_width_fraction", row->interval.half_width_fraction);
    scen_json_boolean(json, "inside_interval", row->is_inside);
    scen_json_text(json, "evidence", kern_evidence_name(row->interval.evidence));
    add_exposure(json, &row->exposure);
    scen_json_text(json, "plan", row->plan);
    scen_json_integer(json, "guesses", row->guesses);
    scen_json_boolean(json, "schedule_only", row->schedule_only);
    scen_json_boolean(json, "fits", row->fits);
    scen_json_text(json, "assumptions", row->note ? row->note : "");
    json_builder_end_object(json);
}

static void add_skipped(JsonBuilder *json, const ScenSkippedRow *row)
{
    json_builder_begin_object(json);
    scen_json_text(json, "id", row->id);
    scen_json_text(json, "reason", row->reason);
    json_builder_end_object(json);
}

static void add_figures(JsonBuilder *json, const ScenValidSummary *summary)
{
    bool any = summary->rows > 0;
    scen_json_integer(json, "rows", (gint64)summary->rows);
    scen_json_number(json, "mean_abs_error_fraction", any ? summary->mean_fraction : NAN);
    scen_json_number(json, "worst_abs_error_fraction", any ? summary->worst_fraction : NAN);
    scen_json_integer(json, "inside_interval", (gint64)summary->inside);
    scen_json_number(json, "mean_half_width_fraction", any ? summary->half_width_fraction : NAN);
    scen_json_number(json, "rank_correlation", summary->rank_correlation);
    scen_json_number(json, "baseline_mean_abs_error_fraction",
                     summary->baseline_rows > 0 ? summary->baseline_fraction : NAN);
}

static void add_named(JsonBuilder *json, const char *name, const ScenValidSummary *summary)
{
    json_builder_set_member_name(json, name);
    json_builder_begin_object(json);
    add_figures(json, summary);
    json_builder_end_object(json);
}

/* Sources in order of first appearance. */
static void add_by_source(JsonBuilder *json, const ScenValidation *validation)
{
    g_autoptr(GPtrArray) seen = g_ptr_array_new();
    json_builder_set_member_name(json, "by_source");
    json_builder_begin_object(json);
    for (guint i = 0; i < validation->rows->len; i++) {
        char *source = g_array_index(validation->rows, ScenValidRow, i).source;
        if (g_ptr_array_find_with_equal_func(seen, source, g_str_equal, NULL))
            continue;
        g_ptr_array_add(seen, source);
        ScenValidSummary s = scen_validation_by_source(validation, source, SCEN_VALID_ALL);
        add_named(json, source, &s);
    }
    json_builder_end_object(json);
}

static void add_summary(JsonBuilder *json, const ScenValidation *validation)
{
    ScenValidSummary all = scen_validation_by_source(validation, NULL, SCEN_VALID_ALL);
    ScenValidSummary cost = scen_validation_by_source(validation, NULL, SCEN_VALID_COST_MODEL);
    ScenValidSummary schedule =
        scen_validation_by_source(validation, NULL, SCEN_VALID_SCHEDULE_ONLY);
    json_builder_set_member_name(json, "summary");
    json_builder_begin_object(json);
    add_figures(json, &all);
    add_by_source(json, validation);
    add_named(json, "cost_model", &cost);
    add_named(json, "schedule_only", &schedule);
    scen_served_summary_json(json, validation);
    scen_judged_summary_json(json, validation->judged);
    json_builder_end_object(json);
}

static void add_studies(JsonBuilder *json, const ScenValidation *validation)
{
    g_autoptr(GArray) studies = scen_layout_studies(validation);
    json_builder_set_member_name(json, "layout_studies");
    json_builder_begin_array(json);
    for (guint i = 0; i < studies->len; i++) {
        const ScenLayoutStudy *study = &g_array_index(studies, ScenLayoutStudy, i);
        json_builder_begin_object(json);
        scen_json_text(json, "study", study->name);
        scen_json_integer(json, "rows", study->rows);
        scen_json_integer(json, "layouts", study->layouts);
        scen_json_text(json, "chosen", study->chosen);
        scen_json_text(json, "best", study->best);
        scen_json_number(json, "lost_fraction", study->lost_fraction);
        scen_json_number(json, "rank_correlation", study->rank_correlation);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

char *scen_validate_json(const ScenValidation *validation)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    scen_json_integer(json, "schema", 1);
    json_builder_set_member_name(json, "rows");
    json_builder_begin_array(json);
    for (guint i = 0; i < validation->rows->len; i++)
        add_row(json, &g_array_index(validation->rows, ScenValidRow, i));
    scen_memory_rows_json(json, validation);
    scen_served_rows_json(json, validation);
    scen_judged_json(json, validation->judged);
    json_builder_end_array(json);
    json_builder_set_member_name(json, "skipped");
    json_builder_begin_array(json);
    for (guint i = 0; i < validation->skipped->len; i++)
        add_skipped(json, &g_array_index(validation->skipped, ScenSkippedRow, i));
    json_builder_end_array(json);
    add_summary(json, validation);
    add_studies(json, validation);
    json_builder_end_object(json);
    return scen_json_finish(json);
}

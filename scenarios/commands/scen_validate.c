/* Validation: predicted against published, and against the cheapest model there is.
 *
 * error = predicted / published - 1, per row. The baseline knows one number a GPU kind, the model
 * FLOPs per second that every run reaches: t = FLOPs / (GPUs c). c is the row's own rate that
 * minimises the mean absolute error over all rows of that GPU, so the baseline is given the very
 * answers; a simulator that does not beat it has learnt nothing. */
#include "scen_validate.h"

#include "scen_judged.h"
#include "scen_layout_studies.h"
#include "scen_plan_diff.h"
#include "scen_simulate.h"
#include "scen_validate_serve.h"
#include "sim_rank.h"

#include <math.h>
#include <string.h>

static void row_clear(ScenValidRow *row)
{
    g_free(row->id);
    g_free(row->source);
    g_free(row->group);
    g_free(row->gpu);
    g_free(row->plan);
    g_free(row->note);
    g_free(row->study);
    g_free(row->layout);
}

static void skipped_clear(ScenSkippedRow *row)
{
    g_free(row->id);
    g_free(row->reason);
}

ScenValidation *scen_validation_new(void)
{
    ScenValidation *v = g_new0(ScenValidation, 1);
    v->rows = g_array_new(FALSE, TRUE, sizeof(ScenValidRow));
    v->skipped = g_array_new(FALSE, TRUE, sizeof(ScenSkippedRow));
    v->served = g_array_new(FALSE, TRUE, sizeof(ScenServedRow));
    v->judged = scen_judged_rows_new();
    g_array_set_clear_func(v->served, (GDestroyNotify)scen_served_row_clear);
    g_array_set_clear_func(v->rows, (GDestroyNotify)row_clear);
    g_array_set_clear_func(v->skipped, (GDestroyNotify)skipped_clear);
    return v;
}

void scen_validation_free(ScenValidation *validation)
{
    if (!validation)
        return;
    g_array_unref(validation->rows);
    g_array_unref(validation->served);
    g_array_unref(validation->judged);
    g_array_unref(validation->skipped);
    g_free(validation);
}

void scen_validation_skip(ScenValidation *validation, const char *id, const char *reason)
{
    ScenSkippedRow row = {g_strdup(id), g_strchomp(g_strdup(reason))};
    g_array_append_val(validation->skipped, row);
}

/* The source up to its table, section or details: "Narayanan et al. SC'21 (arXiv ...) Table 1" and
 * Table 2 are one group. */
static char *group_of(const char *source)
{
    static const char *const ends[] = {" (", ", ", ": ", " Table", " Tables"};
    size_t length = strlen(source);
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        const char *end = strstr(source, ends[i]);
        if (end && end > source)
            length = MIN(length, (size_t)(end - source));
    }
    return g_strndup(source, length);
}

static void add_judged(ScenValidation *validation, const ScenScenario *scenario,
                       const char *const *sets)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) judgements = scen_judge(scenario, NULL, sets, &error);
    if (judgements)
        scen_judged_rows_add(validation->judged, scenario, judgements);
    else
        scen_validation_skip(validation, scenario->name, error->message);
}

void scen_validation_add(ScenValidation *validation, const ScenScenario *scenario,
                         const char *const *sets)
{
    g_autoptr(GError) error = NULL;
    if (scenario->expect.figures) {
        add_judged(validation, scenario, sets);
        if (scenario->expect.step_time_s <= 0.0 && !scen_expect_serves(&scenario->expect))
            return;
    }
    if (scenario->serving.is_on) {
        scen_validation_add_served(validation, scenario);
        return;
    }
    if (scenario->expect.step_time_s <= 0.0) {
        scen_validation_skip(validation, scenario->name, "expects no figure");
        return;
    }
    g_autoptr(StratTrainResult) result = scen_simulate(scenario, &error);
    if (!result) {
        scen_validation_skip(validation, scenario->name, error->message);
        return;
    }
    StratInterval interval;
    StratExposure exposure;
    if (!scen_interval(scenario, result, &interval, &exposure, &error)) {
        scen_validation_skip(validation, scenario->name, error->message);
        return;
    }
    const ScenExpect *expect = &scenario->expect;
    const char *source = expect->source ? expect->source : "unknown";
    double predicted = (double)result->step_ns * 1e-9;
    ScenValidRow row = {
        .id = g_strdup(scenario->name),
        .source = g_strdup(source),
        .group = expect->group ? g_strdup(expect->group) : group_of(source),
        .gpu = g_strdup(scenario->cluster.node.gpu.name),
        .note = g_strdup(scenario->description),
        .schedule_only = scenario->plan.profiled.forward_s > 0.0,
        .fits = strat_memory_fits(result->memory),
        .predicted_s = predicted,
        .published_s = expect->step_time_s,
        .error_fraction = predicted / expect->step_time_s - 1.0,
        .interval = interval,
        .exposure = exposure,
        .plan = g_strdup(scenario->plan.name),
        .model_error_fraction = scenario->plan.model_error_fraction,
        .guesses = scenario->guesses,
        .is_inside =
            expect->step_time_s >= interval.low_s && expect->step_time_s <= interval.high_s,
        .model_flop_per_gpu = result->model_flop / (double)result->gpus,
    };
    const StratMemory *worst =
        &g_array_index(result->memory, StratMemory, strat_memory_worst_stage(result->memory));
    row.reserved = expect->peak_reserved_bytes > 0.0;
    row.published_memory_bytes = MAX(expect->peak_allocated_bytes, expect->peak_reserved_bytes);
    row.predicted_memory_bytes =
        row.reserved ? strat_memory_cached_bytes(worst) : strat_memory_allocated_bytes(worst);
    row.study = scen_layout_study_name(scenario, row.group);
    row.layout = scen_plan_diff(&(StratPlan){0}, &scenario->plan);
    g_array_append_val(validation->rows, row);
    validation->errors = scenario->errors;
    validation->errors.name = validation->errors.source = NULL;
}

static bool counts_for_baseline(const ScenValidRow *row, const char *gpu)
{
    return !row->schedule_only && g_str_equal(row->gpu, gpu);
}

/* Mean absolute error over the rows of @gpu at a constant @rate (FLOP/s). */
static double baseline_error(const GArray *rows, const char *gpu, double rate)
{
    double sum = 0.0, count = 0.0;
    for (guint i = 0; i < rows->len; i++) {
        const ScenValidRow *row = &g_array_index(rows, ScenValidRow, i);
        if (!counts_for_baseline(row, gpu))
            continue;
        sum += fabs(row->model_flop_per_gpu / rate / row->published_s - 1.0);
        count += 1.0;
    }
    return sum / count;
}

static double best_rate(const GArray *rows, const char *gpu)
{
    double best = 0.0, least = INFINITY;
    for (guint i = 0; i < rows->len; i++) {
        const ScenValidRow *row = &g_array_index(rows, ScenValidRow, i);
        if (!counts_for_baseline(row, gpu))
            continue;
        double rate = row->model_flop_per_gpu / row->published_s;
        double error = baseline_error(rows, gpu, rate);
        if (error < least) {
            least = error;
            best = rate;
        }
    }
    return best;
}

void scen_validation_baseline(ScenValidation *validation)
{
    g_autoptr(GHashTable) rates = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    for (guint i = 0; i < validation->rows->len; i++) {
        ScenValidRow *row = &g_array_index(validation->rows, ScenValidRow, i);
        if (row->schedule_only)
            continue;
        double *rate = g_hash_table_lookup(rates, row->gpu);
        if (!rate) {
            rate = g_new(double, 1);
            *rate = best_rate(validation->rows, row->gpu);
            g_hash_table_insert(rates, row->gpu, rate);
        }
        row->baseline_error_fraction = row->model_flop_per_gpu / *rate / row->published_s - 1.0;
    }
}

static bool is_of_kind(const ScenValidRow *row, ScenValidKind kind)
{
    return kind == SCEN_VALID_ALL || (kind == SCEN_VALID_SCHEDULE_ONLY) == row->schedule_only;
}

static void count_row(ScenValidSummary *summary, const ScenValidRow *row)
{
    double error = fabs(row->error_fraction);
    summary->rows++;
    summary->mean_fraction += error;
    summary->worst_fraction = fmax(summary->worst_fraction, error);
    summary->inside += row->is_inside ? 1 : 0;
    summary->half_width_fraction += row->interval.half_width_fraction;
    if (row->schedule_only)
        return;
    summary->baseline_rows++;
    summary->baseline_fraction += fabs(row->baseline_error_fraction);
}

static void finish_means(ScenValidSummary *summary)
{
    if (summary->rows > 0) {
        summary->mean_fraction /= (double)summary->rows;
        summary->half_width_fraction /= (double)summary->rows;
    }
    if (summary->baseline_rows > 0)
        summary->baseline_fraction /= (double)summary->baseline_rows;
}

/* The rows of @kind whose source, or group, is @name (NULL: any). */
static ScenValidSummary summary_of(const ScenValidation *validation, const char *name,
                                   bool by_group, ScenValidKind kind)
{
    ScenValidSummary summary = {0};
    guint most = MAX(validation->rows->len, 1);
    g_autofree double *predicted = g_new(double, most), *published = g_new(double, most);
    for (guint i = 0; i < validation->rows->len; i++) {
        const ScenValidRow *row = &g_array_index(validation->rows, ScenValidRow, i);
        if (!is_of_kind(row, kind) ||
            (name && !g_str_equal(by_group ? row->group : row->source, name)))
            continue;
        predicted[summary.rows] = row->predicted_s;
        published[summary.rows] = row->published_s;
        count_row(&summary, row);
    }
    finish_means(&summary);
    summary.rank_correlation = sim_rank_correlation(predicted, published, summary.rows);
    return summary;
}

ScenValidSummary scen_validation_by_source(const ScenValidation *validation, const char *name,
                                           ScenValidKind kind)
{
    return summary_of(validation, name, false, kind);
}

ScenValidSummary scen_validation_by_group(const ScenValidation *validation, const char *name,
                                          ScenValidKind kind)
{
    return summary_of(validation, name, true, kind);
}

/* Validation of serving: each published figure of a run beside the same figure of the simulated
 * run.
 *
 * error = predicted / published - 1. Groups are of one source and engine version, which is where
 * constants may be fitted; medians, because one row near saturation can be wrong by any factor. */
#include "scen_validate_serve.h"

#include "scen_serve.h"
#include "scen_serve_report.h"

#include <math.h>

void scen_served_row_clear(ScenServedRow *row)
{
    g_free(row->id);
    g_free(row->source);
    g_free(row->group);
    g_free(row->gpu);
    g_free(row->engine);
    g_free(row->note);
}

static void add_figure(ScenValidation *validation, const ScenScenario *scenario,
                       const ScenServed *served, ScenMetric metric)
{
    const ScenExpect *expect = &scenario->expect;
    double scale = scen_metric_scale(metric);
    double predicted = scen_served_metric(scenario, served, metric);
    if (!isfinite(predicted)) {
        g_autofree char *id = g_strdup_printf("%s, %s", scenario->name, scen_metric_key(metric));
        scen_validation_skip(validation, id, "the run has no such figure");
        return;
    }
    const char *source = expect->source ? expect->source : "unknown";
    ScenServedRow row = {
        .id = g_strdup(scenario->name),
        .source = g_strdup(source),
        .group = g_strdup(expect->group ? expect->group : source),
        .gpu = g_strdup(scenario->cluster.node.gpu.name),
        .engine = g_strdup(scenario->serving.engine.row.name),
        .note = g_strdup(scenario->description),
        .metric = metric,
        .predicted = predicted / scale,
        .published = expect->served[metric] / scale,
        .error_fraction = predicted / expect->served[metric] - 1.0,
        .busy_fraction = scen_serve_busy_fraction(served->result),
        .guesses = scenario->guesses,
    };
    g_array_append_val(validation->served, row);
}

/* Why @served is no prediction; NULL: it is one. The caller owns it. */
static char *reason_against(const ScenServed *served)
{
    if (served->no_fit)
        return g_strdup(served->no_fit);
    const StratServeResult *result = served->result;
    if (result->finished < result->requests)
        return g_strdup_printf("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                               " requests did not finish%s%s",
                               result->requests - result->finished, result->requests,
                               result->stuck ? ": " : "", result->stuck ? result->stuck : "");
    return NULL;
}

void scen_validation_add_served(ScenValidation *validation, const ScenScenario *scenario)
{
    g_autoptr(GError) error = NULL;
    if (!scen_expect_serves(&scenario->expect)) {
        scen_validation_skip(validation, scenario->name, "expects no figure of serving");
        return;
    }
    g_autoptr(ScenServed) served = scen_serve(scenario, (ScenServeWants){0}, &error);
    g_autofree char *reason = served ? reason_against(served) : g_strdup(error->message);
    if (reason) {
        scen_validation_skip(validation, scenario->name, reason);
        return;
    }
    for (int m = 0; m < SCEN_METRIC_COUNT; m++)
        if (scenario->expect.served[m] > 0.0)
            add_figure(validation, scenario, served, (ScenMetric)m);
}

static int compare_numbers(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(GArray *numbers)
{
    g_array_sort(numbers, compare_numbers);
    guint half = numbers->len / 2;
    double upper = g_array_index(numbers, double, half);
    return numbers->len % 2 ? upper : 0.5 * (upper + g_array_index(numbers, double, half - 1));
}

ScenServedSummary scen_served_summary(const ScenValidation *validation, const char *group,
                                      ScenMetric metric)
{
    ScenServedSummary s = {0};
    g_autoptr(GArray) sizes = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) errors = g_array_new(FALSE, FALSE, sizeof(double));
    for (guint i = 0; i < validation->served->len; i++) {
        const ScenServedRow *row = &g_array_index(validation->served, ScenServedRow, i);
        if ((group && !g_str_equal(group, row->group)) ||
            (metric != SCEN_METRIC_COUNT && metric != row->metric))
            continue;
        double size = fabs(row->error_fraction);
        g_array_append_val(sizes, size);
        g_array_append_val(errors, row->error_fraction);
        s.mean_fraction += size;
        s.worst_fraction = MAX(s.worst_fraction, size);
    }
    s.rows = sizes->len;
    if (s.rows == 0)
        return s;
    s.mean_fraction /= (double)s.rows;
    s.median_fraction = median(sizes);
    s.median_signed_fraction = median(errors);
    return s;
}

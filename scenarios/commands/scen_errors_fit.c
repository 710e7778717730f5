/* Fits the errors behind intervals: as narrow as they can be, while they hold what was published.
 *
 * With x_r = |ln(published / predicted)| of row r and q_r = 1.645 s_r, the reach of its interval
 * (strat_interval.c), minimise
 *
 *   mean_r [ q_r + price / (1 + exp((q_r - x_r) / w)) ] + pull * sum_p ln(p / p0)^2
 *
 * over the errors p of the kinds, the factor of datasheet evidence, the default of software, and
 * the model error of each generation of software that has one, one coordinate at a time in ever
 * smaller steps. The middle term counts rows outside, softly, with a width w that shrinks in
 * stages; the last one keeps figures that no row speaks of where they were. Counting, unlike a
 * likelihood, leaves rows alone that no model here describes, where squares would widen every other
 * interval for them.
 *
 * Held out by source: all rows of a source are put aside, the rest fitted, and the ones put aside
 * counted; a generation of software whose last row goes takes the default. That is what to expect
 * of a run that nobody has published. */
#include "scen_errors_fit.h"

#include <math.h>
#include <string.h>

static const double QUANTILE_95 = 1.6448536269514722;
static const double PULL = 0.0008; /* of the objective, per squared log of a figure */
static const double BOUND = 2.5;   /* a figure stays within this factor of its start */
static const double SOFTNESS[] = {0.02, 0.01, 0.005}; /* w, stage by stage */
static const double FIRST_STEP = 1.6, LAST_STEP = 1.02;
static const double OWN_START = 1.0 / 3.0; /* of a model error, over the default of software */

enum { OWN_LEAST_ROWS = 10, PLANS_MAX = 64, FIGURES_MAX = STRAT_KIND_COUNT + 1 + PLANS_MAX };

/* Figures: kinds (software and guesses among them), the datasheet factor, plans. */
enum { FIGURE_DATASHEET = STRAT_KIND_COUNT, FIGURE_PLANS };

typedef struct Fit {
    const GArray *rows;    /* of ScenValidRow */
    const char *put_aside; /* a group; NULL: none */
    char *plans[PLANS_MAX];
    int plan_count;
    StratErrors start;
    double figure[FIGURES_MAX], prior[FIGURES_MAX];
    double price;
} Fit;

static char *plan_base(const ScenValidRow *row)
{
    const char *end = strstr(row->plan, " (changed)");
    return end ? g_strndup(row->plan, (gsize)(end - row->plan)) : g_strdup(row->plan);
}

static int plan_index(const Fit *fit, const ScenValidRow *row)
{
    g_autofree char *base = plan_base(row);
    for (int i = 0; i < fit->plan_count; i++) {
        if (g_str_equal(fit->plans[i], base))
            return i;
    }
    return -1;
}

static bool is_fitted_on(const Fit *fit, const ScenValidRow *row)
{
    return !row->schedule_only && !(fit->put_aside && g_str_equal(row->group, fit->put_aside));
}

/* Rows of plan @plan that the fit sees. */
static int plan_rows(const Fit *fit, int plan)
{
    int count = 0;
    for (guint i = 0; i < fit->rows->len; i++) {
        const ScenValidRow *row = &g_array_index(fit->rows, ScenValidRow, i);
        count += is_fitted_on(fit, row) && plan_index(fit, row) == plan ? 1 : 0;
    }
    return count;
}

static StratErrors errors_of(const Fit *fit, const double *figure)
{
    StratErrors errors = fit->start;
    memcpy(errors.kind, figure, sizeof errors.kind);
    errors.widen[KERN_EVIDENCE_DATASHEET] = figure[FIGURE_DATASHEET];
    return errors;
}

/* A row as the objective sees it, found once. */
typedef struct Seen {
    const ScenValidRow *row;
    int plan; /* -1: takes the default */
    double apart;
} Seen;

static double reach(const Seen *seen, const StratErrors *errors, const double *figure)
{
    double own = seen->plan >= 0 ? figure[FIGURE_PLANS + seen->plan] : 0.0;
    return QUANTILE_95 * strat_interval(1.0, &seen->row->exposure, errors, own, seen->row->guesses)
                             .standard_error_fraction;
}

static double objective(const Fit *fit, const GArray *seen, const double *figure, double softness)
{
    StratErrors errors = errors_of(fit, figure);
    double sum = 0.0, pull = 0.0;
    for (guint i = 0; i < seen->len; i++) {
        const Seen *s = &g_array_index(seen, Seen, i);
        double q = reach(s, &errors, figure);
        sum += q + fit->price / (1.0 + exp((q - s->apart) / softness));
    }
    for (int i = 0; i < FIGURE_PLANS + fit->plan_count; i++)
        pull += figure[i] > 0.0 ? pow(log(figure[i] / fit->prior[i]), 2.0) : 0.0;
    return sum / (double)seen->len + PULL * pull;
}

/* The rows to fit on, or those put aside; plans with too few rows in the fit take the default. */
static GArray *see(const Fit *fit, bool aside)
{
    bool own[PLANS_MAX] = {false};
    for (int p = 0; p < fit->plan_count; p++)
        own[p] = plan_rows(fit, p) >= OWN_LEAST_ROWS;
    GArray *all = g_array_new(FALSE, FALSE, sizeof(Seen));
    for (guint i = 0; i < fit->rows->len; i++) {
        const ScenValidRow *row = &g_array_index(fit->rows, ScenValidRow, i);
        int plan = plan_index(fit, row);
        Seen seen = {row, plan >= 0 && own[plan] ? plan : -1,
                     fabs(log(row->published_s / row->predicted_s))};
        if (!row->schedule_only && is_fitted_on(fit, row) != aside)
            g_array_append_val(all, seen);
    }
    return all;
}

/* One pass over all figures, each tried a step up and a step down; whether any helped. */
static bool improve(Fit *fit, const GArray *seen, double step, double softness, double *best)
{
    bool improved = false;
    for (int i = 0; i < FIGURE_PLANS + fit->plan_count; i++) {
        for (int up = 0; up < 2; up++) {
            double before = fit->figure[i];
            double tried = up ? before * step : before / step;
            fit->figure[i] = CLAMP(tried, fit->prior[i] / BOUND, fit->prior[i] * BOUND);
            double value = objective(fit, seen, fit->figure, softness);
            if (value < *best - 1e-9) {
                *best = value;
                improved = true;
            } else {
                fit->figure[i] = before;
            }
        }
    }
    return improved;
}

static void run_fit(Fit *fit, const GArray *seen)
{
    for (size_t stage = 0; stage < G_N_ELEMENTS(SOFTNESS); stage++) {
        double best = objective(fit, seen, fit->figure, SOFTNESS[stage]);
        for (double step = FIRST_STEP; step > LAST_STEP;) {
            if (!improve(fit, seen, step, SOFTNESS[stage], &best))
                step = sqrt(step);
        }
    }
}

static void begin(Fit *fit)
{
    memcpy(fit->prior, fit->start.kind, sizeof fit->start.kind);
    fit->prior[FIGURE_DATASHEET] = fit->start.widen[KERN_EVIDENCE_DATASHEET];
    for (int p = 0; p < fit->plan_count; p++)
        fit->prior[FIGURE_PLANS + p] = OWN_START * fit->start.kind[STRAT_KIND_SOFTWARE];
    memcpy(fit->figure, fit->prior, sizeof fit->prior);
}

/* Rows of @seen, how many are inside, and the sum of the half-widths. */
typedef struct Count {
    guint rows, inside;
    double half_width;
} Count;

static void count(const Fit *fit, const GArray *seen, Count *sum)
{
    StratErrors errors = errors_of(fit, fit->figure);
    for (guint i = 0; i < seen->len; i++) {
        const Seen *s = &g_array_index(seen, Seen, i);
        double q = reach(s, &errors, fit->figure);
        sum->rows++;
        sum->inside += s->apart <= q ? 1 : 0;
        sum->half_width += sinh(q);
    }
}

static void add_count(GString *out, const char *what, const Count *c)
{
    if (c->rows > 0)
        g_string_append_printf(out, "# %s: inside %u of %u (%.1f %%), mean half-width %.1f %%\n",
                               what, c->inside, c->rows, 100.0 * c->inside / c->rows,
                               100.0 * c->half_width / c->rows);
}

static void hold_out(const Fit *whole, GString *out)
{
    g_autoptr(GPtrArray) groups = g_ptr_array_new();
    Count sum = {0};
    for (guint i = 0; i < whole->rows->len; i++) {
        char *group = g_array_index(whole->rows, ScenValidRow, i).group;
        if (!g_ptr_array_find_with_equal_func(groups, group, g_str_equal, NULL))
            g_ptr_array_add(groups, group);
    }
    for (guint i = 0; i < groups->len; i++) {
        Fit fit = *whole;
        fit.put_aside = groups->pdata[i];
        begin(&fit);
        g_autoptr(GArray) seen = see(&fit, false), aside = see(&fit, true);
        if (seen->len == 0 || aside->len == 0)
            continue;
        run_fit(&fit, seen);
        count(&fit, aside, &sum);
    }
    add_count(out, "held out by source", &sum);
}

static void add_plans(Fit *fit)
{
    for (guint i = 0; i < fit->rows->len; i++) {
        const ScenValidRow *row = &g_array_index(fit->rows, ScenValidRow, i);
        if (row->model_error_fraction > 0.0 && plan_index(fit, row) < 0 &&
            fit->plan_count < PLANS_MAX)
            fit->plans[fit->plan_count++] = plan_base(row);
    }
}

static void add_yaml(const Fit *fit, GString *out)
{
    for (int k = 0; k < STRAT_KIND_COUNT; k++)
        g_string_append_printf(out, "%s: %.3f\n",
                               k == STRAT_KIND_GUESSES ? "guess" : strat_kind_key((StratKind)k),
                               fit->figure[k]);
    g_string_append_printf(out, "widen: {datasheet: %.2f}\n", fit->figure[FIGURE_DATASHEET]);
    for (int p = 0; p < fit->plan_count; p++)
        g_string_append_printf(out, "%s: {model_error: %.3f}  # %d rows\n", fit->plans[p],
                               fit->figure[FIGURE_PLANS + p], plan_rows(fit, p));
}

char *scen_errors_fit(const ScenValidation *validation, double miss_price)
{
    Fit fit = {.rows = validation->rows, .start = validation->errors, .price = miss_price};
    GString *out = g_string_new(NULL);
    Count sum = {0};
    add_plans(&fit);
    begin(&fit);
    g_autoptr(GArray) seen = see(&fit, false);
    if (seen->len > 0) {
        run_fit(&fit, seen);
        count(&fit, seen, &sum);
        add_count(out, "fitted on all", &sum);
        hold_out(&fit, out);
        add_yaml(&fit, out);
    } else {
        g_string_append(out, "# no row to fit on\n");
    }
    for (int p = 0; p < fit.plan_count; p++)
        g_free(fit.plans[p]);
    return g_string_free(out, FALSE);
}

/* The screen of `orrery search`: the winner and how to run it, what the next best loses where, the
 * Pareto set, and everything that was rejected with the reason. */
#include "scen_search_report.h"
#include "scen_text.h"

#include <math.h>

#define I64 "%" G_GINT64_FORMAT

enum { LABEL = 10, PARETO_SHOWN = 10 };

static char *promise(const ScenServing *serving)
{
    const StratDeployment *d = &serving->deployment;
    const struct {
        const char *name;
        double s;
    } objectives[] = {
        {"TTFT", d->slo_ttft_s},
        {"TPOT", d->slo_tpot_s},
        {"E2E",  d->slo_e2e_s }
    };
    g_autoptr(GString) text = g_string_new(NULL);
    if (!scen_serving_promises(serving))
        return g_strdup("answer every request (no slo: is set)");
    g_string_append_printf(text, "keep, for %.4g %% of the requests,",
                           100.0 * serving->slo_attainment);
    for (size_t i = 0; i < G_N_ELEMENTS(objectives); i++) {
        g_autofree char *s = scen_text_seconds(objectives[i].s);
        if (objectives[i].s > 0.0)
            g_string_append_printf(text, " %s %s", objectives[i].name, s);
    }
    return g_strdup(text->str);
}

static char *figures_text(const ScenFigures *f)
{
    g_autofree char *ttft = scen_text_seconds(f->ttft_p99_s);
    g_autofree char *tpot = scen_text_seconds(f->tpot_p99_s);
    double busy_s = 0.0;
    for (int p = 0; p < STRAT_SERVE_PARTS; p++)
        busy_s += f->busy_s[p];
    double all_s = busy_s + f->idle_s;
    return g_strdup_printf("$%.4g for the run, $%.4g a million output tokens, all counted; TTFT "
                           "p99 %s, TPOT p99 %s, %.1f output tokens/s, objectives met by %.1f %%, "
                           "GPUs idle %.0f %%",
                           f->usd, f->usd_per_output, ttft, tpot, f->output_tokens_per_s,
                           100.0 * f->attainment, all_s > 0.0 ? 100.0 * f->idle_s / all_s : 0.0);
}

static void add_one(GString *out, const char *label, const ScenSearched *searched, gint index)
{
    const ScenDeployment *one = scen_searched_at(searched, index);
    g_autofree char *text = scen_deployment_text(searched->all, one);
    g_autofree char *figures = figures_text(&one->figures);
    scen_text_line(out, LABEL, label, "%s", text);
    scen_text_line(out, LABEL, "", "%s", figures);
}

/* Where the next best spends more GPU-seconds than the winner. */
static void add_why(GString *out, const ScenSearched *searched)
{
    const ScenFigures *best = &scen_searched_at(searched, searched->best)->figures;
    const ScenFigures *next = &scen_searched_at(searched, searched->next)->figures;
    int worst = STRAT_SERVE_PARTS;
    double most_s = next->idle_s - best->idle_s;
    for (int p = 0; p < STRAT_SERVE_PARTS; p++)
        if (next->busy_s[p] - best->busy_s[p] > most_s) {
            most_s = next->busy_s[p] - best->busy_s[p];
            worst = p;
        }
    g_autoptr(GString) text = g_string_new(NULL);
    if (best->usd > 0.0)
        g_string_append_printf(text, "%+.2f %% dollars", 100.0 * (next->usd / best->usd - 1.0));
    if (most_s > 0.0)
        g_string_append_printf(
            text, "%sit spends most more on %s: %.4g GPU-seconds, %.4g more than the winner",
            text->len ? "; " : "",
            worst < STRAT_SERVE_PARTS ? strat_serve_part_name((StratServePart)worst) : "idling",
            worst < STRAT_SERVE_PARTS ? next->busy_s[worst] : next->idle_s, most_s);
    else
        g_string_append(text, "; it spends no more GPU-seconds, they are dearer");
    scen_text_line(out, LABEL, "", "%s", text->str);
}

static void add_winner(GString *out, const ScenScenario *scenario, const ScenSearched *searched)
{
    if (searched->best < 0) {
        g_autofree char *what = promise(&scenario->serving);
        scen_text_line(out, LABEL, "Winner", "none: no deployment that was allowed would %s", what);
        return;
    }
    const ScenDeployment *one = scen_searched_at(searched, searched->best);
    g_autofree char *settings = scen_deployment_settings(searched->all, one);
    add_one(out, "Winner", searched, searched->best);
    scen_text_line(out, LABEL, "", "orrery run %s %s", scenario->path, settings);
    if (searched->next < 0)
        return;
    add_one(out, "Next best", searched, searched->next);
    add_why(out, searched);
}

static void add_pareto(GString *out, const ScenSearched *searched)
{
    g_autoptr(GArray) list = scen_search_pareto(searched);
    if (list->len == 0)
        return;
    g_string_append(out, "\nPareto set: none of the simulated is better in dollars, latencies and "
                         "GPUs\n");
    g_string_append_printf(out, "  %9s %9s %5s %10s %10s\n", "$", "$/M out", "GPUs", "TTFT p99",
                           "TPOT p99");
    for (guint i = 0; i < MIN(list->len, PARETO_SHOWN); i++) {
        const ScenDeployment *one = scen_searched_at(searched, g_array_index(list, gint, i));
        g_autofree char *ttft = scen_text_seconds(one->figures.ttft_p99_s);
        g_autofree char *tpot = scen_text_seconds(one->figures.tpot_p99_s);
        g_autofree char *text = scen_deployment_text(searched->all, one);
        g_string_append_printf(out, "  %9.4g %9.4g %5" G_GINT64_FORMAT " %10s %10s  ",
                               one->figures.usd, one->figures.usd_per_output, one->gpus, ttft,
                               tpot);
        scen_text_wrap(out, text, 51, 51);
    }
    if (list->len > PARETO_SHOWN)
        g_string_append_printf(out, "  and %u more (--json has all)\n", list->len - PARETO_SHOWN);
}

static void add_rejected(GString *out, const ScenSearched *searched)
{
    g_autoptr(GArray) rows = scen_search_rejected(searched);
    if (rows->len > 0)
        g_string_append(out, "\nRejected\n");
    for (guint i = 0; i < rows->len; i++) {
        const ScenRejected *row = &g_array_index(rows, ScenRejected, i);
        const ScenFamily *family = &g_array_index(searched->all->families, ScenFamily, row->family);
        const ScenDeployment *example = scen_searched_at(searched, row->example);
        g_autofree char *why = scen_search_why(searched, row->example);
        g_autofree char *named = scen_deployment_text(searched->all, example);
        g_autofree char *text =
            row->fate == SCEN_FATE_TYPES
                ? g_strdup_printf("%s: %s: %s", family->name, scen_fate_text(row->fate), why)
                : g_strdup_printf("%s: %s (%s%s%s)", family->name, scen_fate_text(row->fate), named,
                                  why ? ": " : "", why ? why : "");
        g_string_append_printf(out, "  %7" G_GINT64_FORMAT "  ", row->count);
        scen_text_wrap(out, text, 11, 11);
    }
}

char *scen_search_text(const ScenScenario *scenario, const ScenSearched *searched)
{
    static const char *const least[] = {
        [SCEN_OBJECTIVE_USD] = "dollars",
        [SCEN_OBJECTIVE_USD_OUTPUT] = "dollars a million output tokens",
        [SCEN_OBJECTIVE_GPUS] = "GPUs",
    };
    GString *out = g_string_new(NULL);
    g_autofree char *what = promise(&scenario->serving);
    g_autofree char *title = g_strdup_printf(
        "%s: the fewest %s that %s, of %u deployments, %zu of them simulated%s", scenario->name,
        least[scenario->search.objective], what, searched->all->list->len, searched->tried,
        searched->stopped ? "; STOPPED before the end, so cheaper ones may be left" : "");
    scen_text_wrap(out, title, 0, 2);
    g_string_append_c(out, '\n');
    add_winner(out, scenario, searched);
    add_pareto(out, searched);
    add_rejected(out, searched);
    return g_string_free(out, FALSE);
}

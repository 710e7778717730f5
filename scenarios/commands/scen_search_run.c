/* The cheapest deployment that keeps its promises under given traffic.
 *
 * Deployments that no bound refuses are simulated with all of the traffic, those first that could
 * cost least, until nothing is left that could cost less than
 *
 *     reach x (the cheapest so far that keeps the objectives)                 (strat_search.c)
 *
 * The bound of the dollars is the price of the deployment's GPUs until
 *
 *     max(the last arrival, the tokens of the traffic at the best rate of its replicas)
 *
 * of all requests where none can be refused, of the share that must be served well elsewhere. It
 * leaves energy out.
 *
 * A simulation is given up as soon as more requests have missed an objective than may: what is left
 * cannot mend that, so a deployment that is far too slow is found out within the first requests,
 * which is a screening by a prefix of the traffic whose answer is exact. Where requests wait for
 * answers nothing of this is known before the run; bounds are 0 and every deployment runs to its
 * end.
 *
 * So the answer is that of simulating all (a test holds the two together), as far as the bounds
 * hold. Deployments that cost the same: fewer GPUs, or for gpus fewer dollars, then the first in
 * the order of the lists. */
#include "scen_search_run.h"

#include "scen_errors.h"
#include "scen_serve.h"
#include "strat_search.h"

#include <math.h>

static const double MILLION = 1e6;
static const double TAIL = 0.99;

/* What all candidates share; each is taken into its own deployment. */
typedef struct Hunt {
    const ScenScenario *scenario;
    const ScenSearchOptions *options;
    ScenDeployments *all;
    GArray *index; /* of gint: the deployment of each trial */
} Hunt;

/* One simulation under way. */
typedef struct Look {
    const Hunt *hunt;
    bool gave_up, stopped;
} Look;

static ScenDeployment *at(const Hunt *hunt, size_t trial)
{
    return &g_array_index(hunt->all->list, ScenDeployment, g_array_index(hunt->index, gint, trial));
}

static bool is_stopped(void *ctx)
{
    const Hunt *hunt = ctx;
    return hunt->options->stops && hunt->options->stops(hunt->options->ctx);
}

/* Whether a run with these counts can only miss. */
static bool stops(void *ctx, const StratServeResult *so_far)
{
    Look *look = ctx;
    const Hunt *hunt = look->hunt;
    const StratDemand *demand = &hunt->all->demand;
    double share = hunt->scenario->serving.slo_attainment;
    int64_t missed = so_far->measured - so_far->within_slo;
    look->gave_up = !hunt->options->exhaustive && !demand->waits &&
                    scen_serving_promises(&hunt->scenario->serving) &&
                    (double)(demand->asked - missed) < share * (double)demand->asked;
    look->stopped = is_stopped((void *)hunt);
    return look->gave_up || look->stopped;
}

static ScenFigures figures_of(const ScenServed *served)
{
    const StratServeResult *r = served->result;
    double end_s = sim_time_to_seconds(r->end_ns);
    ScenFigures figures = {
        .usd = served->money.usd_total,
        .ttft_p99_s = strat_digest_quantile(r->ttft_s, TAIL),
        .tpot_p99_s = strat_digest_quantile(r->tpot_s, TAIL),
        .attainment = strat_serve_attainment(r),
        .output_tokens_per_s = end_s > 0.0 ? (double)r->output_tokens / end_s : 0.0,
        .idle_s = r->idle_s,
        .looked_at = r->measured,
    };
    if (r->output_tokens > 0)
        figures.usd_per_output = figures.usd / (double)r->output_tokens * MILLION;
    memcpy(figures.busy_s, r->busy_s, sizeof figures.busy_s);
    memcpy(figures.missed, r->missed, sizeof figures.missed);
    return figures;
}

static double objective_of(const ScenScenario *scenario, const ScenDeployment *one, double usd,
                           double usd_per_output)
{
    switch (scenario->search.objective) {
    case SCEN_OBJECTIVE_GPUS:
        return (double)one->gpus;
    case SCEN_OBJECTIVE_USD_OUTPUT:
        return usd_per_output;
    default:
        return usd;
    }
}

/* Whether the run did all that was asked. Without objectives that is an answer to every request. */
static bool is_kept(const ScenScenario *one, const ScenServed *served)
{
    const StratServeResult *r = served->result;
    if (r->finished == 0 || r->unfinished > 0 || scen_served_misses(one, served))
        return false;
    return scen_serving_promises(&one->serving) || r->finished == r->requests;
}

/* What came of one simulation: handed over as it is, the text of @why after it. */
typedef struct Found {
    ScenFate fate;
    bool has_why;
    ScenFigures figures;
} Found;

/* Simulates @one; its reason, if there is one, goes to @why. */
static Found simulate(const Hunt *hunt, const ScenDeployment *one, char **why)
{
    g_autoptr(GError) fault = NULL;
    Look look = {.hunt = hunt};
    StratServeWatch watch = {.ctx = &look, .stops = stops};
    g_autofree ScenScenario *as = scen_deployment_scenario(hunt->all, one, &fault);
    g_autoptr(ScenServed) served = NULL;
    if (as)
        served = scen_serve(as, (ScenServeWants){.watch = &watch}, &fault);
    if (!served) {
        *why = g_strdup(fault->message);
        return (Found){.fate = SCEN_FATE_FAULT};
    }
    if (!served->result) {
        *why = g_strdup(served->no_fit);
        return (Found){.fate = SCEN_FATE_MEMORY};
    }
    if (look.stopped)
        return (Found){.fate = SCEN_FATE_STOPPED};
    Found found = {.fate = SCEN_FATE_MISSES, .figures = figures_of(served)};
    if (!look.gave_up && is_kept(as, served))
        found.fate = SCEN_FATE_MEETS;
    else if (!look.gave_up && served->result->unfinished > 0)
        *why = g_strdup(served->result->stuck);
    return found;
}

static GBytes *evaluate(void *ctx, size_t index)
{
    const Hunt *hunt = ctx;
    g_autofree char *why = NULL;
    Found found = simulate(hunt, at(hunt, index), &why);
    found.has_why = why != NULL;
    GByteArray *bytes = g_byte_array_new();
    g_byte_array_append(bytes, (const guint8 *)&found, sizeof found);
    if (why)
        g_byte_array_append(bytes, (const guint8 *)why, (guint)strlen(why) + 1);
    return g_byte_array_free_to_bytes(bytes);
}

static void take(void *ctx, size_t index, GBytes *bytes, StratTrial *trial)
{
    const Hunt *hunt = ctx;
    ScenDeployment *one = at(hunt, index);
    const char *data = g_bytes_get_data(bytes, NULL);
    Found found;
    memcpy(&found, data, sizeof found);
    one->fate = found.fate;
    one->figures = found.figures;
    if (found.has_why) {
        g_free(one->why);
        one->why = g_strdup(data + sizeof found);
    }
    bool by_gpus = hunt->scenario->search.objective == SCEN_OBJECTIVE_GPUS;
    trial->verdict = one->fate == SCEN_FATE_MEETS ? STRAT_MEETS : STRAT_FAILS;
    trial->objective =
        objective_of(hunt->scenario, one, one->figures.usd, one->figures.usd_per_output);
    trial->tie = by_gpus ? one->figures.usd : (double)one->gpus;
}

/* Fills the least dollars of @one, and its fate where the tokens take too long. */
static void bound(const ScenDeployments *all, ScenDeployment *one)
{
    const StratDemand *demand = &all->demand;
    const ScenShape *shape = &g_array_index(all->shapes, ScenShape, one->shape);
    const ScenShape *prefill =
        one->prefill < 0 ? NULL : &g_array_index(all->shapes, ScenShape, one->prefill);
    const ScenScenario *family = scen_deployment_family(all, one)->scenario;
    StratDeployment d = family->serving.deployment;
    StratFloor floor[] = {prefill ? prefill->floor : shape->floor, shape->floor};
    d.pools = prefill ? 2 : 1;
    d.pool[0].replicas = prefill ? one->prefill_replicas : one->replicas;
    d.pool[1].replicas = one->replicas;
    bool answers_all = shape->serves_all && (!prefill || prefill->serves_all);
    const StratWork *work = answers_all ? &demand->all : &demand->least;
    double least_s = MAX(work->until_s, strat_floor_work_s(floor, &d, work));
    double must_s = strat_floor_work_s(floor, &d, &demand->least);
    double time_s = strat_demand_time_s(demand, &d);
    if (must_s > time_s) {
        one->fate = SCEN_FATE_WORK;
        one->why = g_strdup_printf("%.4g s of work in %.4g s", must_s, time_s);
    }
    StratServeResult idle = {.gpus = one->gpus, .up_s = (double)one->gpus * least_s};
    one->least_usd = scen_money(family, &idle).usd_total;
}

static double bound_of(const ScenScenario *scenario, const ScenDeployments *all,
                       const ScenDeployment *one)
{
    double tokens = (double)all->demand.output_tokens;
    double usd_per_output = tokens > 0.0 ? one->least_usd / tokens * MILLION : 0.0;
    return objective_of(scenario, one, one->least_usd, usd_per_output);
}

static void report_progress(void *ctx, size_t done, size_t most)
{
    const Hunt *hunt = ctx;
    if (hunt->options->progress)
        hunt->options->progress(hunt->options->ctx, done, most);
}

/* The deployments that are to be tried, with their bounds. */
static StratTrial *trials_new(Hunt *hunt)
{
    const ScenDeployments *all = hunt->all;
    hunt->index = g_array_new(FALSE, FALSE, sizeof(gint));
    StratTrial *trial = g_new0(StratTrial, all->list->len);
    for (gint i = 0; i < (gint)all->list->len; i++) {
        ScenDeployment *one = &g_array_index(all->list, ScenDeployment, i);
        bool is_slow = one->fate == SCEN_FATE_ALONE;
        if (one->fate == SCEN_FATE_MEETS)
            bound(all, one);
        is_slow = is_slow || one->fate == SCEN_FATE_WORK;
        if (one->fate != SCEN_FATE_MEETS && !(hunt->options->exhaustive && is_slow))
            continue;
        one->fate = SCEN_FATE_DEARER; /* until it is tried */
        trial[hunt->index->len].bound = bound_of(hunt->scenario, all, one);
        g_array_append_val(hunt->index, i);
    }
    return trial;
}

static void find_pareto(ScenSearched *searched)
{
    const GArray *list = searched->all->list;
    enum { AXES = 4 };
    g_autofree double *value = g_new(double, AXES * list->len);
    g_autofree bool *kept = g_new0(bool, list->len);
    g_autofree guint *place = g_new(guint, list->len);
    size_t count = 0;
    searched->pareto = g_new0(bool, list->len);
    for (guint i = 0; i < list->len; i++) {
        const ScenDeployment *one = &g_array_index(list, ScenDeployment, i);
        if (one->fate != SCEN_FATE_MEETS)
            continue;
        const double axes[AXES] = {one->figures.usd, one->figures.ttft_p99_s,
                                   one->figures.tpot_p99_s, (double)one->gpus};
        memcpy(value + AXES * count, axes, sizeof axes);
        place[count++] = i;
    }
    strat_search_pareto(value, count, AXES, kept);
    for (size_t i = 0; i < count; i++)
        searched->pareto[place[i]] = kept[i];
}

/* The best of those that meet the objectives, but for @best (-1: of all). */
static gint best_but(const Hunt *hunt, const StratTrial *trial, gint best)
{
    gint found = -1;
    const StratTrial *least = NULL;
    for (guint i = 0; i < hunt->index->len; i++) {
        gint index = g_array_index(hunt->index, gint, i);
        if (trial[i].verdict != STRAT_MEETS || index == best)
            continue;
        if (least && (trial[i].objective > least->objective ||
                      (trial[i].objective == least->objective && trial[i].tie >= least->tie)))
            continue;
        least = &trial[i];
        found = index;
    }
    return found;
}

static bool is_searchable(const ScenScenario *scenario, GError **error)
{
    bool in_dollars = scenario->search.objective != SCEN_OBJECTIVE_GPUS;
    if (!scenario->serving.is_on)
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "search is over deployments: the scenario has no `serve:`");
    else if (in_dollars && !scenario->cost.name && !scenario->search.costs)
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "the least dollars need prices: `cost:`, `search.costs`, or "
                    "search.objective gpus");
    else if (scenario->serving.autoscale.least > 0)
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "search chooses deployments whose replicas are all up: remove serve.autoscale");
    else
        return true;
    return false;
}

ScenSearched *scen_search(const ScenScenario *scenario, const char *path, const char *const *sets,
                          const ScenSearchOptions *options, GError **error)
{
    if (!is_searchable(scenario, error))
        return NULL;
    g_autoptr(ScenSearched) searched = g_new0(ScenSearched, 1);
    searched->all = scen_deployments_new(scenario, path, sets, error);
    if (!searched->all)
        return NULL;
    Hunt hunt = {.scenario = scenario, .options = options, .all = searched->all};
    g_autofree StratTrial *trial = trials_new(&hunt);
    StratSearch search = {
        .trial = trial,
        .count = hunt.index->len,
        .reach = MAX(scenario->search.reach, 1.0),
        .farm = options->farm,
        .exhaustive = options->exhaustive,
        .ctx = &hunt,
        .evaluate = evaluate,
        .take = take,
        .stops = is_stopped,
        .progress = report_progress,
    };
    strat_search_run(&search);
    searched->stopped = is_stopped(&hunt);
    for (guint i = 0; i < hunt.index->len; i++) {
        ScenDeployment *one = at(&hunt, i);
        searched->tried += one->fate != SCEN_FATE_DEARER;
        if (searched->stopped && one->fate == SCEN_FATE_DEARER)
            one->fate = SCEN_FATE_STOPPED;
    }
    searched->best = best_but(&hunt, trial, -1);
    searched->next = best_but(&hunt, trial, searched->best);
    g_array_unref(hunt.index);
    find_pareto(searched);
    return g_steal_pointer(&searched);
}

void scen_searched_free(ScenSearched *searched)
{
    if (!searched)
        return;
    scen_deployments_free(searched->all);
    g_free(searched->pareto);
    g_free(searched);
}

const ScenDeployment *scen_searched_at(const ScenSearched *searched, gint index)
{
    return index < 0 ? NULL : &g_array_index(searched->all->list, ScenDeployment, index);
}

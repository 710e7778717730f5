/* The plan with the shortest step, and what else is worth a look.
 *
 * Plans that pass the screen (scen_plan_space.c) are simulated with the scenario's own network,
 * those of the least bounds first, until no bound is below
 *
 *     reach x (the shortest step so far of a plan that fits)                  (strat_search.c)
 *
 * for each number of GPUs on its own, so that every size has its winner; and beyond, those that are
 * on the Pareto set as far as one can tell: no simulated plan of that size is as fast as their bound
 * and takes as little memory as they do. The bound of a plan is not
 * above its step (strat_screen.c; a test holds the two together), so with any reach the winner is
 * that of simulating all. Plans of equal steps: the least memory, then the first in the order of
 * the lists. */
#include "scen_plan_search.h"

#include "scen_errors.h"
#include "scen_money.h"
#include "scen_simulate.h"
#include "strat_search.h"

#include <string.h>

static const double SECONDS_PER_HOUR = 3600.0;

/* What all candidates share; each is taken into its own trial. */
typedef struct Hunt {
    const ScenScenario *scenario;
    const ScenSearchOptions *options;
    GArray *trials;
    GArray *index; /* of guint: of the trials of one number of GPUs */
} Hunt;

static ScenPlanTrial *at(const Hunt *hunt, size_t index)
{
    return &g_array_index(hunt->trials, ScenPlanTrial, g_array_index(hunt->index, guint, index));
}

static bool is_stopped(void *ctx)
{
    const Hunt *hunt = ctx;
    return hunt->options->stops && hunt->options->stops(hunt->options->ctx);
}

static void report_progress(void *ctx, size_t done, size_t most)
{
    const Hunt *hunt = ctx;
    if (hunt->options->progress)
        hunt->options->progress(hunt->options->ctx, done, most);
}

/* Whether a plan that was simulated is not worse than @index can be, in time and in memory. */
static bool is_beaten(void *ctx, size_t index)
{
    const Hunt *hunt = ctx;
    const StratLeast *least = &at(hunt, index)->least;
    for (guint i = 0; i < hunt->index->len; i++) {
        const ScenPlanTrial *other = at(hunt, i);
        if (other->fate == SCEN_PLAN_FITS && other->step_s <= least->step_s &&
            other->memory_bytes <= least->memory_bytes)
            return true;
    }
    return false;
}

static double peak_bytes(const StratCosting *costing)
{
    g_autoptr(GArray) stages = strat_memory_stages(costing);
    return g_array_index(stages, StratMemory, strat_memory_worst_stage(stages)).peak_bytes;
}

static void evaluate_one(const ScenScenario *scenario, ScenPlanTrial *one)
{
    ScenScenario as = scen_plan_scenario(scenario, one);
    StratCosting costing;
    one->fate = SCEN_PLAN_FAULT;
    if (!scen_costing(&as, &costing, NULL))
        return;
    one->memory_bytes = peak_bytes(&costing);
    if (one->memory_bytes > scen_plan_room_bytes(&as)) {
        one->fate = SCEN_PLAN_MEMORY;
        return;
    }
    g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, NULL);
    if (!result)
        return;
    double usd_per_hour = scen_money_usd_per_gpu_hour(&as.cost);
    one->fate = SCEN_PLAN_FITS;
    one->step_s = sim_time_to_seconds(result->step_ns);
    one->usd_per_token =
        (double)one->gpus * one->step_s / SECONDS_PER_HOUR * usd_per_hour / result->tokens;
    memcpy(one->ledger_ns, result->ledger_ns, sizeof one->ledger_ns);
}

static GBytes *evaluate(void *ctx, size_t index)
{
    const Hunt *hunt = ctx;
    ScenPlanTrial one = *at(hunt, index);
    evaluate_one(hunt->scenario, &one);
    return g_bytes_new(&one, sizeof one);
}

/* The plan has pointers of the process that tried it, so each keeps its own. */
static void take(void *ctx, size_t index, GBytes *bytes, StratTrial *trial)
{
    ScenPlanTrial *one = at(ctx, index);
    StratPlan plan = one->plan;
    memcpy(one, g_bytes_get_data(bytes, NULL), sizeof *one);
    one->plan = plan;
    trial->verdict = one->fate == SCEN_PLAN_FITS ? STRAT_MEETS : STRAT_FAILS;
    trial->objective = one->step_s;
    trial->tie = one->memory_bytes;
}

/* Searches the trials of @gpus GPUs. */
static void search_size(Hunt *hunt, int64_t gpus)
{
    g_autofree StratTrial *trial = g_new0(StratTrial, hunt->trials->len);
    hunt->index = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < hunt->trials->len; i++) {
        const ScenPlanTrial *one = &g_array_index(hunt->trials, ScenPlanTrial, i);
        if (one->gpus != gpus)
            continue;
        trial[hunt->index->len].bound = one->least.step_s;
        g_array_append_val(hunt->index, i);
    }
    StratSearch search = {
        .trial = trial,
        .count = hunt->index->len,
        .reach = MAX(hunt->scenario->search.reach, 1.0),
        .farm = hunt->options->farm,
        .exhaustive = hunt->options->exhaustive,
        .ctx = hunt,
        .evaluate = evaluate,
        .take = take,
        .rules_out = is_beaten,
        .stops = is_stopped,
        .progress = report_progress,
    };
    strat_search_run(&search);
    g_clear_pointer(&hunt->index, g_array_unref);
}

/* The largest number of GPUs of a trial below @below; 0: there is none. */
static int64_t next_size(const GArray *trials, int64_t below)
{
    int64_t found = 0;
    for (guint i = 0; i < trials->len; i++) {
        int64_t gpus = g_array_index(trials, ScenPlanTrial, i).gpus;
        if (gpus < below)
            found = MAX(found, gpus);
    }
    return found;
}

/* The best of those that fit, but for @best (-1: of all). */
static gint best_but(const GArray *trials, gint best)
{
    gint found = -1;
    for (gint i = 0; i < (gint)trials->len; i++) {
        const ScenPlanTrial *one = &g_array_index(trials, ScenPlanTrial, i);
        if (one->fate != SCEN_PLAN_FITS || i == best)
            continue;
        const ScenPlanTrial *least =
            found < 0 ? NULL : &g_array_index(trials, ScenPlanTrial, found);
        if (!least || one->step_s < least->step_s ||
            (one->step_s <= least->step_s && one->memory_bytes < least->memory_bytes))
            found = i;
    }
    return found;
}

static void find_pareto(ScenPlansSearched *searched)
{
    enum { AXES = 4 };
    const GArray *trials = searched->space->trials;
    g_autofree double *value = g_new(double, AXES *MAX(searched->tried, 1));
    g_autofree bool *kept = g_new0(bool, MAX(searched->tried, 1));
    g_autofree guint *place = g_new(guint, MAX(searched->tried, 1));
    size_t count = 0;
    searched->pareto = g_new0(bool, MAX(trials->len, 1));
    for (guint i = 0; i < trials->len; i++) {
        const ScenPlanTrial *one = &g_array_index(trials, ScenPlanTrial, i);
        if (one->fate != SCEN_PLAN_FITS)
            continue;
        const double figures[AXES] = {one->step_s, one->memory_bytes, (double)one->gpus,
                                      one->usd_per_token};
        memcpy(value + AXES * count, figures, sizeof figures);
        place[count++] = i;
    }
    strat_search_pareto(value, count, AXES, kept);
    for (size_t i = 0; i < count; i++)
        searched->pareto[place[i]] = kept[i];
}

static bool is_searchable(const ScenScenario *scenario, GError **error)
{
    const char *why = NULL;
    if (scenario->search.reach <= 0.0)
        why = "the scenario has no `search:`";
    else if (scenario->plan.profiled.forward_s > 0.0)
        why = "plan.profiled has the times of one plan: others cannot be searched";
    else if (scenario->model.experts > 0)
        why = "search is over training plans of dense models: its lower bound of a step leaves out "
              "experts and their exchange";
    else if (scenario->gpu_of_rank || scenario->jobs)
        why = "search is over plans of one job, packed: remove placement and jobs";
    else if (scenario->degraded.state.slow_count > 0 || scenario->degraded.state.weak_count > 0)
        why = "search is over plans on healthy nodes: remove faults";
    else if (scenario->cluster.mixed.gpus > 0)
        why = "search is over plans on equal nodes: its bounds know one kind, remove cluster.mixed";
    if (why)
        g_set_error_literal(error, SCEN_ERROR, SCEN_ERROR_WRONG, why);
    return !why;
}

ScenPlansSearched *scen_plan_search(const ScenScenario *scenario, const ScenSearchOptions *options,
                                    GError **error)
{
    StratCosting costing;
    if (!is_searchable(scenario, error) || !scen_costing(scenario, &costing, error))
        return NULL;
    g_autoptr(ScenPlansSearched) searched = g_new0(ScenPlansSearched, 1);
    searched->space = scen_plan_space_new(scenario, options->stops, options->ctx, error);
    if (!searched->space)
        return NULL;
    Hunt hunt = {.scenario = scenario, .options = options, .trials = searched->space->trials};
    for (int64_t gpus = next_size(hunt.trials, INT64_MAX); gpus > 0 && !is_stopped(&hunt);
         gpus = next_size(hunt.trials, gpus))
        search_size(&hunt, gpus);
    searched->stopped = is_stopped(&hunt);
    for (guint i = 0; i < hunt.trials->len; i++)
        searched->tried += g_array_index(hunt.trials, ScenPlanTrial, i).fate != SCEN_PLAN_UNTRIED;
    searched->best = best_but(hunt.trials, -1);
    searched->next = searched->best < 0 ? -1 : best_but(hunt.trials, searched->best);
    find_pareto(searched);
    return g_steal_pointer(&searched);
}

void scen_plans_searched_free(ScenPlansSearched *searched)
{
    if (!searched)
        return;
    scen_plan_space_free(searched->space);
    g_free(searched->pareto);
    g_free(searched);
}

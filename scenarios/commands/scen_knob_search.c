/* The search for knobs: every knob turned alone, simulated, and held against the plan as it is.
 *
 * A turned plan counts only when it passes the checks of a scenario and fits in memory. A long step
 * is not simulated in full for every variant. Past the first microbatches each further group of g
 * adds the same time (1F1B: any g; interleaved: the pipeline's stages), so
 *
 *   T(M) = T(m) + (M - m) / g * (T(m) - T(m - g))
 *
 * is taken from three short steps a group apart when both differences agree to the nanosecond, and
 * when the same formula gives the scenario's own, fully simulated, step to the nanosecond. Where
 * that fails the formula only ranks the variants, and the best are simulated in full.
 *
 * Variants are independent, so threads share them; each writes its own place, and the order of the
 * answer does not depend on who came first. */
#include "scen_knobs.h"

#include "scen_check.h"
#include "scen_plan_diff.h"
#include "scen_simulate.h"
#include "sim_farm.h"
#include "strat_layout.h"
#include "topo_net.h"

#include <math.h>

enum {
    SHORT_OPERATIONS = 20000, /* a step of at most so many is simulated in full */
    GROUP = 4,                /* microbatches of a group where the schedule does not say */
    THREADS_MAX = 8,
    SHARED_GPUS = 1024, /* of a plan whose transfers share links */
};

/* A step shorter by less than this fraction is no help. */
static const double LEAST_GAIN = 0.001;

/* Times closer than this are the same nanosecond. */
static const double SAME_S = 0.5e-9;

/* A turned plan that is sound. */
typedef struct Variant {
    const ScenKnob *knob;
    ScenScenario scenario; /* borrows the strings of the one it varies */
    double step_s;
    bool exact; /* as if simulated in full */
} Variant;

/* What the threads need to know. */
typedef struct Search {
    GArray *variants; /* of Variant */
    double own_s;     /* step of the plan as it is */
    bool is_short;
} Search;

static double step_s(const ScenScenario *scenario)
{
    g_autoptr(StratTrainResult) result = scen_simulate(scenario, NULL);
    return result ? (double)result->step_ns * 1e-9 : INFINITY;
}

static double short_step_s(const ScenScenario *scenario, int64_t microbatches)
{
    ScenScenario shorter = *scenario;
    StratPlan *plan = &shorter.plan;
    plan->global_batch = microbatches * plan->data * plan->micro_batch;
    return step_s(&shorter);
}

/* The step drawn out from short ones, and whether it is exact to the nanosecond. What is not below
 * @most_s is of no interest, so its exactness is not looked at. */
static double drawn_out_s(const ScenScenario *scenario, double most_s, bool *exact)
{
    const StratPlan *plan = &scenario->plan;
    int64_t all = plan->global_batch / (plan->data * plan->micro_batch);
    int64_t group = plan->virtual_stages > 1 ? plan->pipeline : GROUP;
    const StratSchedule *schedule = strat_plan_schedule(plan);
    int64_t least = all % group + group;
    while (least < all &&
           !strat_schedule_fits(schedule, plan->pipeline, plan->virtual_stages, least, NULL))
        least += group;
    *exact = all < least + 3 * group;
    if (*exact)
        return step_s(scenario);
    double first_s = short_step_s(scenario, least);
    double second_s = short_step_s(scenario, least + group);
    double slope_s = second_s - first_s;
    double drawn_s = first_s + slope_s * (double)((all - least) / group);
    if (!isfinite(drawn_s))
        return INFINITY;
    if (drawn_s < most_s) {
        double third_s = short_step_s(scenario, least + 2 * group);
        *exact = fabs(third_s - second_s - slope_s) < SAME_S;
    }
    return drawn_s;
}

static GBytes *estimate(int64_t task, void *ctx)
{
    const Search *search = ctx;
    Variant *variant = &g_array_index(search->variants, Variant, task);
    variant->exact = true;
    if (search->is_short)
        variant->step_s = step_s(&variant->scenario);
    else
        variant->step_s = drawn_out_s(&variant->scenario, search->own_s, &variant->exact);
    return NULL;
}

static GArray *variants_new(const ScenScenario *scenario)
{
    size_t count = 0;
    const ScenKnob *knobs = scen_knob_all(&count);
    GArray *variants = g_array_new(FALSE, FALSE, sizeof(Variant));
    for (size_t i = 0; i < count; i++) {
        Variant variant = {.knob = &knobs[i], .scenario = *scenario};
        variant.scenario.fold = true; /* gives the same step, sooner */
        if (knobs[i].turn(&variant.scenario.plan) && scen_scenario_check(&variant.scenario, NULL))
            g_array_append_val(variants, variant);
    }
    return variants;
}

static gint compare_variants(gconstpointer a, gconstpointer b)
{
    const Variant *x = a, *y = b;
    if (x->step_s < y->step_s || x->step_s > y->step_s)
        return x->step_s < y->step_s ? -1 : 1;
    return (x->knob > y->knob) - (x->knob < y->knob);
}

static gint compare_gains(gconstpointer a, gconstpointer b)
{
    const ScenKnobGain *x = a, *y = b;
    if (x->step_s < y->step_s || x->step_s > y->step_s)
        return x->step_s < y->step_s ? -1 : 1;
    return g_strcmp0(x->setting, y->setting);
}

static void gain_clear(ScenKnobGain *gain)
{
    g_free(gain->setting);
}

/* How full the fullest stage of @scenario is. */
static double memory_fraction(const ScenScenario *scenario)
{
    StratCosting costing;
    if (!scen_costing(scenario, &costing, NULL))
        return INFINITY;
    g_autoptr(GArray) memory = strat_memory_stages(&costing);
    const StratMemory *worst =
        &g_array_index(memory, StratMemory, strat_memory_worst_stage(memory));
    return worst->peak_bytes / worst->capacity_bytes;
}

/* Adds @variant to @gains if it helps and fits. */
static void consider(GArray *gains, Variant *variant, const ScenScenario *scenario, double own_s)
{
    double most_s = own_s * (1.0 - LEAST_GAIN);
    if (variant->step_s > most_s)
        return;
    double memory = memory_fraction(&variant->scenario);
    if (memory > 1.0)
        return;
    if (!variant->exact)
        variant->step_s = step_s(&variant->scenario);
    if (variant->step_s > most_s)
        return;
    ScenKnobGain gain = {
        .text = variant->knob->text,
        .setting = scen_plan_diff(&scenario->plan, &variant->scenario.plan),
        .step_s = variant->step_s,
        .gain_fraction = 1.0 - variant->step_s / own_s,
        .memory_fraction = memory,
    };
    g_array_append_val(gains, gain);
}

bool scen_knobs_are_cheap(const ScenScenario *scenario)
{
    const TopoNet *net = topo_net_by_name(scenario->network, NULL);
    if (!net || scenario->plan.profiled.forward_s > 0.0 ||
        (scenario->jobs && scenario->jobs->len > 0))
        return false;
    return !net->shares_links ||
           (!net->is_referee && strat_rank_count(&scenario->plan) <= SHARED_GPUS);
}

GArray *scen_knobs(const ScenScenario *scenario, const StratTrainResult *result, guint most)
{
    GArray *gains = g_array_new(FALSE, FALSE, sizeof(ScenKnobGain));
    g_array_set_clear_func(gains, (GDestroyNotify)gain_clear);
    Search search = {
        .own_s = (double)result->step_ns * 1e-9,
        .is_short = result->operations <= SHORT_OPERATIONS,
    };
    bool exact = true, trusted = true;
    if (!search.is_short) {
        double own_s = drawn_out_s(scenario, INFINITY, &exact);
        trusted = exact && fabs(own_s - search.own_s) < SAME_S;
    }
    g_autoptr(GArray) variants = search.variants = variants_new(scenario);
    SimFarm farm = sim_farm_threads(MIN((int64_t)g_get_num_processors(), THREADS_MAX));
    SimFarmJob job = {.count = variants->len, .work = estimate, .ctx = &search};
    sim_farm_run(&farm, &job, NULL);
    g_array_sort(variants, compare_variants);
    for (guint i = 0; i < variants->len && gains->len < most; i++) {
        Variant *variant = &g_array_index(variants, Variant, i);
        variant->exact = variant->exact && trusted;
        consider(gains, variant, scenario, search.own_s);
    }
    g_array_sort(gains, compare_gains);
    return gains;
}

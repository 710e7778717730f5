/* Where the two clocks meet: a campaign asks how long a step takes in a state of the job, and the
 * step level simulates it.
 *
 * A GPU at a fraction of its clock is simulated as all of them at it: in a synchronous job the
 * others wait for it. This is an upper bound: in a pipeline only the slow stage's part of the fill
 * and drain is longer. Where the scenario gives the healthy step time, slower states take longer
 * than it by the simulated ratio. A job that goes on without some nodes is scen_adapt.c's. */
#include "scen_survive.h"

#include "scen_adapt.h"
#include "scen_simulate.h"

#include <math.h>

typedef struct Steps {
    const ScenScenario *scenario;
    double simulated_s; /* healthy */
    ScenAdapt *adapt;
} Steps;

static double step_of(const StratJobState *state, void *ctx)
{
    const Steps *steps = ctx;
    double given_s = steps->scenario->campaign.step_s;
    double healthy_s = given_s > 0.0 ? given_s : steps->simulated_s;
    if (state->adaptation != STRAT_ADAPT_NONE)
        healthy_s *= scen_adapt_slowdown(steps->adapt, state);
    if (state->adaptation == STRAT_ADAPT_REBALANCE || state->adaptation == STRAT_ADAPT_SWAP)
        return healthy_s;
    double slowest = 1.0;
    for (size_t i = 0; i < state->slow_count; i++)
        slowest = MIN(slowest, state->slow[i].clock_fraction);
    if (slowest >= 1.0 || isinf(healthy_s))
        return healthy_s;
    ScenScenario slow = *steps->scenario;
    slow.profile.sustained_clock_fraction *= slowest;
    g_autoptr(StratTrainResult) result = scen_simulate(&slow, NULL);
    g_assert(result); /* a clock alone makes no scenario wrong */
    return healthy_s * sim_time_to_seconds(result->step_ns) / steps->simulated_s;
}

static StratFaultModel faults_of(const ScenScenario *scenario)
{
    const ScenCampaign *written = &scenario->campaign;
    const ScenFaults *faults = &written->faults;
    return (StratFaultModel){
        .classes = (const StratFaultClass *)(void *)faults->classes->data,
        .count = faults->classes->len,
        .records = faults->records ? (const StratFaultRecord *)(void *)faults->records->data : NULL,
        .record_count = faults->records ? faults->records->len : 0,
        .site = {scenario->cluster.gpu_count, scenario->cluster.node.gpus, written->nodes_per_leaf,
                 written->nodes_per_rack},
        .seed = scenario->seed,
        .scale = faults->scale,
        .early_factor = faults->early_factor,
        .early_s = faults->early_s,
        .incidents =
            faults->incidents ? (const StratFaultIncident *)(void *)faults->incidents->data : NULL,
        .incident_count = faults->incidents ? faults->incidents->len : 0,
        .cycles = faults->cycles ? (const StratFaultCycle *)(void *)faults->cycles->data : NULL,
        .cycle_count = faults->cycles ? faults->cycles->len : 0,
        .node_shape = faults->node_shape,
        .lemon_fraction = faults->lemon_fraction,
        .lemon_factor = faults->lemon_factor,
    };
}

ScenSurvived *scen_survive(const ScenScenario *scenario, double step_s)
{
    const GPtrArray *others = scenario->campaign.recoveries;
    g_autoptr(ScenAdapt) adapt = scen_adapt_new(scenario);
    Steps steps = {scenario, step_s, adapt};
    StratCampaign campaign = scenario->campaign.spec;
    campaign.faults = faults_of(scenario);
    campaign.step = step_of;
    campaign.step_ctx = &steps;
    campaign.recovery.replicas = scenario->plan.data;
    campaign.recovery.stages = scenario->plan.pipeline;
    ScenSurvived *survived = g_new0(ScenSurvived, 1);
    survived->own = strat_campaign_run(&campaign);
    survived->others = g_ptr_array_new_with_free_func((GDestroyNotify)strat_campaign_result_free);
    for (guint i = 0; others && i < others->len; i++) {
        campaign.recovery.policy = g_ptr_array_index(others, i);
        g_ptr_array_add(survived->others, strat_campaign_run(&campaign));
    }
    return survived;
}

void scen_survived_free(ScenSurvived *survived)
{
    if (!survived)
        return;
    strat_campaign_result_free(survived->own);
    g_ptr_array_unref(survived->others);
    g_free(survived);
}

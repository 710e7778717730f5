/* Where the two clocks meet: a campaign asks how long a step takes in a state of the job, and the
 * step level simulates it.
 *
 * A GPU at a fraction of its clock is simulated as all of them at it: in a synchronous job the
 * others wait for it. This is an upper bound: in a pipeline only the slow stage's part of the fill
 * and drain is longer. Where the scenario gives the healthy step time, slower states take longer
 * than it by the simulated ratio. A campaign without a plan takes a step for computation alone,
 * which takes as much longer as the slowest clock is lower. */
#include "scen_survive.h"

#include "scen_saves.h"
#include "scen_simulate.h"

typedef struct Steps {
    const ScenScenario *scenario;
    double simulated_s; /* healthy */
} Steps;

static double step_of(const StratJobState *state, void *ctx)
{
    const Steps *steps = ctx;
    double given_s = steps->scenario->campaign.step_s;
    double healthy_s = given_s > 0.0 ? given_s : steps->simulated_s;
    double slowest = 1.0;
    for (size_t i = 0; i < state->slow_count; i++)
        slowest = MIN(slowest, state->slow[i].clock_fraction);
    if (slowest >= 1.0 || steps->scenario->campaign.is_alone)
        return healthy_s / slowest;
    ScenScenario slow = *steps->scenario;
    slow.profile.sustained_clock_fraction *= slowest;
    g_autoptr(StratTrainResult) result = scen_simulate(&slow, NULL);
    g_assert(result); /* a clock alone makes no scenario wrong */
    return healthy_s * sim_time_to_seconds(result->step_ns) / steps->simulated_s;
}

StratFaultModel scen_fault_model(const ScenScenario *scenario)
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
        .lemon_fraction = faults->lemon_fraction,
        .lemon_factor = faults->lemon_factor,
    };
}

StratCampaignResult *scen_survive(const ScenScenario *scenario, double step_s,
                                  const StratSaves *saves)
{
    Steps steps = {scenario, step_s};
    StratCampaign campaign = scenario->campaign.spec;
    campaign.faults = scen_fault_model(scenario);
    campaign.step = step_of;
    campaign.step_ctx = &steps;
    if (campaign.recovery.replicas == 0)
        campaign.recovery.replicas = scenario->campaign.is_alone ? 1 : scenario->plan.data;
    if (saves)
        scen_saves_apply(&scenario->campaign, saves, &campaign);
    return strat_campaign_run(&campaign);
}

/* Where the two clocks meet: a campaign asks how long a step takes in a state of the job, and the
 * step level simulates it, once for all states that are alike (strat_alike.h). Where the scenario
 * gives the healthy step time, other states take longer than it by the simulated ratio. A campaign
 * without a plan takes a step for computation alone, which takes as much longer as the slowest
 * clock is lower. */
#include "scen_survive.h"

#include "scen_saves.h"
#include "scen_step_state.h"

typedef struct Steps {
    const ScenScenario *scenario;
    double simulated_s; /* healthy */
} Steps;

static double healthy_s(const Steps *steps)
{
    double given_s = steps->scenario->campaign.step_s;
    return given_s > 0.0 ? given_s : steps->simulated_s;
}

static double step_of(const StratJobState *state, void *ctx)
{
    const Steps *steps = ctx;
    if (state->slow_count + state->weak_count == 0 && state->replicas_lost == 0)
        return healthy_s(steps);
    g_autoptr(StratTrainResult) result = scen_simulate_in(steps->scenario, state, NULL);
    g_assert(result); /* the kinds of states that occur were tried before */
    return healthy_s(steps) * sim_time_to_seconds(result->step_ns) / steps->simulated_s;
}

/* Of a campaign without a plan. */
static double step_alone(const StratJobState *state, void *ctx)
{
    double slowest = 1.0;
    for (size_t i = 0; i < state->slow_count; i++)
        slowest = MIN(slowest, state->slow[i].clock_fraction);
    return healthy_s(ctx) / slowest;
}

/* Whether a step is modelled in which every class of slow faults has struck. */
static bool try_states(const ScenScenario *scenario, GError **error)
{
    const GArray *classes = scenario->campaign.faults.classes;
    for (guint i = 0; i < classes->len; i++) {
        const StratFaultClass *c = &g_array_index(classes, StratFaultClass, i);
        StratSlowGpu slow = {0, c->clock_fraction};
        StratWeakNic weak = {0, 0, 1.0 - c->nic_lost_fraction};
        StratJobState state = {.slow = &slow, .slow_count = 1, .weak = &weak};
        state.weak_count = c->nic_lost_fraction > 0.0 ? 1 : 0;
        if (c->effect != STRAT_FAULT_SLOW)
            continue;
        g_autoptr(StratTrainResult) result = scen_simulate_in(scenario, &state, error);
        if (!result) {
            g_prefix_error(error, "faults of class %s: ", c->name);
            return false;
        }
    }
    return true;
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
                                  const StratSaves *saves, GError **error)
{
    const ScenCampaign *written = &scenario->campaign;
    Steps steps = {scenario, step_s};
    StratCampaign campaign = written->spec;
    campaign.faults = scen_fault_model(scenario);
    campaign.nics_per_node = scenario->cluster.node.nics;
    if (campaign.recovery.replicas == 0)
        campaign.recovery.replicas = written->is_alone ? 1 : scenario->plan.data;
    if (saves)
        scen_saves_apply(written, saves, &campaign);
    if (written->is_alone) {
        campaign.step = step_alone;
        campaign.step_ctx = &steps;
        return strat_campaign_run(&campaign);
    }
    if (!try_states(scenario, error))
        return NULL;
    StratPlaces places = {&scenario->cluster, scenario->gpu_of_rank, NULL};
    g_autoptr(StratAlike) alike = strat_alike_new(&places, &scenario->plan);
    g_autoptr(StratStepMemo) memo = strat_step_memo_new(step_of, &steps, alike);
    campaign.step = strat_step_memo_step;
    campaign.step_ctx = memo;
    StratCampaignResult *result = strat_campaign_run(&campaign);
    result->steps = strat_step_memo_counts(memo);
    return result;
}

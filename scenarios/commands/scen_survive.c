/* Where the two clocks meet: a campaign asks how long a step takes in a state of the job, and the
 * step level simulates it, once for all states that are alike (strat_alike.h). Where the scenario
 * gives the healthy step time, other states take longer than it by the simulated ratio. A job that
 * goes on without some nodes is scen_adapt.c's. A campaign without a plan takes a step for
 * computation alone, which takes as much longer as the slowest clock is lower. */
#include "scen_survive.h"

#include "scen_adapt.h"
#include "scen_saves.h"
#include "scen_simulate.h"
#include "scen_step_state.h"

typedef struct Steps {
    const ScenScenario *scenario;
    double simulated_s; /* healthy */
    ScenAdapt *adapt;
} Steps;

static double healthy_s(const Steps *steps)
{
    double given_s = steps->scenario->campaign.step_s;
    return given_s > 0.0 ? given_s : steps->simulated_s;
}

static double step_of(const StratJobState *state, void *ctx)
{
    const Steps *steps = ctx;
    if (state->adaptation != STRAT_ADAPT_NONE)
        return healthy_s(steps) * scen_adapt_slowdown(steps->adapt, state);
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

static double capped_step(double clock_fraction, void *ctx)
{
    const Steps *steps = ctx;
    ScenScenario capped = *steps->scenario;
    capped.profile.sustained_clock_fraction *= clock_fraction;
    g_autoptr(StratTrainResult) result = scen_simulate(&capped, NULL);
    g_assert(result); /* a clock alone makes no scenario wrong */
    return healthy_s(steps) * sim_time_to_seconds(result->step_ns) / steps->simulated_s;
}

/* Whether a step is modelled in which every class of slow faults has struck. What a link that is
 * gone leaves of its NIC is @link_left. */
static bool try_states(const ScenScenario *scenario, double link_left, GError **error)
{
    const GArray *classes = scenario->campaign.faults.classes;
    for (guint i = 0; i < classes->len; i++) {
        const StratFaultClass *c = &g_array_index(classes, StratFaultClass, i);
        StratSlowGpu slow = {0, c->clock_fraction};
        bool is_link = c->effect == STRAT_FAULT_LINK;
        double left = is_link ? link_left : 1.0 - c->nic_lost_fraction;
        StratWeakNic weak = {0, 0, left};
        StratJobState state = {.slow = &slow, .slow_count = 1, .weak = &weak};
        state.weak_count = left < 1.0 ? 1 : 0;
        if (c->effect != STRAT_FAULT_SLOW && c->effect != STRAT_FAULT_DEGRADE &&
            !(is_link && left > 0.0))
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
    StratFaultSite site = {scenario->cluster.gpu_count, scenario->cluster.node.gpus,
                           written->nodes_per_leaf, written->nodes_per_rack};
    return scen_faults_model(&written->faults, site, scenario->seed);
}

/* With each of @policies, and what its storage makes of it (@saves, one a policy, or NULL). */
static GPtrArray *run_policies(const ScenScenario *scenario, double step_s,
                               const GPtrArray *policies, const StratSaves *saves, GError **error)
{
    g_autoptr(ScenAdapt) adapt = scen_adapt_new(scenario);
    Steps steps = {scenario, step_s, adapt};
    StratPlaces places = {&scenario->cluster, scenario->gpu_of_rank, NULL, NULL};
    g_autoptr(StratAlike) alike = strat_alike_new(&places, &scenario->plan);
    g_autoptr(StratStepMemo) memo = strat_step_memo_new(step_of, &steps, alike);
    StratCampaign campaign = scenario->campaign.spec;
    campaign.faults = scen_fault_model(scenario);
    campaign.nics_per_node = scenario->cluster.node.nics;
    if (!try_states(scenario, strat_campaign_link_left(&campaign), error))
        return NULL;
    campaign.capped = capped_step;
    campaign.capped_ctx = &steps;
    campaign.memo = memo;
    if (campaign.recovery.replicas == 0)
        campaign.recovery.replicas = scenario->plan.data;
    campaign.recovery.stages = scenario->plan.pipeline;
    GPtrArray *results = g_ptr_array_new_with_free_func((GDestroyNotify)strat_campaign_result_free);
    for (guint i = 0; i < policies->len; i++) {
        campaign.recovery.policy = g_ptr_array_index(policies, i);
        if (saves)
            scen_saves_apply(&scenario->campaign, &saves[i], &campaign);
        g_ptr_array_add(results, strat_campaign_run(&campaign));
    }
    return results;
}

GPtrArray *scen_survive_with(const ScenScenario *scenario, const StratTrainResult *step,
                             const GPtrArray *policies, GError **error)
{
    bool has_storage = scenario->campaign.has_storage;
    g_autofree StratSaves *saves = g_new0(StratSaves, policies->len + 1);
    ScenScenario other = *scenario;
    for (guint i = 0; has_storage && i < policies->len; i++) {
        other.campaign.spec.recovery.policy = g_ptr_array_index(policies, i);
        if (!scen_saves_run(&other, step, &saves[i], error))
            return NULL;
    }
    return run_policies(scenario, sim_time_to_seconds(step->step_ns), policies,
                        has_storage ? saves : NULL, error);
}

static StratCampaignResult *survive_alone(const ScenScenario *scenario)
{
    Steps steps = {scenario, scenario->campaign.step_s, NULL};
    StratCampaign campaign = scenario->campaign.spec;
    campaign.faults = scen_fault_model(scenario);
    campaign.nics_per_node = scenario->cluster.node.nics;
    campaign.recovery.replicas = MAX(campaign.recovery.replicas, 1);
    campaign.recovery.stages = 1;
    campaign.step = step_alone;
    campaign.step_ctx = &steps;
    return strat_campaign_run(&campaign);
}

StratCampaignResult *scen_survive(const ScenScenario *scenario, double step_s,
                                  const StratSaves *saves, GError **error)
{
    if (scenario->campaign.is_alone)
        return survive_alone(scenario);
    g_autoptr(GPtrArray) own = g_ptr_array_new();
    g_ptr_array_add(own, (void *)scenario->campaign.spec.recovery.policy);
    g_autoptr(GPtrArray) results = run_policies(scenario, step_s, own, saves, error);
    return results ? g_ptr_array_steal_index(results, 0) : NULL;
}

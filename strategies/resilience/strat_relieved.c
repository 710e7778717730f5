/* What can be done about which: microbatches dealt by speed mend a slow GPU, nodes that change
 * places mend a slow link, taking the node away mends both, and nothing else does where both are
 * slow. The steps are the step level's, asked for the first GPU and NIC. */
#include "strat_relieved.h"

static double speed_of(const StratCampaign *campaign, StratJobState state,
                       StratAdaptation adaptation, double step_s)
{
    state.adaptation = adaptation;
    return MIN(step_s / campaign->step(&state, campaign->step_ctx), 1.0);
}

/* What of a NIC a fault of @c leaves. */
static double nic_left(const StratCampaign *campaign, const StratFaultClass *c)
{
    if (c->effect == STRAT_FAULT_LINK)
        return strat_campaign_link_left(campaign);
    return c->effect == STRAT_FAULT_SLOW || c->effect == STRAT_FAULT_DEGRADE
               ? 1.0 - c->nic_lost_fraction
               : 1.0;
}

static void fill(const StratCampaign *campaign, const StratFaultClass *c, double step_s,
                 double *speed)
{
    StratSlowGpu slow = {.gpu = 0, .clock_fraction = c->clock_fraction};
    StratWeakNic weak = {.node = 0, .nic = 0, .fraction = nic_left(campaign, c)};
    bool is_slow = c->effect == STRAT_FAULT_SLOW && c->clock_fraction < 1.0;
    bool is_weak = weak.fraction > 0.0 && weak.fraction < 1.0;
    StratJobState state = {
        .slow = &slow, .slow_count = is_slow, .weak = &weak, .weak_count = is_weak};
    double ignored = 1.0;
    if (is_slow || is_weak)
        ignored = speed_of(campaign, state, STRAT_ADAPT_NONE, step_s);
    for (int a = 0; a < STRAT_STRAGGLER_ACTIONS; a++)
        speed[a] = ignored;
    speed[STRAT_STRAGGLER_EVICT] = 1.0;
    if (is_slow && !is_weak)
        speed[STRAT_STRAGGLER_REBALANCE] =
            MAX(ignored, speed_of(campaign, state, STRAT_ADAPT_REBALANCE, step_s));
    if (is_weak && !is_slow)
        speed[STRAT_STRAGGLER_SWAP] =
            MAX(ignored, speed_of(campaign, state, STRAT_ADAPT_SWAP, step_s));
}

StratRelieved *strat_relieved_new(const StratCampaign *campaign, double step_s)
{
    const StratFaultModel *faults = &campaign->faults;
    const StratStraggler *policy = campaign->recovery.straggler;
    if (!policy || (!policy->escalates && policy->action == STRAT_STRAGGLER_IGNORE))
        return NULL;
    StratRelieved *all = g_new(StratRelieved, faults->count + 1);
    for (size_t i = 0; i < faults->count; i++)
        fill(campaign, &faults->classes[i], step_s, all[i].speed);
    return all;
}

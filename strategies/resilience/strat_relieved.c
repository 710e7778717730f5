/* What can be done about which: microbatches dealt by speed mend a slow GPU, nodes that change
 * places mend a slow link, and taking the node away mends both. The steps are the step level's,
 * asked for a part of the first node. A power cap slows all alike: nothing mends it. */
#include "strat_relieved.h"

static double speed_of(const StratCampaign *campaign, const StratJobState *state, double step_s,
                       double least)
{
    return CLAMP(step_s / campaign->step(state, campaign->step_ctx), least, 1.0);
}

static void fill(const StratCampaign *campaign, const StratFaultClass *c, double ignored,
                 double step_s, double *speed)
{
    StratSlowGpu slow = {.gpu = 0, .clock_fraction = c->clock_fraction};
    StratWeakNic weak = {.node = 0, .nic = 0, .fraction = c->bandwidth_fraction};
    StratJobState state = {.adaptation = STRAT_ADAPT_REBALANCE, .slow = &slow, .slow_count = 1};
    for (int a = 0; a < STRAT_STRAGGLER_ACTIONS; a++)
        speed[a] = ignored;
    if (ignored >= 1.0 || c->effect == STRAT_FAULT_CAP)
        return;
    speed[STRAT_STRAGGLER_EVICT] = 1.0;
    if (c->effect == STRAT_FAULT_SLOW) {
        speed[STRAT_STRAGGLER_REBALANCE] = speed_of(campaign, &state, step_s, ignored);
        return;
    }
    if (c->effect == STRAT_FAULT_LINK)
        weak.fraction = strat_campaign_link_left(campaign);
    state = (StratJobState){.adaptation = STRAT_ADAPT_SWAP, .weak = &weak, .weak_count = 1};
    speed[STRAT_STRAGGLER_SWAP] = speed_of(campaign, &state, step_s, ignored);
}

StratRelieved *strat_relieved_new(const StratCampaign *campaign, const double *speed, double step_s)
{
    const StratFaultModel *faults = &campaign->faults;
    const StratStraggler *policy = campaign->recovery.straggler;
    if (!policy || (!policy->escalates && policy->action == STRAT_STRAGGLER_IGNORE))
        return NULL;
    StratRelieved *all = g_new(StratRelieved, faults->count + 1);
    for (size_t i = 0; i < faults->count; i++)
        fill(campaign, &faults->classes[i], speed[i], step_s, all[i].speed);
    return all;
}

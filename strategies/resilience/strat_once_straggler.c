/* What a history does about parts that are slow. From when the step monitor tells, the policy
 * decides (strat_straggler.c); what it does stays until the straggler is over by itself:
 *
 *     rebalance, swap   all stand still for their cost; then the job is faster by a factor
 *     evict             a checkpoint and a recovery like that of a dead node, which goes for repair
 *
 * Factors of several stragglers multiply, up to healthy steps; they are those of a straggler in the
 * first node (strat_relieved.c). Loss is counted from when the straggler came. Left out: that two
 * of them in one replica are dealt with as one. */
#include "strat_once.h"

static StratStragglerLevel level_of(const StratOnce *once, const StratFault *fault,
                                    StratStragglerAction action)
{
    const StratCampaign *c = once->plan->campaign;
    const StratCampaignRecovery *r = &c->recovery;
    const double cost_s[STRAT_STRAGGLER_ACTIONS] = {
        [STRAT_STRAGGLER_REBALANCE] = r->rebalance_s,
        [STRAT_STRAGGLER_SWAP] = r->swap_s,
        [STRAT_STRAGGLER_EVICT] = c->checkpoint.save_s + r->restart.mean_s + r->load_s,
    };
    return (StratStragglerLevel){
        .speed = once->plan->relieved[fault->class_index].speed[action],
        .cost_s = cost_s[action],
    };
}

static void set_relief(StratOnce *once, const StratFault *fault, SimTime until, double factor)
{
    for (guint i = once->reliefs->len; i-- > 0;) {
        const StratRelief *old = &g_array_index(once->reliefs, StratRelief, i);
        if (old->since == fault->at && old->class_index == fault->class_index)
            g_array_remove_index_fast(once->reliefs, i);
    }
    StratRelief relief = {fault->at, until, fault->class_index, factor};
    g_array_append_val(once->reliefs, relief);
}

double strat_once_relief(StratOnce *once, SimTime *until)
{
    double factor = 1.0;
    for (guint i = once->reliefs->len; i-- > 0;) {
        const StratRelief *relief = &g_array_index(once->reliefs, StratRelief, i);
        if (relief->until <= once->now) {
            g_array_remove_index(once->reliefs, i);
            continue;
        }
        factor *= relief->factor;
        *until = MIN(*until, relief->until);
    }
    return factor;
}

static void evict(StratOnce *once, const StratFault *fault)
{
    const StratSpread at_once = {.kind = STRAT_SPREAD_FIXED};
    SimTime save = sim_time_capped(once->plan->campaign->checkpoint.save_s);
    once->sample->stops++;
    once->sample->struck++;
    once->sample->by_class[fault->class_index]++;
    strat_condition_mend(&once->condition, fault->node,
                         once->plan->campaign->faults.site.gpus_per_node);
    strat_progress_secure(&once->progress);
    strat_once_recover(once, fault, &at_once, MAX(fault->nodes, 1));
    strat_once_phase(once, STRAT_LOST_CHECKPOINT, save);
}

static void act(StratOnce *once, const StratFault *fault, SimTime until,
                StratStragglerAction action)
{
    StratStragglerLevel level = level_of(once, fault, action);
    double ignored = level_of(once, fault, STRAT_STRAGGLER_IGNORE).speed;
    if (action == STRAT_STRAGGLER_EVICT) {
        set_relief(once, fault, once->now, 1.0);
        evict(once, fault);
        return;
    }
    set_relief(once, fault, until, level.speed / ignored);
    strat_once_phase(once, STRAT_LOST_DEGRADED, sim_time_capped(level.cost_s));
}

/* Does what is due next after @now, or waits for it. */
static void decide(StratOnce *once, const StratFault *fault, SimTime until,
                   StratStragglerAction now, double lost_s)
{
    StratStragglerLevel levels[STRAT_STRAGGLER_ACTIONS];
    for (int a = 0; a < STRAT_STRAGGLER_ACTIONS; a++)
        levels[a] = level_of(once, fault, (StratStragglerAction)a);
    double after_s;
    StratStragglerAction next = strat_straggler_next(once->plan->campaign->recovery.straggler,
                                                     levels, now, lost_s, &after_s);
    SimTime at = once->now + strat_once_recovery_left(once) + sim_time_capped(after_s);
    if (next == STRAT_STRAGGLER_IGNORE || at >= until)
        return;
    strat_once_await(once, &(StratNotice){
                               .at = at,
                               .kind = STRAT_NOTICE_STRAGGLER,
                               .fault = *fault,
                               .until = until,
                               .action = next,
                               .lost_s = lost_s + after_s * (1.0 - levels[now].speed),
                           });
}

void strat_once_slow_noticed(StratOnce *once, const StratFault *fault, SimTime until)
{
    if (!once->plan->relieved)
        return;
    double slow_s = sim_time_to_seconds(once->now - fault->at);
    double speed = level_of(once, fault, STRAT_STRAGGLER_IGNORE).speed;
    decide(once, fault, until, STRAT_STRAGGLER_IGNORE, slow_s * (1.0 - speed));
}

void strat_once_straggler_due(StratOnce *once, const StratNotice *notice, SimTime busy)
{
    if (once->now + busy >= notice->until)
        return;
    if (busy > 0) {
        StratNotice later = *notice;
        later.at = once->now + busy;
        strat_once_await(once, &later);
        return;
    }
    act(once, &notice->fault, notice->until, notice->action);
    double cost_s = level_of(once, &notice->fault, notice->action).cost_s;
    decide(once, &notice->fault, notice->until, notice->action, notice->lost_s + cost_s);
}

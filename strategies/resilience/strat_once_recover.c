/* From a failure to work again: a recovery is a list of phases, each booked in its bucket as time
 * passes: [save] detection, wait for nodes, restart and load. A fault on the way books what has
 * passed and starts another; nodes lost in both count together for what survives in memory. Where
 * the job goes on without a replica, that one returns when its own recovery is over. */
#include "strat_once.h"

static SimTime lost_work(const StratOnce *once, StratRecoveryLoss loss)
{
    SimTime done = once->progress.ledger[STRAT_LOST_NOTHING];
    if (loss == STRAT_LOSS_TO_MEMORY)
        return done % once->plan->memory;
    if (loss == STRAT_LOSS_TO_STEP)
        return done % once->plan->step;
    return SIM_TIME_MAX;
}

/* Every replica is needed at a restart, so the job waits for those that are away. */
static SimTime wait_for_replicas(StratOnce *once)
{
    guint count = once->returns->len;
    SimTime last = count > 0 ? g_array_index(once->returns, SimTime, count - 1) : once->now;
    g_array_set_size(once->returns, 0);
    return MAX(last - once->now, 0);
}

static StratRecoveryCase case_of(StratOnce *once, const StratFault *fault, int64_t swapped)
{
    const StratCampaign *campaign = once->plan->campaign;
    const StratCampaignRecovery *r = &campaign->recovery;
    SimRandom restart = sim_random_child(&fault->draws, STRAT_DRAW_RESTART);
    return (StratRecoveryCase){
        .nodes = strat_fault_units(&campaign->faults.site, STRAT_FAULT_NODE),
        .nodes_lost = once->nodes_lost,
        .copies = campaign->checkpoint.copies,
        .replicas = r->replicas,
        .replicas_lost = once->returns->len,
        .most_lost = r->most_lost,
        .spare_is_free = strat_spare_pool_has(&once->pool, swapped),
        .chance = strat_once_luck(fault, STRAT_DRAW_LUCK),
        .restart_s = strat_spread_draw(&r->restart, restart),
        .warm_restart_s = strat_spread_draw(&r->warm_restart, restart),
        .load_s = r->load_s,
        .peer_load_s = r->peer_load_s,
        .save_s = campaign->checkpoint.save_s,
    };
}

void strat_once_recover(StratOnce *once, const StratFault *fault, const StratSpread *detection,
                        int64_t swapped)
{
    strat_once_clear_phases(once);
    strat_incident_note(once->sample->log, fault, once->now, once->progress.ledger);
    once->nodes_lost += swapped;
    StratRecoveryCase failure = case_of(once, fault, swapped);
    StratRecoveryPlan plan = once->plan->campaign->recovery.policy->plan(&failure);
    SimTime detect = strat_once_draw(detection, fault, STRAT_DRAW_DETECT),
            wait = strat_spare_pool_replace(&once->pool, fault, once->now, swapped);
    SimTime restart = strat_once_ns(plan.restart_s + plan.load_s);
    strat_progress_lose(&once->progress, lost_work(once, plan.loss));
    strat_once_phase(once, STRAT_LOST_DETECTION, detect);
    if (plan.goes_on) {
        /* The others stand still once as for a rejoin, when they leave the replica out. */
        strat_once_phase(once, STRAT_LOST_RESTART,
                         strat_once_ns(once->plan->campaign->recovery.rejoin_s));
        strat_once_insert(once->returns, once->now + detect + wait + restart);
        return;
    }
    wait = MAX(wait, wait_for_replicas(once) - detect);
    strat_once_phase(once, STRAT_LOST_CHECKPOINT, strat_once_ns(plan.save_s));
    if (plan.save_s > 0.0)
        strat_progress_secure(&once->progress);
    strat_once_phase(once, STRAT_LOST_WAIT, wait);
    strat_once_phase(once, STRAT_LOST_RESTART, restart);
}

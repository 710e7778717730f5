/* From a failure to work again: a recovery is a list of phases, each booked in its bucket as time
 * passes: [save] detection, wait for nodes, restart and load. A fault on the way books what has
 * passed and starts another; nodes lost in both count together for what survives in memory. Where
 * the job goes on without a replica or a node, that one returns when its own recovery is over. */
#include "strat_once.h"

static SimTime lost_work(const StratOnce *once, StratRecoveryLoss loss)
{
    SimTime done = once->progress.ledger[STRAT_LOST_NOTHING];
    switch (loss) {
    case STRAT_LOSS_TO_MEMORY:
        return done % once->plan->memory;
    case STRAT_LOSS_TO_DISK:
        return done % once->plan->local;
    case STRAT_LOSS_TO_STEP:
        return done % once->plan->step;
    default:
        return SIM_TIME_MAX;
    }
}

/* Everybody is needed at a restart, so the job waits for those that are away. */
static SimTime wait_for_returns(StratOnce *once)
{
    guint count = once->returns->len;
    SimTime last = count > 0 ? g_array_index(once->returns, StratReturn, count - 1).at : once->now;
    g_array_set_size(once->returns, 0);
    return MAX(last - once->now, 0);
}

static void add_return(StratOnce *once, StratReturn back)
{
    guint i = once->returns->len;
    while (i > 0 && g_array_index(once->returns, StratReturn, i - 1).at > back.at)
        i--;
    g_array_insert_val(once->returns, i, back);
}

/* Whether two of the nodes [@a, @a + @a_count) and [@b, ...) are @apart from each other. */
static bool meet(int64_t a, int64_t a_count, int64_t b, int64_t b_count, int64_t apart)
{
    return a + apart < b + b_count && b < a + apart + a_count;
}

/* Ranks fill nodes stage by stage, so the neighbours of a node's stage are a stage's nodes away. */
static bool neighbour_is_lost(const StratOnce *once, const StratFault *fault, int64_t nodes)
{
    int64_t apart = nodes / MAX(once->plan->campaign->recovery.stages, 1);
    if (apart == 0 || fault->nodes > apart)
        return true;
    for (guint i = 0; i < once->returns->len; i++) {
        const StratReturn *away = &g_array_index(once->returns, StratReturn, i);
        if (meet(fault->node, fault->nodes, away->node, away->nodes, apart) ||
            meet(fault->node, fault->nodes, away->node, away->nodes, -apart))
            return true;
    }
    return false;
}

/* What the policy may know of its own adaptation. */
static void add_adaptation(const StratOnce *once, const StratFault *fault, int64_t absent,
                           StratRecoveryCase *failure)
{
    for (guint i = 0; i < once->returns->len; i++)
        absent += g_array_index(once->returns, StratReturn, i).nodes;
    failure->can_adapt =
        once->plan->adapted && strat_adapt_table_speed(once->plan->adapted, absent) > 0.0;
    failure->neighbour_is_lost = neighbour_is_lost(once, fault, failure->nodes);
}

static StratRecoveryCase case_of(StratOnce *once, const StratFault *fault, int64_t swapped)
{
    const StratCampaign *campaign = once->plan->campaign;
    const StratCampaignRecovery *r = &campaign->recovery;
    SimRandom restart = sim_random_child(&fault->draws, STRAT_DRAW_RESTART);
    StratRecoveryCase failure = {
        .nodes = strat_fault_nodes(&campaign->faults.site),
        .nodes_lost = once->nodes_lost,
        .nodes_rebooted = once->nodes_rebooted,
        .nodes_hit = fault->nodes,
        .hits_gpu = campaign->faults.classes[fault->class_index].unit == STRAT_FAULT_GPU,
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
        .rejoin_s = r->rejoin_s,
        .migrate_s = r->migrate_s,
        .has_local = once->plan->local > 0,
        .local_load_s = r->local_load_s,
    };
    add_adaptation(once, fault, MAX(fault->nodes, swapped), &failure);
    return failure;
}

void strat_once_recover(StratOnce *once, const StratFault *fault, const StratSpread *detection,
                        int64_t swapped)
{
    strat_once_clear_phases(once);
    strat_incident_note(once->sample->log, fault, once->now, once->progress.ledger);
    once->nodes_lost += swapped;
    once->nodes_rebooted += MAX(fault->nodes, swapped);
    StratRecoveryCase failure = case_of(once, fault, swapped);
    StratRecoveryPlan plan = once->plan->campaign->recovery.policy->plan(&failure);
    SimTime detect = strat_once_draw(detection, fault, STRAT_DRAW_DETECT),
            wait = strat_spare_pool_replace(&once->pool, fault, once->now, swapped);
    SimTime restart = sim_time_capped(plan.restart_s + plan.load_s);
    strat_progress_lose(&once->progress, lost_work(once, plan.loss));
    strat_once_phase(once, STRAT_LOST_DETECTION, detect);
    if (plan.goes_on) {
        strat_once_phase(once, STRAT_LOST_RESTART, sim_time_capped(plan.transition_s));
        add_return(once, (StratReturn){.at = once->now + detect + wait + restart,
                                       .node = fault->node,
                                       .nodes = plan.is_adapted ? MAX(fault->nodes, swapped) : 0,
                                       .save = sim_time_capped(plan.return_save_s),
                                       .stand = sim_time_capped(plan.return_s)});
        return;
    }
    SimTime others = wait_for_returns(once) - detect;
    wait = MAX(wait, others);
    strat_once_phase(once, STRAT_LOST_CHECKPOINT, sim_time_capped(plan.save_s));
    if (plan.save_s > 0.0)
        strat_progress_secure(&once->progress);
    strat_once_phase(once, STRAT_LOST_WAIT, wait);
    strat_once_phase(once, STRAT_LOST_RESTART, restart);
}

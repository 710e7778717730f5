/* One history of a job: faults come from outside, in wall-clock time, whatever the job does, so two
 * policies meet the same faults.
 *
 *     running --stop, hang, long flap--> recovering: [save] detection, wait, restart + load
 *        ^                                    |  another fault: from the start, with what is lost
 *        +------------------------------------+
 *
 * This file lets time pass; what a fault does is in strat_once_effect.c, what a recovery consists
 * of in strat_once_recover.c, how fast a worn job goes in strat_condition.c, and where nodes come
 * from in strat_spare_pool.c. */
#include "strat_once.h"

#include <math.h>

SimTime strat_once_ns(double seconds)
{
    double ns = seconds * 1e9;
    return ns < 0x1p62 ? (SimTime)llround(ns) : (SimTime)1 << 62;
}

SimTime strat_once_draw(const StratSpread *spread, const StratFault *fault, StratDraw purpose)
{
    return strat_once_ns(strat_spread_draw(spread, sim_random_child(&fault->draws, purpose)));
}

double strat_once_luck(const StratFault *fault, StratDraw purpose)
{
    SimRandom stream = sim_random_child(&fault->draws, purpose);
    return sim_random_uniform(&stream);
}

void strat_once_insert(GArray *times, SimTime at)
{
    guint i = times->len;
    g_array_append_val(times, at);
    SimTime *all = (SimTime *)(void *)times->data;
    for (; i > 0 && all[i - 1] > at; i--)
        all[i] = all[i - 1];
    all[i] = at;
}

/* The pace of now, and when it changes by itself. */
static StratPace pace_of(StratOnce *once, SimTime *until)
{
    int64_t lost = once->returns->len;
    return (StratPace){
        .speed = strat_condition_speed(&once->condition, once->now, lost, until),
        .replicas = once->plan->campaign->recovery.replicas,
        .replicas_lost = lost,
    };
}

void strat_once_phase(StratOnce *once, StratLost bucket, SimTime span)
{
    if (span > 0)
        once->phases[once->phase_count++] = (StratPhase){bucket, span};
}

void strat_once_clear_phases(StratOnce *once)
{
    once->phase = once->phase_count = 0;
}

/* Replicas that are back join: all stand still for it. */
static void rejoin(StratOnce *once)
{
    while (once->returns->len > 0 && g_array_index(once->returns, SimTime, 0) <= once->now) {
        g_array_remove_index(once->returns, 0);
        if (once->phase_count == 0)
            strat_once_phase(once, STRAT_LOST_RESTART,
                             strat_once_ns(once->plan->campaign->recovery.rejoin_s));
    }
}

static void run_until(StratOnce *once, SimTime at)
{
    while (once->now < at) {
        if (once->phase < once->phase_count) {
            StratPhase *phase = &once->phases[once->phase];
            SimTime took = MIN(phase->span, at - once->now);
            once->progress.ledger[phase->bucket] += took;
            phase->span -= took;
            once->now += took;
            once->phase += phase->span == 0;
            continue;
        }
        strat_once_clear_phases(once);
        strat_incident_close(once->sample->log, once->now, once->progress.ledger);
        once->nodes_lost = 0;
        rejoin(once);
        if (once->phase_count > 0)
            continue;
        SimTime until = at;
        if (once->returns->len > 0)
            until = MIN(until, g_array_index(once->returns, SimTime, 0));
        StratPace pace = pace_of(once, &until);
        strat_progress_run(&once->progress, &pace, until - once->now);
        once->now = until;
    }
}

void strat_campaign_once(const StratCampaignPlan *plan, uint64_t replication,
                         StratCampaignSample *sample)
{
    g_autoptr(GArray) returns = g_array_new(FALSE, FALSE, sizeof(SimTime));
    g_autoptr(StratFaultHistory) history =
        strat_fault_history_new(&plan->campaign->faults, replication);
    StratOnce once = {
        .plan = plan,
        .sample = sample,
        .progress = {.rhythm = plan->rhythm},
        .condition =
            strat_condition_new(plan->campaign->step, plan->campaign->step_ctx, plan->step_s),
        .pool = strat_spare_pool_new(plan->campaign),
        .returns = returns,
    };
    StratFault fault;
    while (strat_fault_history_next(history, &fault) && fault.at < plan->end) {
        run_until(&once, fault.at);
        strat_once_handle(&once, &fault);
    }
    run_until(&once, plan->end);
    strat_incident_close(sample->log, plan->end, once.progress.ledger);
    for (int b = 0; b < STRAT_LOST_COUNT; b++)
        sample->ledger[b] = once.progress.ledger[b];
    strat_condition_clear(&once.condition);
    strat_spare_pool_clear(&once.pool);
}

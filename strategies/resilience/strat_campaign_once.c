/* One history of a job: faults come from outside, in wall-clock time, whatever the job does, so two
 * policies meet the same faults.
 *
 *     running --stop, hang, long flap--> recovering: [save] detection, wait, restart + load
 *        ^                                    |  another fault: from the start, with what is lost
 *        +------------------------------------+
 *
 * This file lets time pass; what a fault does is in strat_once_effect.c, what is noticed later in
 * strat_once_notice.c and how in strat_detect.c, what a recovery consists of in
 * strat_once_recover.c, how fast a worn job goes in strat_condition.c, and where nodes come
 * from in strat_spare_pool.c. */
#include "strat_once.h"

#include "sim_math.h"

enum { SWING_PARTS = 24 }; /* of a period, in each of which the fleet's speed is even */

SimTime strat_once_draw(const StratSpread *spread, const StratFault *fault, StratDraw purpose)
{
    return sim_time_capped(strat_spread_draw(spread, sim_random_child(&fault->draws, purpose)));
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

double strat_once_speed(StratOnce *once, SimTime *until)
{
    int64_t replicas = 0;
    for (guint i = 0; i < once->returns->len; i++)
        replicas += g_array_index(once->returns, StratReturn, i).nodes == 0;
    return strat_condition_speed(&once->condition, once->now, replicas, until);
}

/* The fleet's speed at this time of the day, and when it changes. */
static double swing_at(const StratOnce *once, SimTime *until)
{
    const StratCampaignSwing *swing = &once->plan->campaign->swing;
    if (swing->fraction <= 0.0)
        return 1.0;
    SimTime part = MAX(sim_time_capped(swing->period_s / SWING_PARTS), 1);
    SimTime index = once->now / part;
    *until = MIN(*until, (index + 1) * part);
    double turns = ((double)index + 0.5) / SWING_PARTS - swing->fastest_s / swing->period_s;
    return 1.0 - 0.5 * swing->fraction * (1.0 - sim_math_cos_turns(turns));
}

/* The pace of now, and when it changes by itself. */
static StratPace pace_of(StratOnce *once, SimTime *until)
{
    const StratCampaign *campaign = once->plan->campaign;
    StratPace pace = {
        .speed = strat_once_speed(once, until) * swing_at(once, until) /
                 (1.0 + campaign->detection.replay_fraction),
        .replicas = campaign->recovery.replicas,
    };
    pace.speed = MIN(pace.speed * strat_once_relief(once, until), 1.0);
    int64_t absent = 0;
    for (guint i = 0; i < once->returns->len; i++) {
        int64_t nodes = g_array_index(once->returns, StratReturn, i).nodes;
        absent += nodes;
        pace.replicas_lost += nodes == 0;
    }
    if (once->plan->adapted)
        pace.speed *= strat_adapt_table_speed(once->plan->adapted, absent);
    pace.absent_fraction = (double)absent / (double)strat_fault_nodes(&campaign->faults.site);
    return pace;
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

/* Replicas and nodes that are back join: all stand still for it, once for those of one moment. */
static void rejoin(StratOnce *once)
{
    while (once->returns->len > 0) {
        StratReturn back = g_array_index(once->returns, StratReturn, 0);
        if (back.at > once->now)
            return;
        g_array_remove_index(once->returns, 0);
        if (once->phase_count > 0)
            continue;
        if (back.save > 0)
            strat_progress_secure(&once->progress);
        strat_once_phase(once, STRAT_LOST_CHECKPOINT, back.save);
        strat_once_phase(once, STRAT_LOST_RESTART, back.stand);
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
        once->nodes_lost = once->nodes_rebooted = 0;
        rejoin(once);
        if (once->phase_count > 0)
            continue;
        SimTime until = at;
        if (once->returns->len > 0)
            until = MIN(until, g_array_index(once->returns, StratReturn, 0).at);
        StratPace pace = pace_of(once, &until);
        strat_progress_run(&once->progress, &pace, until - once->now);
        once->now = until;
    }
}

/* Faults and notices in order of time; of equals, what was noticed first. */
static void run_all(StratOnce *once, StratFaultHistory *history, SimTime end)
{
    StratFault fault;
    bool more = strat_fault_history_next(history, &fault);
    for (;;) {
        SimTime due = SIM_TIME_MAX;
        if (once->notices->len > 0)
            due = g_array_index(once->notices, StratNotice, 0).at;
        SimTime next = more ? fault.at : SIM_TIME_MAX;
        run_until(once, MIN(MIN(due, next), end));
        if (MIN(due, next) >= end)
            return;
        if (due <= next) {
            strat_once_notice(once);
            continue;
        }
        strat_once_handle(once, &fault);
        more = strat_fault_history_next(history, &fault);
    }
}

void strat_campaign_once(const StratCampaignPlan *plan, uint64_t replication,
                         StratCampaignSample *sample)
{
    g_autoptr(GArray) returns = g_array_new(FALSE, FALSE, sizeof(StratReturn));
    g_autoptr(GArray) reliefs = g_array_new(FALSE, FALSE, sizeof(StratRelief));
    g_autoptr(GArray) notices = g_array_new(FALSE, FALSE, sizeof(StratNotice));
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
        .notices = notices,
        .reliefs = reliefs,
    };
    run_all(&once, history, plan->end);
    strat_incident_close(sample->log, plan->end, once.progress.ledger);
    for (int b = 0; b < STRAT_LOST_COUNT; b++)
        sample->ledger[b] = once.progress.ledger[b];
    strat_condition_clear(&once.condition);
    strat_spare_pool_clear(&once.pool);
}

/* What is noticed after a while: events that the history itself has set off, in order of time and,
 * at one time, in the order in which they were set off.
 *
 * Silent corruption that came at W0 of productive time, when S0 of it was safe, and is found at W1:
 * checkpoints since then hold it, so the job goes back to S0 and W1 - S0 is rework, unless only the
 * last `keep` checkpoints are kept and as many were written since: then it starts from nothing. A
 * failure that takes the job back to W0 or less has taken the corruption away. */
#include "strat_once.h"

void strat_once_await(StratOnce *once, const StratNotice *notice)
{
    guint i = once->notices->len;
    while (i > 0 && g_array_index(once->notices, StratNotice, i - 1).at > notice->at)
        i--;
    g_array_insert_vals(once->notices, i, notice, 1);
}

void strat_once_forget_healed(StratOnce *once)
{
    for (guint i = once->notices->len; i-- > 0;) {
        const StratNotice *notice = &g_array_index(once->notices, StratNotice, i);
        if (notice->kind == STRAT_NOTICE_SDC &&
            once->progress.ledger[STRAT_LOST_NOTHING] <= notice->work)
            g_array_remove_index(once->notices, i);
    }
}

static void find_corruption(StratOnce *once, const StratNotice *notice)
{
    int64_t keep = once->plan->campaign->checkpoint.keep;
    int64_t since = strat_progress_safe_saves(&once->progress) - notice->saves;
    strat_incident_note(once->sample->log, &notice->fault, once->now, once->progress.ledger);
    bool is_kept = keep == 0 || since < keep;
    strat_progress_roll_back(&once->progress, is_kept ? notice->clean : 0);
    strat_once_stop(once, &notice->fault, 0.0, 0);
}

/* Steps are measured while they run, and what is over is no news. */
static void tell_slow(StratOnce *once, const StratNotice *notice, bool is_down)
{
    const StratDetection *d = &once->plan->campaign->detection;
    if (is_down) {
        StratNotice later = *notice;
        later.at = once->now + MAX(sim_time_capped(d->slow_window_s), 1);
        if (later.at < later.until)
            strat_once_await(once, &later);
        return;
    }
    SimTime until = SIM_TIME_MAX;
    double speed = strat_once_speed(once, &until);
    if (speed * d->slow_threshold > 1.0)
        return;
    once->sample->noticed++;
    strat_once_slow_noticed(once, &notice->fault, notice->until);
}

void strat_once_notice(StratOnce *once)
{
    StratNotice notice = g_array_index(once->notices, StratNotice, 0);
    g_array_remove_index(once->notices, 0);
    bool is_down = once->phase < once->phase_count;
    if (!is_down)
        strat_once_clear_phases(once);
    if (notice.kind == STRAT_NOTICE_SLOW) {
        tell_slow(once, &notice, is_down);
    } else if (notice.kind == STRAT_NOTICE_STRAGGLER) {
        strat_once_straggler_due(once, &notice, is_down ? strat_once_recovery_left(once) : 0);
    } else if (notice.kind == STRAT_NOTICE_SDC) {
        find_corruption(once, &notice);
    } else {
        const StratCampaign *c = once->plan->campaign;
        strat_once_stop(
            once, &notice.fault,
            strat_detect_s(&c->detection, &c->recovery.stop_detection, &notice.fault, false),
            notice.attempt);
    }
}

/* Rounds of training and saving, in whole nanoseconds.
 *
 *     phase   0 ......... flush ............ work .... work + block = 0
 *             training, the last       training      standing still
 *             snapshot under way
 *
 * The snapshot is of the state at `work`; it is safe `block + flush` later. A failure loses what
 * was done since the last safe snapshot. Whole rounds are skipped at once. Time of training at
 * speed v with k of D replicas missing is booked as
 *
 *     missing    span k / D
 *     productive (span - missing) v
 *     degraded   the rest
 *
 * and without a share a of the nodes, whose work others do,
 *
 *     productive span v, missing the lesser of span (1 - v) and span a, degraded the rest
 *
 * each rounded down to whole ns and the rest taken as the difference: the ledger sums to the time
 * that went by, exactly. */
#include "strat_progress.h"

static SimTime productive_of(const StratPace *pace, SimTime span, SimTime *missing)
{
    *missing = 0;
    if (pace->replicas_lost > 0)
        *missing = (SimTime)((double)span * (double)pace->replicas_lost / (double)pace->replicas);
    SimTime present = span - *missing;
    if (pace->speed >= 1.0)
        return present;
    return CLAMP((SimTime)((double)present * pace->speed), 0, present);
}

static void train(StratProgress *p, const StratPace *pace, SimTime span)
{
    SimTime missing;
    SimTime productive = productive_of(pace, span, &missing);
    if (pace->absent_fraction > 0.0)
        missing +=
            MIN(span - productive - missing, (SimTime)((double)span * pace->absent_fraction));
    p->ledger[STRAT_LOST_NOTHING] += productive;
    p->ledger[STRAT_LOST_MISSING] += missing;
    p->ledger[STRAT_LOST_DEGRADED] += span - productive - missing;
    p->recent += productive;
}

/* From one mark of the round to the next, or as far as @span goes; returns what that took. */
static SimTime run_to_mark(StratProgress *p, const StratPace *pace, SimTime span)
{
    const StratRhythm *r = &p->rhythm;
    if (p->phase < r->work) {
        SimTime mark = p->phase < r->flush ? r->flush : r->work;
        SimTime took = MIN(span, mark - p->phase);
        train(p, pace, took);
        p->phase += took;
        if (p->phase >= r->flush)
            p->flying = 0;
        if (p->phase == r->work) {
            p->flying = p->recent;
            p->recent = 0;
            p->saves++;
        }
        return took;
    }
    SimTime took = MIN(span, r->work + r->block - p->phase);
    p->ledger[STRAT_LOST_CHECKPOINT] += took;
    p->phase += took;
    if (p->phase == r->work + r->block) {
        p->phase = 0;
        if (r->flush == 0)
            p->flying = 0;
    }
    return took;
}

/* As many whole rounds as fit, from the start of one: the last leaves its snapshot under way. */
static SimTime run_rounds(StratProgress *p, const StratPace *pace, SimTime span)
{
    const StratRhythm *r = &p->rhythm;
    SimTime rounds = span / (r->work + r->block);
    if (p->phase != 0 || p->recent != 0 || rounds < 2)
        return 0;
    train(p, pace, (rounds - 1) * r->work);
    p->ledger[STRAT_LOST_CHECKPOINT] += (rounds - 1) * r->block;
    p->recent = 0;
    p->saves += rounds - 1;
    p->flying = 0; /* what matters of the last but one round is over by the end of the last */
    return (rounds - 1) * (r->work + r->block);
}

void strat_progress_run(StratProgress *progress, const StratPace *pace, SimTime span)
{
    while (span > 0) {
        SimTime skipped = run_rounds(progress, pace, span);
        span -= skipped > 0 ? skipped : run_to_mark(progress, pace, span);
    }
}

SimTime strat_progress_unsafe(const StratProgress *progress)
{
    return progress->recent + progress->flying;
}

void strat_progress_lose(StratProgress *progress, SimTime lost)
{
    SimTime unsafe = strat_progress_unsafe(progress);
    lost = MIN(lost, unsafe);
    progress->ledger[STRAT_LOST_NOTHING] -= lost;
    progress->ledger[STRAT_LOST_REWORK] += lost;
    progress->recent = unsafe - lost;
    progress->flying = 0;
    progress->phase = 0;
}

int64_t strat_progress_safe_saves(const StratProgress *progress)
{
    return progress->saves - (progress->flying > 0);
}

void strat_progress_roll_back(StratProgress *progress, SimTime kept)
{
    SimTime lost = MAX(progress->ledger[STRAT_LOST_NOTHING] - kept, 0);
    progress->ledger[STRAT_LOST_NOTHING] -= lost;
    progress->ledger[STRAT_LOST_REWORK] += lost;
    progress->recent = progress->flying = 0;
    progress->phase = 0;
}

void strat_progress_secure(StratProgress *progress)
{
    progress->saves++;
    progress->recent = progress->flying = 0;
    progress->phase = 0;
}

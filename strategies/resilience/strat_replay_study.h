/** What stragglers cost a job, and which of them. */
#ifndef STRAT_REPLAY_STUDY_H
#define STRAT_REPLAY_STUDY_H

#include "strat_replay_whatif.h"

/** A change to a trace: the picked operations ideal, then perhaps the stages balanced. */
typedef struct StratReplayChange {
    const char *name; /* borrowed */
    const StratReplayPick *picks;
    size_t count;
    bool balance;
} StratReplayChange;

/** A worker, a stage or an operation, and the slowdown of a job in which nothing else straggles. */
typedef struct StratReplayCause {
    StratReplayPick pick; /* of an operation's several kinds: the first */
    double
        slowdown; /* over the step without stragglers; below 1 where it is faster than the mean */
} StratReplayCause;

/** Mean step times of a job. */
typedef struct StratReplayTotals {
    double replayed_s;      /* as it was */
    double without_gaps_s;  /* the gaps between operations left out: what the others compare with */
    double no_stragglers_s; /* every operation ideal, no gaps */
} StratReplayTotals;

/** Fills @totals. Fails as strat_replay_run() does. */
bool strat_replay_totals(const StratReplay *replay, StratReplayTotals *totals, GError **error);

/** The mean step (without gaps) after @change into @mean_s. Fails as strat_replay_run() does. */
bool strat_replay_change(const StratReplay *replay, const StratReplayChange *change, double *mean_s,
                         GError **error);

/** The causes of one sort that the trace has, the dearest first: an array of StratReplayCause that
 * the caller owns.
 *  @no_stragglers_s is that of the totals. NULL and @error as strat_replay_run(). */
GArray *strat_replay_workers(const StratReplay *replay, double no_stragglers_s, GError **error);
GArray *strat_replay_stages(const StratReplay *replay, double no_stragglers_s, GError **error);
GArray *strat_replay_kinds(const StratReplay *replay, double no_stragglers_s, GError **error);

#endif

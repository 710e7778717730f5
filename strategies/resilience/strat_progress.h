/** Work and checkpoints of a job between two interruptions. */
#ifndef STRAT_PROGRESS_H
#define STRAT_PROGRESS_H

#include "sim_time.h"

/** Where time goes. One of a job's nanoseconds is in one of them; of a job with missing replicas
 *  or nodes their share of it is in STRAT_LOST_MISSING. */
typedef enum StratLost {
    STRAT_LOST_NOTHING,    /* productive */
    STRAT_LOST_DEGRADED,   /* steps that take longer than healthy ones, and stalls */
    STRAT_LOST_MISSING,    /* replicas and nodes that are away while the others go on */
    STRAT_LOST_CHECKPOINT, /* saving, where training stands still */
    STRAT_LOST_DETECTION,
    STRAT_LOST_WAIT, /* for replacements */
    STRAT_LOST_RESTART,
    STRAT_LOST_REWORK, /* work that was done and lost */
    STRAT_LOST_COUNT
} StratLost;

/** A job's rhythm: @work of training, then @block of standing still. A checkpoint is safe @flush
 *  after that; @flush <= @work, so that one is under way at a time. */
typedef struct StratRhythm {
    SimTime work, block, flush;
} StratRhythm;

/** A job's progress. */
typedef struct StratProgress {
    StratRhythm rhythm;
    SimTime phase;  /* in its round: 0 .. work + block */
    SimTime recent; /* productive time since the last snapshot */
    SimTime flying; /* of the last snapshot, which is not safe yet */
    int64_t saves;  /* snapshots that were begun */
    SimTime ledger[STRAT_LOST_COUNT];
} StratProgress;

/** How fast the job goes. */
typedef struct StratPace {
    double speed;                    /* healthy step time over that of this state */
    int64_t replicas, replicas_lost; /* the latter are missing */
    double absent_fraction; /* of the nodes, while the others do their part: so much of what the
                               speed loses is booked as missing */
} StratPace;

/** Lets @span of time go by in which the job trains and saves. Books all of it. O(1). */
void strat_progress_run(StratProgress *progress, const StratPace *pace, SimTime span);

/** Books @lost, at most what is not safe, as rework; what else was not safe stays. The round starts
 *  again. */
void strat_progress_lose(StratProgress *progress, SimTime lost);

/** Productive time that is not safe in storage. */
SimTime strat_progress_unsafe(const StratProgress *progress);

/** Checkpoints that have become safe. */
int64_t strat_progress_safe_saves(const StratProgress *progress);

/** Books all productive time beyond @kept of it as rework, safe or not. The round starts again. */
void strat_progress_roll_back(StratProgress *progress, SimTime kept);

/** All is safe, and the round starts again. */
void strat_progress_secure(StratProgress *progress);

#endif

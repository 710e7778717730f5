/** A training job's operation trace as Programs of the engine, and what-ifs over it. */
#ifndef STRAT_REPLAY_H
#define STRAT_REPLAY_H

#include "sim_time.h"
#include "strat_replay_kind.h"

/** No operation. */
#define STRAT_REPLAY_NONE UINT32_MAX

/** One operation of the trace. */
typedef struct StratReplayOp {
    int64_t step; /* as the job counts */
    int32_t dp;   /* data-parallel replica, from 0 */
    int32_t pp;   /* pipeline stage, from 0 */
    StratReplayKind kind;
    SimTime start_ns;
    SimTime duration_ns; /* with the wait for its group */
} StratReplayOp;

/** A trace whose operations know what they wait for. Arrays are one entry an operation unless said
 *  otherwise; operations are ordered by (step, dp, pp, stream, start), so workers that behave
 *  alike have alike rows. */
typedef struct StratReplay {
    uint32_t op_count, step_count;
    int32_t dps, pps;
    StratReplayOp *ops;
    uint32_t *nth;          /* how many of its kind its worker did before it, in the step */
    uint32_t *previous;     /* the one before it on its stream, or NONE */
    uint32_t (*waits)[2];   /* for further ones of its worker, or NONE */
    uint32_t *group;        /* the operation that leads its group, or NONE */
    SimTime *work_ns;       /* its duration without the wait for its group */
    SimTime *gap_ns;        /* from the end of what it waits for to its start */
    uint32_t *worker_first; /* [step_count * dps * pps + 1] the first operation of each worker */
    double *measured_s;     /* [step_count] first start to last end */
    double measured_mean_s; /* over the steps */
    SimTime
        ideal_ns[STRAT_REPLAY_KINDS]; /* what an operation of each kind takes without stragglers */
} StratReplay;

/** Links @count operations of @ops (borrowed, any order, ties in the order given). Fails
 *  (STRAT_ERROR_UNSUPPORTED, naming step and worker) when there are none, or a worker lacks
 *  operations that others wait for. Owned by the caller. */
StratReplay *strat_replay_new(const StratReplayOp *ops, size_t count, GError **error);

/** Frees @replay; NULL is fine. */
void strat_replay_free(StratReplay *replay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratReplay, strat_replay_free)

/** How a replay is run. */
typedef struct StratReplayRun {
    bool gaps;     /* keep the gaps between operations: the host's time, data loading */
    bool unfolded; /* simulate replicas and steps that are alike one by one; the answer is the same
                    */
} StratReplayRun;

/** Runs every step with operations of @work_ns (one an operation). @step_s receives the time of
 * each step unless NULL, @mean_s their mean. Fails (SIM_ERROR_DEADLOCK) when the operations wait
 * for each other. */
bool strat_replay_run(const StratReplay *replay, const SimTime *work_ns, StratReplayRun how,
                      double *step_s, double *mean_s, GError **error);

#endif

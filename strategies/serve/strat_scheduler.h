/** Schedulers: who runs in the next iteration. One row an engine, one file a row.
 *
 *  A scheduler is asked at the start of every iteration of a lane (a pipeline stage count of lanes
 *  take turns on one replica; without pipelining there is one). It looks at the replica and decides
 *  by calling strat_lane_...() of strat_replica.h: preempt some, let decodes run, hand chunks of
 *  prompts to running sequences, admit waiting ones. What it left undone it did not want. */
#ifndef STRAT_SCHEDULER_H
#define STRAT_SCHEDULER_H

#include "strat_forks.h"
#include "strat_replica.h"

/** What a scheduler says about its decision, beyond what it did. */
typedef struct StratDecision {
    /** Only decodes run, and the decision is the same in the iterations that follow until a
     *  sequence finishes, a growing one finds no block or (unless @deaf) a request comes. */
    bool repeats;
    bool deaf;       /* a request that comes changes nothing */
    int64_t most;    /* so many iterations at most; 0: no bound */
    SimTime wake_ns; /* when nothing runs: ask again then; 0: when something changes */
} StratDecision;

typedef struct StratScheduler {
    const char *name;
    const char *source;
    bool late; /* a page of a prompt is found once the iteration that computes it is over; without,
                  others of the same iteration find it */
    StratForking forking; /* requests with several samples */
    bool beams;           /* beam search; of a group */
    bool holds; /* finished sequences stay in the batch, with their cache, until all have */
    StratDecision (*decide)(StratLane *lane);
} StratScheduler;

const StratScheduler *strat_scheduler_all(size_t *count);

/** The row called @name; NULL and @error (STRAT_ERROR_UNKNOWN_NAME, with the known ones). */
const StratScheduler *strat_scheduler_by_name(const char *name, GError **error);

/** Whether @scheduler runs requests with several @samples, or @beams; false and @error
 *  (STRAT_ERROR_UNSUPPORTED) if it does not. */
bool strat_scheduler_forks(const StratScheduler *scheduler, bool samples, bool beams,
                           GError **error);

StratDecision strat_scheduler_vllm_v1(StratLane *lane);
StratDecision strat_scheduler_static(StratLane *lane);
StratDecision strat_scheduler_orca(StratLane *lane);
StratDecision strat_scheduler_vllm_v0(StratLane *lane);
StratDecision strat_scheduler_sarathi(StratLane *lane);
StratDecision strat_scheduler_tgi(StratLane *lane);
StratDecision strat_scheduler_triton(StratLane *lane);
StratDecision strat_scheduler_sglang(StratLane *lane);
StratDecision strat_scheduler_trtllm_no_evict(StratLane *lane);
StratDecision strat_scheduler_trtllm_max_util(StratLane *lane);

#endif

/** Operation traces of toy jobs, by arithmetic of their own: what a replay is held against. */
#ifndef TOY_TRACE_H
#define TOY_TRACE_H

#include "strat_replay.h"

typedef struct ToyTrace {
    int32_t dps, pps, passes; /* at most 8 stages and 16 microbatches */
    int64_t steps;
    uint64_t seed; /* of the durations */
} ToyTrace;

/** The operations of a 1F1B job without gaps: an array of StratReplayOp, of durations drawn from
 *  [1, 1000] ns. @step_ns, one a step, receives how long each takes. The caller owns the array. */
GArray *toy_trace(const ToyTrace *toy, SimTime *step_ns);

#endif

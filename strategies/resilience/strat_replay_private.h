/** Between the files of strat_replay*. */
#ifndef STRAT_REPLAY_PRIVATE_H
#define STRAT_REPLAY_PRIVATE_H

#include "strat_replay.h"

/** The number of the worker (dp, pp) of step number @step in worker_first. */
static inline uint32_t strat_replay_worker(const StratReplay *r, uint32_t step, int32_t dp,
                                           int32_t pp)
{
    return (step * (uint32_t)r->dps + (uint32_t)dp) * (uint32_t)r->pps + (uint32_t)pp;
}

/** Fills nth, previous, waits and group of @replay, whose operations are sorted and whose workers
 *  are counted. False and @error where a partner is missing. */
bool strat_replay_link(StratReplay *replay, GError **error);

#endif

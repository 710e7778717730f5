/** Free nodes over the time to come. */
#ifndef STRAT_QUEUE_PROFILE_H
#define STRAT_QUEUE_PROFILE_H

#include "sim_time.h"

/** From @at on, @free nodes are free. */
typedef struct StratQueueStep {
    SimTime at;
    int64_t free;
} StratQueueStep;

/** A GArray of StratQueueStep by time, at least one; the last one holds for ever. */
typedef GArray StratQueueProfile;

/** Forgets everything: @free nodes from @now on. */
void strat_queue_profile_reset(StratQueueProfile *profile, SimTime now, int64_t free);

/** Lets the profile start at @now, which it holds. */
void strat_queue_profile_trim(StratQueueProfile *profile, SimTime now);

/** Adds @nodes from @from on and before @to (SIM_TIME_MAX: for ever). O(steps). */
void strat_queue_profile_add(StratQueueProfile *profile, SimTime from, SimTime to, int64_t nodes);

/** The first time at which @nodes are free for @lasts; SIM_TIME_MAX: never. O(steps). */
SimTime strat_queue_profile_earliest(const StratQueueProfile *profile, int64_t nodes,
                                     SimTime lasts);

#endif

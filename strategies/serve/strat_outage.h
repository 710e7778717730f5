/** Replicas that die, stand still or are slow during a run, and come back. */
#ifndef STRAT_OUTAGE_H
#define STRAT_OUTAGE_H

#include "strat_failures.h"
#include "strat_serve_private.h"

/** The failures of @run, whose replicas are there. NULL: nothing can fail. */
StratOutage *strat_outage_new(StratServeState *run);

/** Fills the sums of the run's result, up to its end, and gives back what was withheld. */
void strat_outage_close(StratOutage *outage);
void strat_outage_free(StratOutage *outage);

/** When the next thing happens, in *@at; false: never. */
bool strat_outage_next(const StratOutage *outage, StratFine *at);

/** Whether one of the @waiting requests, or one whose cache is on its way, waits for what is still
 *  to come. */
bool strat_outage_is_pending(const StratOutage *outage, int64_t waiting);

/** Lets the next thing happen. */
void strat_outage_step(StratOutage *outage);

/** The replicas of @pool that the router may choose, in @open, and how many; all of them when there
 *  is none. */
size_t strat_outage_open(const StratOutage *outage, size_t pool, StratReplica **open);

/** Whether a cache that comes to @replica has to go to another. */
bool strat_outage_turns_away(const StratOutage *outage, const StratReplica *replica);

/** Whether @lane may not decide at @now: until *@until, or 0: until it is woken. */
bool strat_outage_holds(const StratOutage *outage, StratLane *lane, StratFine now,
                        StratFine *until);

/** @replica has fewer requests: one that drains and has none starts again. */
void strat_outage_settle(StratOutage *outage, const StratReplica *replica, StratFine now);

/** Before when no cache sets out between the two, and how much longer it takes than over healthy
 *  NICs. */
StratFine strat_outage_blocked(const StratOutage *outage, const StratReplica *from,
                               const StratReplica *to);
double strat_outage_wire(const StratOutage *outage, const StratReplica *from,
                         const StratReplica *to);

#endif

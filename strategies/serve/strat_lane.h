/** The iterations of a lane: asking its scheduler, pricing, running equal ones at once. */
#ifndef STRAT_LANE_H
#define STRAT_LANE_H

#include "strat_replica.h"

/** Asks the scheduler at @now, not before the replica's gate, and starts what it decides:
 * @lane->end is when that is over. With @exact it is one iteration. False when nothing runs: then
 * @lane->end is when to ask again, 0 for when something changes; after mere preemptions it is one
 * unit of time later, for other lanes to go first. */
bool strat_lane_begin(StratLane *lane, StratFine now, bool exact);

/** A request has come at @at: a run of iterations that it could change ends with the one under way.
 */
void strat_lane_interrupt(StratLane *lane, StratFine at);

/** Ends what runs, at @lane->end. */
void strat_lane_end(StratLane *lane);

/** When the iteration under way at @at ends; @at when nothing runs. */
StratFine strat_lane_boundary(const StratLane *lane, StratFine at);

/** Blocks that the run has grown into by @at beyond those that the cache knows of. */
int64_t strat_lane_grown(const StratLane *lane, StratFine at);

/** Iterations of the run that are over at @at, which is not after its end. */
int64_t strat_lane_done(const StratLane *lane, StratFine at);

#endif

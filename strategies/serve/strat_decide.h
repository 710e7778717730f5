/** Steps that several schedulers share. */
#ifndef STRAT_DECIDE_H
#define STRAT_DECIDE_H

#include "strat_scheduler.h"

/** Tokens that @waiting would compute of its prompt if it were admitted: what the cache does not
 *  hold. 0 for one whose cache has come from elsewhere. */
int64_t strat_decide_prompt(const StratLane *lane, const StratSequence *waiting);

/** Whether blocks for @tokens of @waiting are free above the watermark; on an empty replica the
 *  watermark does not count. */
bool strat_decide_fits(const StratLane *lane, const StratSequence *waiting, int64_t tokens);

/** Tokens for which @waiting needs room if it is never to want more: prompt, outputs, and guesses
 *  beyond the last one. */
int64_t strat_decide_whole(const StratLane *lane, const StratSequence *waiting);

/** Lets the decodes run; those of the lane that strat_lane_victim() names go until they fit, to the
 *  host if the engine @swaps and there is room. A group can only go there: without room the engine
 *  gives up (replica->stuck). True when blocks ran short. */
bool strat_decide_decodes(StratLane *lane, bool swaps);

/** Admits @waiting with blocks for all of its prompt and gives it a chunk of @tokens, which it has
 *  left. False, and nothing done, when the blocks are not there. */
bool strat_decide_admit(StratLane *lane, StratSequence *waiting, int64_t tokens);

/** Whether all rows of @waiting may run beside those that do. */
bool strat_decide_has_places(const StratLane *lane, const StratSequence *waiting);

/** Whether as many sequences run as may. */
bool strat_decide_is_full(const StratLane *lane);

/** What to say after decodes, chunks and admissions in the order of the queue. @preempted: somebody
 *  had to go; @blocked: one who waits stands in the way of all who come after. */
StratDecision strat_decide_after(const StratLane *lane, bool preempted, bool blocked);

#endif

/** How sequences move inside a replica: between strat_replica.c and strat_settle.c. */
#ifndef STRAT_REPLICA_PRIVATE_H
#define STRAT_REPLICA_PRIVATE_H

#include "strat_replica.h"

/** @sequence, whose last token came at @since, decodes from the next iteration on. */
void strat_lane_join(StratLane *lane, StratSequence *sequence, StratFine since);

/** Takes @sequence out of the decodes and brings it up to date. */
void strat_lane_part(StratLane *lane, StratSequence *sequence);

/** Takes @sequence out of the running ones. */
void strat_lane_unlist(StratLane *lane, StratSequence *sequence);

/** Puts @sequence among the running ones, with its adapter. */
void strat_lane_enlist(StratLane *lane, StratSequence *sequence);

/** Gives back all that @sequence holds, of which @blocks are its blocks, shared ones counted. */
void strat_replica_release(StratReplica *replica, StratSequence *sequence, int64_t blocks);

/** Full pages of what @sequence has computed can be found from here on. */
void strat_replica_publish(StratReplica *replica, StratSequence *sequence);

/** Blocks of @sequence, which does not decode. */
int64_t strat_replica_still_blocks(const StratReplica *replica, const StratSequence *sequence);

/** Frees the cache of @sequence, which neither decodes nor has a place in a list. */
void strat_replica_free_still(StratReplica *replica, StratSequence *sequence);

/** Whether @a is served before @b where priorities decide. */
bool strat_sequence_is_before(const StratSequence *a, const StratSequence *b);

/** Puts @sequence into the queue, at its head if @first; by priority: at its place. */
void strat_replica_queue_up(StratReplica *replica, StratSequence *sequence, bool first);

/** Notes the share of the blocks in use, if it is the highest yet. */
void strat_replica_note_peak(StratReplica *replica);

/** Counts how full the cache was since the last look, up to @now. */
void strat_replica_look(StratReplica *replica, StratFine now);

#endif

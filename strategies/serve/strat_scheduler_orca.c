/*
 * Orca (Yu 2022, algorithm 1): every iteration the batch is chosen anew, so a finished request
 * leaves at once and a waiting one joins while there is a place (max_batch_size) and room in the
 * cache for the longest that it may become: that is reserved when it is admitted ("max_tokens" of
 * the paper, section 4.2), so nobody is ever preempted. Prompts are computed whole, beside the
 * decodes of the others (selective batching), first come first served.
 *
 * Without a limit on the length a request reserves what it will need.
 */
#include "strat_scheduler.h"

StratDecision strat_scheduler_orca(StratLane *lane)
{
    StratReplica *replica = lane->replica;
    int64_t longest = replica->engine->max_length;
    bool runs = strat_lane_decode(lane);
    g_assert(runs);
    while (replica->waiting.head && replica->running < replica->max_sequences) {
        StratSequence *next = replica->waiting.head;
        int64_t reserve = longest > 0 ? longest : (int64_t)next->input_tokens + next->output_tokens;
        if (!strat_lane_admit(lane, next, reserve + lane->decodes.width - 1))
            break;
        bool fits = next->state == STRAT_SEQUENCE_DECODE ||
                    strat_lane_chunk(lane, next, strat_sequence_left(next));
        g_assert(fits);
    }
    return (StratDecision){
        .repeats = true,
        .deaf = replica->waiting.head && !strat_replica_is_by_priority(replica),
    };
}

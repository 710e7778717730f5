/*
 * Static batching (FasterTransformer; "request-level scheduling" of the Orca paper, section 3.1):
 * up to max_batch_size requests that wait are taken together, their prompts computed in one
 * iteration, then all of them decode until the last is finished. Nobody joins meanwhile; a finished
 * sequence stays in the batch as a row, and room for the longest sequence that the engine takes is
 * reserved for each until the batch is over. Without such a limit: for the longest of the batch.
 *
 * Left out: padding of the prompts to the longest (FasterTransformer packs them).
 */
#include "strat_scheduler.h"

/* Tokens that each sequence of the next batch of at most @most reserves. */
static int64_t reservation(const StratReplica *replica, int64_t most)
{
    if (replica->engine->max_length > 0)
        return replica->engine->max_length;
    int64_t longest = 0;
    for (const StratSequence *s = replica->waiting.head; s && most-- > 0; s = s->next)
        longest = MAX(longest, (int64_t)s->input_tokens + s->output_tokens);
    return longest;
}

StratDecision strat_scheduler_static(StratLane *lane)
{
    StratReplica *replica = lane->replica;
    if (lane->running.head) {
        bool runs = strat_lane_decode(lane);
        g_assert(runs);
        return (StratDecision){.repeats = true, .deaf = true};
    }
    int64_t places = replica->max_sequences - replica->running;
    int64_t reserve = reservation(replica, places);
    while (replica->waiting.head && places-- > 0) {
        StratSequence *next = replica->waiting.head;
        if (!strat_lane_admit(lane, next, reserve + lane->decodes.width - 1))
            break;
        bool fits = next->state == STRAT_SEQUENCE_DECODE ||
                    strat_lane_chunk(lane, next, strat_sequence_left(next));
        g_assert(fits);
    }
    return (StratDecision){0};
}

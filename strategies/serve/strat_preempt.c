/*
 * Preemption: who goes when blocks run short, and what becomes of it. A preempted sequence loses
 * its blocks, keeps what it has said, and its prompt is then both. (To the host instead:
 * strat_swap.c.)
 */
#include "strat_replica_private.h"
#include "strat_tally.h"

void strat_lane_preempt(StratLane *lane, StratSequence *sequence)
{
    StratReplica *replica = lane->replica;
    int64_t blocks = strat_lane_blocks(lane, sequence);
    g_assert(sequence->twins == 0);
    if (replica->engine->prefix_cache && !sequence->page && !sequence->remote)
        strat_sequence_name_pages(sequence, strat_kv_page_tokens(replica->kv));
    if (sequence->state == STRAT_SEQUENCE_DECODE) {
        strat_lane_part(lane, sequence);
        lane->decoding = lane->decoding && lane->decodes.count > 0;
    } else {
        replica->pending_tokens -= strat_sequence_left(sequence);
        replica->still_tokens -= sequence->computed;
        lane->prompts--;
    }
    strat_replica_publish(replica, sequence);
    strat_replica_release(replica, sequence, blocks);
    sequence->computed = 0;
    sequence->preemptions++;
    replica->tally->result->preemptions++;
    strat_lane_unlist(lane, sequence);
    strat_replica_queue_up(replica, sequence, true);
}

/* Whether @a is to be kept rather than @b. */
static bool outranks(const StratReplica *replica, const StratSequence *a, const StratSequence *b)
{
    return strat_replica_is_by_priority(replica) ? strat_sequence_is_before(a, b)
                                                 : a->order < b->order;
}

/* Whether another lane runs a sequence that @sequence outranks. */
static bool has_lower(const StratLane *lane, const StratSequence *sequence)
{
    const StratReplica *replica = lane->replica;
    for (size_t i = 0; i < replica->lanes; i++)
        for (const StratSequence *s = replica->lane[i].running.head; s; s = s->next)
            if (&replica->lane[i] != lane && outranks(replica, sequence, s))
                return true;
    return false;
}

StratSequence *strat_lane_victim(const StratLane *lane)
{
    const StratReplica *replica = lane->replica;
    StratSequence *victim = NULL;
    bool by_priority = strat_replica_is_by_priority(replica);
    for (StratSequence *s = lane->running.tail; s && (by_priority || !victim); s = s->prev)
        if ((!victim || strat_sequence_is_before(victim, s)) &&
            !g_ptr_array_find(lane->chunk_of, s, NULL))
            victim = s;
    if (victim && lane->running.length == 1 && has_lower(lane, victim))
        return NULL;
    return victim;
}

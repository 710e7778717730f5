/*
 * Swapping to the host (vLLM V0, vllm/core/scheduler.py, _swap_out() and _swap_in()): a preempted
 * sequence keeps what it has computed. Its blocks go to host memory, all of them, and come back to
 * other ones, each way in
 *
 *     T = blocks x bytes of a block / host_bytes_per_s
 *
 * for which the iteration waits, as the engine does before it runs the model. Pages that others
 * share or may find stay on the GPU as well. A group of samples or beams goes and comes as one,
 * each of its blocks once.
 */
#include "strat_forks.h"
#include "strat_replica_private.h"
#include "strat_tally.h"

static int64_t moved_blocks(const StratReplica *replica, const StratSequence *sequence,
                            int64_t tokens)
{
    return strat_forks_rest(sequence, tokens, strat_kv_block_tokens(replica->kv));
}

StratSequence *strat_replica_swapped(const StratReplica *replica)
{
    StratSequence *first = replica->swapped.head;
    for (StratSequence *at = first; at; at = at->next)
        if (at->arrival_ns < first->arrival_ns ||
            (at->arrival_ns == first->arrival_ns && at->id < first->id))
            first = at;
    return first;
}

bool strat_lane_swap_out(StratLane *lane, StratSequence *sequence)
{
    StratReplica *replica = lane->replica;
    if (sequence->state != STRAT_SEQUENCE_DECODE)
        return false;
    int64_t held = strat_lane_blocks(lane, sequence);
    int64_t moved = moved_blocks(replica, sequence, strat_decodes_tokens(&lane->decodes, sequence));
    if (moved > replica->host_blocks)
        return false;
    strat_lane_part(lane, sequence);
    lane->decoding = lane->decoding && lane->decodes.count > 0;
    strat_replica_release(replica, sequence, held);
    replica->host_blocks -= moved;
    lane->wait_s += replica->swap_block_s * (double)moved;
    sequence->preemptions++;
    replica->tally->result->preemptions++;
    strat_lane_unlist(lane, sequence);
    sequence->state = STRAT_SEQUENCE_SWAPPED;
    strat_sequence_insert(&replica->swapped, sequence, NULL);
    return true;
}

bool strat_lane_swap_in(StratLane *lane, StratSequence *sequence)
{
    StratReplica *replica = lane->replica;
    g_assert(sequence->state == STRAT_SEQUENCE_SWAPPED);
    bool rides = lane->decoding || lane->decodes.count == 0;
    int64_t moved = moved_blocks(replica, sequence, sequence->computed);
    int64_t blocks = moved;
    if (rides)
        blocks = strat_forks_held(sequence, sequence->computed + lane->decodes.width,
                                  strat_kv_block_tokens(replica->kv));
    if (!strat_kv_take(replica->kv, blocks))
        return false;
    replica->host_blocks += moved;
    lane->wait_s += replica->swap_block_s * (double)moved;
    strat_sequence_remove(&replica->swapped, sequence);
    strat_lane_enlist(lane, sequence);
    strat_lane_join(lane, sequence, strat_fine_from_ns(sequence->last_token_ns));
    lane->decoding = rides;
    return true;
}

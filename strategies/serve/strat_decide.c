/*
 * Steps that several schedulers share. Admission looks at the head of the queue and stops at the
 * first that does not fit (head-of-line blocking), so a decision of decodes alone stays what it is:
 * blocks only get fewer until somebody finishes, and who comes stands behind the blocked head
 * unless it is more urgent.
 */
#include "strat_decide.h"

int64_t strat_decide_prompt(const StratLane *lane, const StratSequence *waiting)
{
    if (waiting->remote)
        return 0;
    return strat_sequence_left(waiting) - strat_replica_hit(lane->replica, waiting);
}

bool strat_decide_fits(const StratLane *lane, const StratSequence *waiting, int64_t tokens)
{
    const StratReplica *replica = lane->replica;
    int64_t spare = replica->running > 0 ? replica->watermark : 0;
    return strat_replica_price(replica, waiting, tokens) + spare <=
           strat_replica_free_blocks(replica);
}

int64_t strat_decide_whole(const StratLane *lane, const StratSequence *waiting)
{
    return (int64_t)waiting->input_tokens + waiting->output_tokens + lane->decodes.width - 1;
}

bool strat_decide_decodes(StratLane *lane, bool swaps)
{
    bool preempted = false;
    while (!lane->decoding && !strat_lane_decode(lane)) {
        StratSequence *victim = strat_lane_victim(lane);
        preempted = true;
        if (!victim)
            break;
        if (swaps && strat_lane_swap_out(lane, victim))
            continue;
        if (victim->twins > 0) {
            lane->replica->stuck =
                "no swap space is left for a group of samples or beams (serve.engine.swap)";
            break;
        }
        strat_lane_preempt(lane, victim);
    }
    return preempted;
}

bool strat_decide_admit(StratLane *lane, StratSequence *waiting, int64_t tokens)
{
    if (!strat_lane_admit(lane, waiting, strat_sequence_prompt(waiting)))
        return false;
    if (tokens > 0) {
        bool room = strat_lane_chunk(lane, waiting, tokens);
        g_assert(room);
    }
    return true;
}

bool strat_decide_has_places(const StratLane *lane, const StratSequence *waiting)
{
    const StratReplica *replica = lane->replica;
    return replica->running + strat_sequence_rows(waiting) <= replica->max_sequences;
}

bool strat_decide_is_full(const StratLane *lane)
{
    return lane->replica->running >= lane->replica->max_sequences;
}

StratDecision strat_decide_after(const StratLane *lane, bool preempted, bool blocked)
{
    return (StratDecision){
        .repeats = lane->decoding && lane->chunk->len == 0 && !preempted,
        .deaf =
            strat_decide_is_full(lane) || (blocked && !strat_replica_is_by_priority(lane->replica)),
    };
}

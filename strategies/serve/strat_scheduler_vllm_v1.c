/*
 * vLLM V1 (vllm/v1/core/sched/scheduler.py, release 0.19). One budget of tokens for an iteration
 * (max_num_batched_tokens); no phases: each sequence wants what it has not computed.
 *
 *  1. Running sequences first. A decode wants one token (and those speculated), a prompt under way
 *     what is left of it, at most long_prefill_token_threshold and the budget. Where blocks run
 *     short the last of the running is preempted (by priority: the least urgent), its blocks are
 *     freed, it goes to the head of the queue and starts again; and nobody is admitted in this
 *     iteration.
 *  2. Then waiting ones in order, while budget and places (max_num_seqs) last: the cached prefix is
 *     looked up, the chunk is cut to the budget (without chunked prefill: it fits or the queue
 *     stops), and where its blocks are not free, above the watermark, the queue stops: nobody
 *     overtakes. With scheduler_reserve_full_isl all of the prompt has to fit, not only the chunk.
 *     One whose LoRA adapter finds no slot is passed over.
 *
 * Samples are requests of their own (vllm/v1/engine/parallel_sampling.py), which share what the
 * prefix cache holds: full blocks of the prompt, in the iteration already that computes them. Beam
 * search is no part of the engine.
 *
 * Left out: a prompt under way stands behind the decodes here, whatever its place in the running
 * list; the two differ only when prompts before them use up all of the budget. Encoder inputs,
 * structured outputs.
 */
#include "strat_decide.h"

static int64_t chunk_of(const StratLane *lane, int64_t left, int64_t budget)
{
    int64_t limit = lane->replica->engine->long_prefill_tokens;
    return MIN(limit > 0 ? MIN(left, limit) : left, budget);
}

/* Goes on with prompts under way, in order. True when blocks ran short. */
static bool run_prompts(StratLane *lane, int64_t *budget)
{
    bool preempted = false;
    for (StratSequence *s = strat_lane_first_prompt(lane), *next; s && *budget > 0; s = next) {
        next = s->next;
        if (s->state != STRAT_SEQUENCE_PROMPT)
            continue;
        int64_t tokens = chunk_of(lane, strat_sequence_left(s), *budget);
        while (!strat_lane_chunk(lane, s, tokens)) {
            StratSequence *victim = strat_lane_victim(lane);
            preempted = true;
            if (!victim)
                return true;
            strat_lane_preempt(lane, victim);
            if (victim == s)
                return true;
        }
        *budget -= tokens;
        next = s->next;
    }
    return preempted;
}

/* Admits @waiting with its first chunk. False when the queue stops at it. */
static bool admit(StratLane *lane, StratSequence *waiting, int64_t *budget)
{
    StratReplica *replica = lane->replica;
    if (waiting->remote) {
        *budget -= lane->decodes.width;
        return strat_replica_price(replica, waiting, strat_sequence_prompt(waiting)) +
                       replica->watermark <=
                   strat_replica_free_blocks(replica) &&
               strat_lane_admit(lane, waiting, 0);
    }
    int64_t hit = strat_replica_hit(replica, waiting);
    int64_t left = strat_sequence_prompt(waiting) - hit;
    bool alone = *budget == replica->max_tokens;
    if (!replica->engine->chunked_prefill && left > *budget && !alone)
        return false;
    int64_t tokens = chunk_of(lane, left, *budget);
    int64_t held = replica->engine->reserve_prompt ? left : tokens;
    if (strat_replica_price(replica, waiting, hit + held) + replica->watermark >
        strat_replica_free_blocks(replica))
        return false;
    bool admitted = strat_lane_admit(lane, waiting, 0) && strat_lane_chunk(lane, waiting, tokens);
    g_assert(admitted);
    *budget -= tokens;
    return true;
}

StratDecision strat_scheduler_vllm_v1(StratLane *lane)
{
    StratReplica *replica = lane->replica;
    bool preempted = strat_decide_decodes(lane, false);
    int64_t budget = replica->max_tokens - lane->decodes.count * lane->decodes.width;
    preempted = run_prompts(lane, &budget) || preempted;
    StratSequence *at = preempted ? NULL : replica->waiting.head;
    while (at && budget > 0 && replica->running < replica->max_sequences) {
        StratSequence *next = at->next;
        if (strat_replica_takes_adapter(replica, at) && !admit(lane, at, &budget))
            break;
        at = next;
    }
    return (StratDecision){
        .repeats = !preempted,
        .deaf = at && !strat_replica_is_by_priority(replica),
    };
}

/*
 * Sarathi-Serve (Agrawal et al., OSDI 2024), sarathi/core/scheduler/sarathi_scheduler.py of the
 * repository microsoft/sarathi-serve, commit 13f16cf. One iteration computes at most chunk_size
 * tokens (the engine's max_tokens), filled in this order:
 *
 *   1. every decode, one token each; while one finds no block the last of the running goes back to
 *      the queue, a prompt under way too;
 *   2. prompts under way, in order: what is left of them or of the chunk;
 *   3. new prompts, in order, while blocks for the whole prompt are free above the watermark, fewer
 *      than max_sequences run and the chunk is not used up. They get those blocks at once.
 *
 * A prompt that does not fit ends the round, and one that was preempted may come back in the same
 * iteration, as the code has it. With chunk_stages the chunk shrinks as a prompt goes on
 * (enable_dynamic_chunking_schedule): stage i of s covers chunk_schedule_tokens / s of a prompt,
 * and
 *
 *     chunk(i) = high - i (high - low) / (s - 1), to the nearest 32 (or low, if that is less)
 *
 * with high = max_tokens and low = chunk_low_tokens; past the last stage the last one holds (there
 * the engine stops with an error).
 *
 * Left out: the engine wants a free block for each decode even when its last one has room.
 */
#include "strat_decide.h"

#include <math.h>

enum {
    CHUNK_UNIT = 32 /* to which the sizes of the schedule are rounded, in the code named above */
};

/* Tokens of one iteration when the prompt that asks has @computed tokens behind it. */
static int64_t chunk_size(const StratReplica *replica, int64_t computed)
{
    const StratEngine *engine = replica->engine;
    int64_t stages = engine->chunk_stages;
    if (stages < 2 || engine->chunk_low_tokens < 1 || engine->chunk_schedule_tokens < 1)
        return replica->max_tokens;
    int64_t each = (engine->chunk_schedule_tokens + stages - 1) / stages;
    int64_t stage = MIN(computed / each, stages - 1);
    int64_t low = engine->chunk_low_tokens;
    int64_t size = replica->max_tokens - stage * (replica->max_tokens - low) / (stages - 1);
    int64_t unit = MIN(CHUNK_UNIT, low);
    return (int64_t)rint((double)size / (double)unit) * unit;
}

static int64_t chunk_of(const StratReplica *replica, int64_t computed, int64_t left, int64_t used)
{
    return MAX(MIN(left, chunk_size(replica, computed) - used), 0);
}

static int64_t continue_prompts(StratLane *lane, int64_t used)
{
    for (StratSequence *at = strat_lane_first_prompt(lane); at; at = at->next) {
        if (at->state != STRAT_SEQUENCE_PROMPT)
            continue;
        int64_t tokens = chunk_of(lane->replica, at->computed, strat_sequence_left(at), used);
        if (tokens > 0 && strat_lane_chunk(lane, at, tokens))
            used += tokens;
    }
    return used;
}

static void admit(StratLane *lane, int64_t used)
{
    StratReplica *replica = lane->replica;
    for (StratSequence *at = replica->waiting.head; at && !strat_decide_is_full(lane);) {
        StratSequence *next = at->next;
        int64_t left = strat_decide_prompt(lane, at);
        int64_t computed = strat_sequence_left(at) - left;
        int64_t tokens = chunk_of(replica, computed, left, used);
        if (left > 0 && tokens == 0)
            return;
        if (!strat_decide_fits(lane, at, strat_sequence_prompt(at)) ||
            !strat_decide_admit(lane, at, tokens))
            return;
        used += tokens > 0 ? tokens : lane->decodes.width;
        at = next;
    }
}

StratDecision strat_scheduler_sarathi(StratLane *lane)
{
    bool preempted = strat_decide_decodes(lane, false);
    int64_t used = lane->decoding ? lane->decodes.count * lane->decodes.width : 0;
    used = continue_prompts(lane, used);
    admit(lane, used);
    return strat_decide_after(lane, preempted, lane->replica->waiting.length > 0);
}

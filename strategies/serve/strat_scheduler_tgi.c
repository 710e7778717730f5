/*
 * Text Generation Inference, backends/v3/src/backend.rs (commit 1d0847a) and queue.rs (120d577) of
 * the repository huggingface/text-generation-inference. The batcher goes round: it may prefill a
 * new batch, which pauses the decodes, and then decodes everybody once, always. A new batch is the
 * head of the queue as far as
 *
 *     sum of prompts                    <= max_batch_prefill_tokens, up to a block (max_tokens)
 *     sum of prompts + outputs to come  <= max_batch_total_tokens - the same sum over the running
 *     blocks for prompt + outputs - 1   are free; they are the request's own until it ends
 *
 * and fewer than max_batch_size run. It goes when it has floor(running x waiting_served_ratio)
 * members or, of any size, once max_waiting_tokens iterations have passed since the last one: the
 * prefill counts as one, each decode as one. With nobody running any batch goes, and right after it
 * the queue is asked again.
 *
 * With chunked_prefill (backends that can): the size does not matter, the new batch runs together
 * with the decodes, prompts have what these leave of max_batch_prefill_tokens, and the last one is
 * cut to it; it goes on in the next iteration, before others.
 *
 * Several answers (best_of) are as many requests: the router's generate_best_of() sends them all.
 *
 * Left out: dropped clients, padding (backends without paged attention), the window.
 */
#include "strat_decide.h"

/* The lane's notes. */
enum {
    SINCE, /* decodes done when the last batch came */
    OWED   /* the decode that follows a prefill of a running batch */
};

typedef struct Batch {
    int64_t size;
    int64_t prompt_tokens, all_tokens; /* prompts; with their outputs to come */
    int64_t blocks;
} Batch;

static int64_t total_of(const StratSequence *sequence)
{
    return (int64_t)sequence->input_tokens + sequence->output_tokens;
}

static int64_t total_budget(const StratLane *lane)
{
    const StratReplica *replica = lane->replica;
    int64_t budget = replica->engine->max_total_tokens;
    if (budget == 0)
        budget = strat_kv_blocks(replica->kv) * strat_kv_block_tokens(replica->kv);
    for (const StratSequence *at = lane->running.head; at; at = at->next)
        budget -= total_of(at);
    return budget;
}

/* The head of the queue as far as it fits; the last one may be cut when prompts may. */
static Batch next_batch(const StratLane *lane, int64_t prompt_budget)
{
    const StratReplica *replica = lane->replica;
    int64_t all_budget = total_budget(lane);
    int64_t free_blocks = strat_replica_free_blocks(replica);
    Batch batch = {0};
    for (StratSequence *at = replica->waiting.head; at; at = at->next) {
        if (replica->running + batch.size >= replica->max_sequences)
            break;
        int64_t prompt = batch.prompt_tokens + strat_decide_prompt(lane, at);
        int64_t all = batch.all_tokens + total_of(at);
        int64_t blocks =
            batch.blocks + strat_replica_price(replica, at, strat_decide_whole(lane, at) - 1);
        bool cut = prompt > prompt_budget;
        if (cut && (!replica->engine->chunked_prefill || batch.prompt_tokens >= prompt_budget))
            break;
        if (all > all_budget || blocks > free_blocks)
            break;
        batch = (Batch){batch.size + 1, MIN(prompt, prompt_budget), all, blocks};
        if (cut)
            break;
    }
    return batch;
}

static int64_t waiting_tokens(const StratLane *lane)
{
    return 1 + lane->decodes.at - (int64_t)lane->note[SINCE];
}

static int64_t least(const StratLane *lane)
{
    const StratEngine *engine = lane->replica->engine;
    if (lane->running.length == 0 || engine->chunked_prefill ||
        waiting_tokens(lane) >= engine->max_waiting_tokens)
        return 1;
    return MAX((int64_t)((double)lane->running.length * engine->waiting_served_ratio), 1);
}

static void admit(StratLane *lane, int64_t size, int64_t prompt_budget)
{
    for (int64_t i = 0; i < size; i++) {
        StratSequence *head = lane->replica->waiting.head;
        /* More than was counted when those before it have evicted its prefix. */
        int64_t left = strat_decide_prompt(lane, head);
        int64_t tokens = MIN(left, prompt_budget);
        if (left > 0 && (tokens == 0 || (tokens < left && !lane->replica->engine->chunked_prefill)))
            return;
        if (!strat_lane_admit(lane, head, strat_decide_whole(lane, head) - 1))
            return;
        if (tokens > 0)
            strat_lane_chunk(lane, head, tokens);
        prompt_budget -= tokens;
    }
}

static int64_t prompt_budget(const StratLane *lane)
{
    int64_t block = strat_kv_block_tokens(lane->replica->kv);
    return (lane->replica->max_tokens + block - 1) / block * block;
}

static StratDecision decide_chunked(StratLane *lane)
{
    strat_decide_decodes(lane, false);
    int64_t budget = prompt_budget(lane) - lane->decodes.count;
    for (StratSequence *at = strat_lane_first_prompt(lane); at; at = at->next) {
        int64_t tokens = MIN(strat_sequence_left(at), budget);
        if (at->state == STRAT_SEQUENCE_PROMPT && tokens > 0 && strat_lane_chunk(lane, at, tokens))
            budget -= tokens;
    }
    admit(lane, next_batch(lane, budget).size, budget);
    return strat_decide_after(lane, false, false);
}

StratDecision strat_scheduler_tgi(StratLane *lane)
{
    const StratReplica *replica = lane->replica;
    if (replica->engine->chunked_prefill)
        return decide_chunked(lane);
    bool joins = lane->running.length > 0;
    bool owed = lane->note[OWED] > 0 && joins;
    lane->note[OWED] = 0;
    Batch batch = owed ? (Batch){0} : next_batch(lane, prompt_budget(lane));
    int64_t waiting = replica->waiting.length;
    if (batch.size > 0 && batch.size >= least(lane))
        admit(lane, batch.size, prompt_budget(lane));
    if (replica->waiting.length < waiting) {
        lane->note[SINCE] = (double)lane->decodes.at;
        lane->note[OWED] = joins && lane->chunk->len > 0;
        if (lane->chunk->len > 0)
            return (StratDecision){0};
    }
    strat_decide_decodes(lane, false);
    StratDecision decision = strat_decide_after(lane, false, false);
    decision.deaf = false;
    decision.repeats = decision.repeats && !owed;
    if (replica->waiting.length > 0)
        decision.most = MAX(replica->engine->max_waiting_tokens - waiting_tokens(lane), 1);
    return decision;
}

/*
 * The scheduler of TensorRT-LLM has two steps. The capacity scheduler
 * (cpp/tensorrt_llm/batch_manager/capacityScheduler.cpp, commit 02a10fe) says who has memory; the
 * micro batch scheduler (microBatchScheduler.cpp, commit 0a949d3) says who of them runs. Both
 * policies of the first, guaranteed-no-evict and max-utilization, look at waiting requests in order
 * and stop at the first whose blocks are not there; they differ in how many it wants. Both pass
 * over a request whose LoRA adapter finds no slot, and one whose next page of prompt another prompt
 * of this iteration computes: it waits and finds that page in the cache.
 *
 * The second step goes through the same requests in the same order, decodes before prompts, with
 *
 *     sum of tokens  <= max_num_tokens (max_tokens)
 *     requests       <= max_batch_size (max_sequences)
 *
 * Without chunking a prompt counts with all its tokens, cached ones too, and the first that does
 * not fit ends the round; one longer than max_num_tokens goes alone (the engine refuses it). With
 * chunked_prefill prompts share what the decodes leave, first come first served; a chunk that does
 * not end its prompt is cut to whole blocks, and where nothing is left of it the request keeps its
 * claim on memory and waits, while a shorter one behind it may still fit.
 *
 * batch_wait_iterations (the PyTorch backend: batch_wait_timeout_iters and
 * batch_wait_max_tokens_ratio of _torch/pyexecutor/py_executor.py, _waiting_requests(), 1.1):
 * beside decodes, prompts wait so many iterations for others, unless all that would run is as many
 * tokens as that share of max_num_tokens. The count begins with the first iteration that could
 * have taken one, and ends with the first that does.
 *
 * Left out: equal-progress chunking, beams, encoders, draft tokens, look-ahead by two steps.
 */
#include "strat_trtllm.h"

#include "strat_decide.h"

/* The lane's notes. */
enum {
    SINCE /* 1 + decodes done when prompts began to wait for company; 0: none does */
};

/* The iteration that is being put together. */
typedef struct Round {
    StratLane *lane;
    int64_t tokens;  /* still free */
    int64_t places;  /* still free */
    int64_t claimed; /* blocks of requests that have memory and do not run */
    GArray *pages;   /* of uint64_t: that prompts of this iteration add to the cache */
} Round;

static int64_t chunk_of(const Round *round, int64_t left)
{
    const StratReplica *replica = round->lane->replica;
    int64_t unit = MIN(strat_kv_block_tokens(replica->kv), replica->max_tokens);
    return left <= round->tokens ? left : MAX(round->tokens, 0) / unit * unit;
}

static void go_on(Round *round)
{
    StratSequence *at = strat_lane_first_prompt(round->lane);
    for (; at && round->places > 0; at = at->next) {
        if (at->state != STRAT_SEQUENCE_PROMPT)
            continue;
        if (at->held < at->pages)
            g_array_append_val(round->pages, at->page[at->held]);
        int64_t tokens = chunk_of(round, strat_sequence_left(at));
        round->places--;
        if (tokens > 0 && strat_lane_chunk(round->lane, at, tokens))
            round->tokens -= tokens;
    }
}

/* Whether @waiting had better wait for a page; when not, its own next page is noted. */
static bool shares(Round *round, const StratSequence *waiting)
{
    const StratReplica *replica = round->lane->replica;
    int64_t page_tokens = strat_kv_page_tokens(replica->kv);
    if (page_tokens == 0 || waiting->remote)
        return false;
    int64_t next = strat_replica_hit(replica, waiting) / page_tokens;
    if (next >= waiting->pages)
        return false;
    for (guint i = 0; i < round->pages->len; i++)
        if (g_array_index(round->pages, uint64_t, i) == waiting->page[next])
            return true;
    g_array_append_val(round->pages, waiting->page[next]);
    return false;
}

/* Tokens of @waiting that run in this round; 0: none do. */
static int64_t fitting(const Round *round, const StratSequence *waiting)
{
    const StratReplica *replica = round->lane->replica;
    int64_t left = strat_decide_prompt(round->lane, waiting);
    if (replica->engine->chunked_prefill)
        return chunk_of(round, left);
    bool alone = round->tokens == replica->max_tokens;
    return alone || strat_sequence_prompt(waiting) <= round->tokens ? left : 0;
}

/* False when the round ends at @waiting. */
static bool let_in(Round *round, StratSequence *waiting, StratReserve reserve)
{
    StratReplica *replica = round->lane->replica;
    bool chunked = replica->engine->chunked_prefill;
    int64_t blocks = strat_replica_price(replica, waiting, reserve(round->lane, waiting));
    if (blocks + round->claimed > strat_replica_free_blocks(replica))
        return false;
    round->places--;
    int64_t tokens = fitting(round, waiting);
    if (tokens == 0 && !waiting->remote) {
        round->claimed += blocks;
        return chunked;
    }
    if (!strat_lane_admit(round->lane, waiting, reserve(round->lane, waiting)))
        return false;
    if (tokens > 0) {
        bool room = strat_lane_chunk(round->lane, waiting, tokens);
        g_assert(room);
    }
    int64_t counted = chunked ? tokens : strat_sequence_prompt(waiting);
    round->tokens -= tokens > 0 ? counted : round->lane->decodes.width;
    return true;
}

bool strat_trtllm_prompts(StratLane *lane, bool admits, StratReserve reserve)
{
    const StratReplica *replica = lane->replica;
    const StratDecodes *decodes = &lane->decodes;
    g_autoptr(GArray) pages = g_array_new(false, false, sizeof(uint64_t));
    Round round = {
        .lane = lane,
        .tokens = replica->max_tokens - decodes->count * decodes->width,
        .places =
            replica->max_sequences - (replica->running - lane->running.length) - decodes->count,
        .pages = pages,
    };
    go_on(&round);
    StratSequence *at = admits ? replica->waiting.head : NULL;
    while (at && round.places > 0 && round.tokens > 0) {
        StratSequence *next = at->next;
        if (strat_replica_takes_adapter(replica, at) && !shares(&round, at) &&
            !let_in(&round, at, reserve))
            return true;
        at = next;
    }
    return at != NULL;
}

/* Tokens of the iteration if those who wait came in as far as its tokens and places go. */
static int64_t tokens_with(const StratLane *lane)
{
    const StratReplica *replica = lane->replica;
    const StratDecodes *decodes = &lane->decodes;
    int64_t tokens = decodes->count * decodes->width;
    int64_t places = replica->max_sequences - replica->running;
    for (const StratSequence *at = replica->waiting.head; at && places > 0; at = at->next) {
        if (tokens + strat_sequence_prompt(at) > replica->max_tokens)
            break;
        tokens += strat_sequence_prompt(at);
        places--;
    }
    return tokens;
}

/* Whether the first that waits has a place and memory. */
static bool could_come(const StratLane *lane, StratReserve reserve)
{
    const StratReplica *replica = lane->replica;
    const StratSequence *head = replica->waiting.head;
    return head && !strat_decide_is_full(lane) &&
           strat_replica_price(replica, head, reserve(lane, head)) <=
               strat_replica_free_blocks(replica);
}

int64_t strat_trtllm_wait(StratLane *lane, StratReserve reserve)
{
    const StratEngine *engine = lane->replica->engine;
    double *since = &lane->note[SINCE];
    if (engine->batch_wait_iterations == 0 || !lane->decoding || strat_lane_first_prompt(lane))
        return 0;
    if (*since <= 0.0) {
        if (!could_come(lane, reserve))
            return 0;
        *since = 1.0 + (double)lane->decodes.at;
    }
    int64_t left = engine->batch_wait_iterations - (1 + lane->decodes.at - (int64_t)*since);
    double enough = engine->batch_wait_fraction * (double)lane->replica->max_tokens;
    bool waits = left > 0 && (enough <= 0.0 || (double)tokens_with(lane) < enough);
    return waits ? left : 0;
}

StratDecision strat_trtllm_after(StratLane *lane, bool paused, bool blocked, int64_t wait)
{
    StratDecision decision = strat_decide_after(lane, paused, blocked);
    if (lane->chunk->len > 0)
        lane->note[SINCE] = 0.0;
    if (wait > 0) {
        decision.deaf = false;
        decision.most = wait;
    }
    return decision;
}

/*
 * The scheduler of TensorRT-LLM has two steps. The capacity scheduler
 * (cpp/tensorrt_llm/batch_manager/capacityScheduler.cpp, commit 02a10fe) says who has memory; the
 * micro batch scheduler (microBatchScheduler.cpp, commit 0a949d3) says who of them runs. Both policies
 * of the first, guaranteed-no-evict and max-utilization, look at waiting requests in order and stop
 * at the first whose blocks are not there; they differ in how many blocks a request wants. Both
 * pass over a request whose next page of prompt another prompt of this iteration is computing: it
 * waits and finds it in the cache.
 *
 * The second step goes through requests in the same order, decodes before prompts, with
 *
 *     sum of tokens   <= max_num_tokens (max_tokens)
 *     requests        <= max_batch_size (max_sequences)
 *
 * Without chunking a prompt counts with all its tokens, cached ones too, and the first that does not
 * fit ends the round. With chunked_prefill prompts share what the decodes leave, first come first
 * served; a chunk that does not end its prompt is cut to whole blocks, and when nothing is left of it
 * the request waits, while a shorter one behind it may still fit.
 *
 * Left out: equal-progress chunking, beams, encoders, draft tokens, look-ahead by two steps.
 */
#include "strat_trtllm.h"

#include "strat_decide.h"

static int64_t chunk_of(const StratMicroBatch *batch, int64_t left)
{
    int64_t unit = strat_kv_block_tokens(batch->lane->replica->kv);
    return left <= batch->tokens ? left : MAX(batch->tokens, 0) / unit * unit;
}

static void go_on(StratMicroBatch *batch)
{
    StratLane *lane = batch->lane;
    for (StratSequence *at = lane->running.head; at && batch->requests > 0; at = at->next) {
        if (at->state != STRAT_SEQUENCE_PROMPT)
            continue;
        if (at->held < at->pages)
            g_hash_table_add(batch->next_pages, &at->page[at->held]);
        int64_t tokens = chunk_of(batch, strat_sequence_left(at));
        batch->requests--;
        if (tokens > 0 && strat_lane_chunk(lane, at, tokens))
            batch->tokens -= tokens;
    }
}

void strat_micro_batch_init(StratMicroBatch *batch, StratLane *lane)
{
    const StratReplica *replica = lane->replica;
    const StratDecodes *decodes = &lane->decodes;
    *batch = (StratMicroBatch){
        .lane = lane,
        .tokens = replica->max_tokens - decodes->count * decodes->width,
        .requests = replica->max_sequences - decodes->count,
        .next_pages = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
    };
    go_on(batch);
}

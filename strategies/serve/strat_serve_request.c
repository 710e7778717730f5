/*
 * A request becomes what the engine sees: one sequence, a group of rows, or several sequences; and
 * whether the engine can serve it at all.
 */
#include "strat_forks.h"
#include "strat_scheduler.h"
#include "strat_serve_private.h"

/* Whether the samples or beams of @request are rows of one sequence. */
static bool is_group(const StratScheduler *scheduler, const StratRequest *request)
{
    bool samples = request->samples > 1 && scheduler->forking == STRAT_FORKING_GROUP;
    return samples || request->beams > 1;
}

bool strat_serve_can(const StratServeState *run, size_t pool, const StratRequest *request)
{
    const StratReplica *replica = g_ptr_array_index(run->pool[pool].replicas, 0);
    const StratEngine *engine = replica->engine;
    int64_t length = request->input_tokens + request->output_tokens;
    if (engine->max_length > 0 && length > engine->max_length)
        return false;
    if (!engine->chunked_prefill && request->input_tokens > replica->max_tokens)
        return false;
    if (!strat_scheduler_forks(replica->scheduler, request->samples > 1, request->beams > 1, NULL))
        return false;
    if (run->spec->failures.policy && (request->samples > 1 || request->beams > 1))
        return false;
    int64_t width = replica->lane[0].decodes.width;
    bool prompt_only = run->pools > 1 && pool == 0;
    int64_t held = prompt_only ? request->input_tokens : length + width - 1;
    int64_t blocks = strat_kv_blocks_for(replica->kv, held);
    if (is_group(replica->scheduler, request)) {
        /* At worst they share the full blocks of the prompt; one more each when they come back. */
        int64_t rows = MAX(request->samples, request->beams);
        int64_t full = request->input_tokens / engine->block_tokens;
        blocks = prompt_only ? blocks : full + rows * (blocks - full + 1);
        if (rows > replica->max_sequences)
            return false;
    }
    return blocks + replica->watermark <= strat_kv_blocks(replica->kv);
}

static StratSequence *sequence_of(const StratRequest *request, bool pages)
{
    StratSequence *sequence = g_new0(StratSequence, 1);
    sequence->id = request->id;
    sequence->session = request->session;
    sequence->arrival_ns = request->arrival_ns;
    sequence->scheduled_ns = sequence->first_token_ns = sequence->last_token_ns = -1;
    sequence->input_tokens = (int32_t)request->input_tokens;
    sequence->output_tokens = (int32_t)request->output_tokens;
    sequence->priority = (int32_t)request->priority;
    sequence->adapter = (int32_t)request->adapter;
    if (pages && request->pages > 0) {
        sequence->page = g_memdup2(request->page, request->pages * sizeof *request->page);
        sequence->pages = (int32_t)request->pages;
    }
    return sequence;
}

/* Makes @sequence the samples or beams of @request; those that are sequences of their own, linked
 * by next, are returned. */
static StratSequence *fork_request(const StratServeState *run, const StratRequest *request,
                                   StratSequence *sequence)
{
    const StratReplica *replica = g_ptr_array_index(run->pool[0].replicas, 0);
    int64_t page_tokens = strat_kv_page_tokens(replica->kv);
    if (is_group(replica->scheduler, request)) {
        strat_forks_group(sequence, request);
        if (sequence->page)
            sequence->pages = (int32_t)MIN(sequence->pages, request->input_tokens / page_tokens);
    } else if (request->samples > 1) {
        return strat_forks_children(sequence, request, page_tokens);
    }
    return NULL;
}

StratSequence *strat_serve_sequence(const StratServeState *run, const StratRequest *request,
                                    bool pages, StratSequence **others)
{
    StratSequence *sequence = sequence_of(request, pages);
    *others = fork_request(run, request, sequence);
    return sequence;
}

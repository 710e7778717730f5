/*
 * A replica between two iterations: what schedulers may do to it, and what its state becomes when
 * an iteration is over. Who is in which list, who holds which blocks and how many tokens are
 * computed changes here and nowhere else.
 *
 * A sequence waits, runs its prompt in chunks, decodes, and is finished. Blocks are taken when a
 * chunk or an iteration of decodes is decided, before it runs, and computed tokens count from then
 * on (vllm/v1/core/sched/scheduler.py does both); full pages of a prompt can be found by others
 * from then on too. A preempted sequence loses its blocks, keeps what it has said, and its prompt
 * is then both. Pages of an output enter the cache when the sequence ends or is preempted, so with
 * a prefix cache a preempted sequence finds what nobody has overwritten meanwhile, whether or not
 * requests say what they share.
 *
 * A sequence whose prompt was computed by a prefill replica needs blocks for all of it at once and
 * decodes from its first iteration; its pages are private there.
 *
 * A group of samples or beams (strat_forks.c) is one sequence with several rows. It takes places
 * for all of them when its prompt is admitted, and is forked when that is complete.
 */
#include "strat_replica.h"

#include "strat_forks.h"
#include "strat_replica_private.h"
#include "strat_scheduler.h"
#include "strat_speculation.h"
#include "strat_tally.h"

/* Between the samples of one request where ids name draws. */
#define SAMPLES_APART (INT64_C(1) << 40)

StratReplica *strat_replica_new(const StratReplicaSpec *spec)
{
    const StratEngine *engine = spec->engine;
    StratReplica *replica = g_new0(StratReplica, 1);
    int64_t width = strat_speculation_width(spec->guesses);
    replica->engine = engine;
    replica->max_tokens = engine->max_tokens > 0 ? engine->max_tokens * spec->ranks : INT64_MAX;
    replica->max_sequences = engine->max_sequences * spec->ranks;
    if (replica->max_tokens / width < replica->max_sequences)
        replica->max_sequences = MAX(replica->max_tokens / width, 1);
    replica->host_blocks = spec->host_blocks;
    replica->swap_block_s = spec->swap_block_s;
    replica->adapters = engine->max_adapters > 0 ? strat_adapters_new(engine->max_adapters) : NULL;
    replica->watermark = (int64_t)(engine->watermark_fraction * (double)spec->blocks);
    int64_t page_tokens = spec->page_tokens > 0 ? spec->page_tokens : engine->block_tokens;
    replica->kv =
        strat_kv_new(spec->blocks, engine->block_tokens, engine->prefix_cache ? page_tokens : 0);
    if (spec->tiers > 0) {
        replica->tiers = strat_kv_tiers_new(spec->tier, spec->tiers);
        strat_kv_spill(replica->kv, replica->tiers);
    }
    replica->lanes = spec->lanes;
    replica->lane = g_new0(StratLane, spec->lanes);
    for (size_t i = 0; i < spec->lanes; i++) {
        StratLane *lane = &replica->lane[i];
        lane->replica = replica;
        lane->chunk = g_array_new(false, false, sizeof(StratChunk));
        lane->chunk_of = g_ptr_array_new();
        lane->gap = g_array_new(false, false, sizeof(StratGap));
        strat_decodes_init(&lane->decodes, engine->block_tokens, width);
    }
    replica->scheduler = spec->scheduler;
    replica->pricer = spec->pricer;
    replica->curve = strat_curve_new(spec->pricer, width);
    replica->gpus = (double)spec->gpus / (double)spec->lanes;
    replica->guesses = spec->guesses;
    replica->seed = spec->seed;
    replica->tally = spec->tally;
    replica->events = spec->events;
    replica->index = spec->index;
    return replica;
}

static void free_all(StratSequenceList *list)
{
    while (list->head) {
        StratSequence *sequence = list->head;
        strat_sequence_remove(list, sequence);
        strat_sequence_free(sequence);
    }
}

void strat_replica_free(StratReplica *replica)
{
    if (!replica)
        return;
    for (size_t i = 0; i < replica->lanes; i++) {
        StratLane *lane = &replica->lane[i];
        free_all(&lane->running);
        free_all(&lane->padded);
        strat_decodes_clear(&lane->decodes);
        g_array_unref(lane->chunk);
        g_ptr_array_unref(lane->chunk_of);
        g_array_unref(lane->gap);
    }
    free_all(&replica->waiting);
    free_all(&replica->swapped);
    strat_adapters_free(replica->adapters);
    strat_kv_tiers_free(replica->tiers);
    strat_kv_free(replica->kv);
    strat_curve_free(replica->curve);
    g_free(replica->lane);
    g_free(replica);
}

bool strat_replica_is_by_priority(const StratReplica *replica)
{
    return g_strcmp0(replica->engine->order, "priority") == 0;
}

bool strat_sequence_is_before(const StratSequence *a, const StratSequence *b)
{
    if (a->priority != b->priority)
        return a->priority < b->priority;
    if (a->arrival_ns != b->arrival_ns)
        return a->arrival_ns < b->arrival_ns;
    return a->id != b->id ? a->id < b->id : a->sample < b->sample;
}

void strat_replica_queue_up(StratReplica *replica, StratSequence *sequence, bool first)
{
    StratSequence *next = first ? replica->waiting.head : NULL;
    if (strat_replica_is_by_priority(replica)) {
        StratSequence *prev = replica->waiting.tail;
        next = NULL;
        for (; prev && strat_sequence_is_before(sequence, prev); prev = prev->prev)
            next = prev;
    }
    sequence->state = STRAT_SEQUENCE_WAITING;
    replica->pending_tokens += strat_sequence_left(sequence);
    strat_sequence_insert(&replica->waiting, sequence, next);
}

void strat_replica_enqueue(StratReplica *replica, StratSequence *sequence)
{
    replica->outstanding++;
    strat_replica_queue_up(replica, sequence, false);
}

void strat_replica_drop(StratReplica *replica, StratSequence *sequence)
{
    for (size_t i = 0; i < replica->lanes; i++)
        replica->lane[i].deaf = false; /* whom it held up may run */
    replica->outstanding--;
    replica->pending_tokens -= strat_sequence_left(sequence);
    strat_sequence_remove(&replica->waiting, sequence);
    strat_sequence_free(sequence);
}

static bool is_decode(const StratSequence *sequence)
{
    return sequence->state == STRAT_SEQUENCE_DECODE;
}

int64_t strat_lane_blocks(const StratLane *lane, const StratSequence *sequence)
{
    if (is_decode(sequence))
        return strat_decodes_blocks(&lane->decodes, sequence, lane->decoding ? 1 : 0);
    return strat_replica_still_blocks(lane->replica, sequence);
}

int64_t strat_replica_still_blocks(const StratReplica *replica, const StratSequence *sequence)
{
    int64_t block_tokens = strat_kv_block_tokens(replica->kv);
    return MAX(strat_forks_rest(sequence, sequence->computed, block_tokens), sequence->reserved);
}

static int64_t page_blocks(const StratReplica *replica)
{
    return strat_kv_page_tokens(replica->kv) / strat_kv_block_tokens(replica->kv);
}

void strat_replica_release(StratReplica *replica, StratSequence *sequence, int64_t blocks)
{
    strat_kv_release(replica->kv, sequence->page, sequence->held,
                     blocks - sequence->held * page_blocks(replica));
    sequence->held = 0;
    sequence->reserved = 0;
}

void strat_replica_publish(StratReplica *replica, StratSequence *sequence)
{
    int64_t page_tokens = strat_kv_page_tokens(replica->kv);
    if (page_tokens == 0 || sequence->remote)
        return;
    int64_t full = MIN(sequence->computed / page_tokens, sequence->pages);
    for (; sequence->held < full; sequence->held++)
        strat_kv_publish(replica->kv, &sequence->page[sequence->held]);
}

int64_t strat_lane_need(const StratLane *lane)
{
    return lane->decodes.count > 0 ? strat_decodes_need(&lane->decodes, 1) : 0;
}

bool strat_lane_decode(StratLane *lane)
{
    g_assert(!lane->decoding);
    if (lane->decodes.count == 0)
        return true;
    if (!strat_kv_take(lane->replica->kv, strat_lane_need(lane)))
        return false;
    lane->decoding = true;
    return true;
}

/* Pages of @waiting that it could take over: whole ones, and a token is left to compute. */
static int64_t matched_pages(const StratReplica *replica, const StratSequence *waiting,
                             int64_t *idle)
{
    *idle = 0;
    int64_t page_tokens = strat_kv_page_tokens(replica->kv);
    if (page_tokens == 0 || waiting->remote)
        return 0;
    int64_t most = (strat_sequence_prompt(waiting) - 1) / page_tokens;
    return strat_kv_match(replica->kv, waiting->page, MIN(most, waiting->pages), idle);
}

/* Pages after the first @pages of @waiting that come from other tiers, in *@load_s. */
static int64_t tier_pages(const StratReplica *replica, const StratSequence *waiting, int64_t pages,
                          double *load_s)
{
    *load_s = 0.0;
    if (!replica->tiers || waiting->remote)
        return 0;
    int64_t most = (strat_sequence_prompt(waiting) - 1) / strat_kv_page_tokens(replica->kv);
    return strat_kv_tiers_match(replica->tiers, waiting->page + pages,
                                MIN(most, waiting->pages) - pages, load_s);
}

int64_t strat_replica_hit(const StratReplica *replica, const StratSequence *waiting)
{
    int64_t idle;
    double load_s;
    int64_t pages = matched_pages(replica, waiting, &idle);
    pages += tier_pages(replica, waiting, pages, &load_s);
    return pages * strat_kv_page_tokens(replica->kv);
}

bool strat_replica_takes_adapter(const StratReplica *replica, const StratSequence *waiting)
{
    return !replica->adapters || strat_adapters_fit(replica->adapters, waiting->adapter);
}

/* Blocks for @tokens in each row of @sequence beyond @pages of them. */
static int64_t own_blocks(const StratReplica *replica, const StratSequence *sequence,
                          int64_t tokens, int64_t pages)
{
    int64_t blocks = strat_forks_held(sequence, tokens, strat_kv_block_tokens(replica->kv));
    return MAX(blocks - pages * page_blocks(replica), 0);
}

int64_t strat_replica_price(const StratReplica *replica, const StratSequence *waiting,
                            int64_t tokens)
{
    int64_t idle;
    int64_t pages = matched_pages(replica, waiting, &idle);
    return own_blocks(replica, waiting, tokens, pages) + idle * page_blocks(replica);
}

int64_t strat_replica_free_blocks(const StratReplica *replica)
{
    return strat_kv_available(replica->kv);
}

void strat_lane_join(StratLane *lane, StratSequence *sequence, StratFine since)
{
    StratReplica *replica = lane->replica;
    sequence->steps = (int32_t)strat_speculation_steps(
        replica->guesses, replica->seed, sequence->id + SAMPLES_APART * sequence->sample,
        sequence->preemptions, sequence->output_tokens - sequence->produced);
    sequence->remote = false;
    strat_decodes_join(&lane->decodes, sequence);
    for (guint i = 0; i < lane->gap->len; i++) {
        StratGap *gap = &g_array_index(lane->gap, StratGap, i);
        if (gap->since != since || gap->stalls != sequence->stalls)
            continue;
        gap->count += strat_sequence_rows(sequence);
        return;
    }
    StratGap gap = {
        .since = since, .count = strat_sequence_rows(sequence), .stalls = sequence->stalls};
    g_array_append_val(lane->gap, gap);
}

void strat_lane_part(StratLane *lane, StratSequence *sequence)
{
    /* Those that came after the last iteration with decodes are still in a group of their own. */
    bool fresh = sequence->since == lane->decodes.at;
    for (guint i = 0; i < lane->gap->len; i++) {
        StratGap *gap = &g_array_index(lane->gap, StratGap, i);
        if (fresh && (gap->count == 0 || strat_fine_ns(gap->since) != sequence->last_token_ns))
            continue;
        sequence->last_token_ns = strat_fine_ns(gap->since);
        gap->count -= strat_sequence_rows(sequence);
        break;
    }
    sequence->stalls = sequence->stalls && fresh;
    /* Room for guesses that came to nothing is still its own; a group has no guesses. */
    int64_t blocks = strat_lane_blocks(lane, sequence);
    strat_decodes_leave(&lane->decodes, sequence);
    sequence->reserved = strat_sequence_is_group(sequence) ? 0 : (int32_t)blocks;
}

/* Holds @pages of the prefix of @sequence and takes the other blocks for @tokens. */
static void take_cache(StratReplica *replica, StratSequence *sequence, int64_t pages,
                       int64_t tokens)
{
    for (int64_t i = 0; i < pages; i++)
        strat_kv_hold(replica->kv, &sequence->page[i]);
    sequence->held = (int32_t)pages;
    bool taken = strat_kv_take(replica->kv, own_blocks(replica, sequence, tokens, pages));
    g_assert(taken);
}

void strat_lane_enlist(StratLane *lane, StratSequence *sequence)
{
    StratReplica *replica = lane->replica;
    strat_sequence_insert(&lane->running, sequence, NULL);
    replica->running += strat_sequence_rows(sequence);
    replica->groups += strat_sequence_is_group(sequence);
    sequence->order = replica->admissions++;
    if (replica->adapters && strat_adapters_hold(replica->adapters, sequence->adapter))
        lane->wait_s += replica->engine->adapter_load_s;
}

void strat_lane_unlist(StratLane *lane, StratSequence *sequence)
{
    strat_sequence_remove(&lane->running, sequence);
    lane->replica->running -= strat_sequence_rows(sequence);
    lane->replica->groups -= strat_sequence_is_group(sequence);
    if (lane->replica->adapters)
        strat_adapters_release(lane->replica->adapters, sequence->adapter);
}

bool strat_lane_admit(StratLane *lane, StratSequence *waiting, int64_t reserve_tokens)
{
    StratReplica *replica = lane->replica;
    int64_t idle;
    int64_t pages = matched_pages(replica, waiting, &idle);
    int64_t come = waiting->remote ? strat_sequence_prompt(waiting) - 1 : 0;
    bool rides = waiting->remote && (lane->decoding || lane->decodes.count == 0);
    double load_s;
    int64_t loaded = tier_pages(replica, waiting, pages, &load_s);
    int64_t hit = (pages + loaded) * strat_kv_page_tokens(replica->kv);
    int64_t tokens = MAX(reserve_tokens, come + (rides ? lane->decodes.width : 0));
    tokens = MAX(tokens, hit);
    if (waiting->remote && strat_sequence_is_group(waiting))
        tokens = come + (rides ? 1 : 0);
    if (own_blocks(replica, waiting, tokens, pages) + idle * page_blocks(replica) >
            strat_kv_available(replica->kv) ||
        !strat_replica_takes_adapter(replica, waiting))
        return false;
    replica->pending_tokens -= strat_sequence_left(waiting);
    strat_sequence_remove(&replica->waiting, waiting);
    strat_lane_enlist(lane, waiting);
    if (loaded > 0)
        strat_kv_tiers_load(replica->tiers, waiting->page + pages, loaded);
    lane->load_s += load_s;
    replica->tally->result->loaded_tokens += loaded * strat_kv_page_tokens(replica->kv);
    take_cache(replica, waiting, pages, tokens);
    waiting->reserved = (int32_t)strat_kv_blocks_for(replica->kv, reserve_tokens);
    if (waiting->forks)
        waiting->forks->begun = true;
    if (waiting->remote) {
        waiting->reserved = strat_sequence_is_group(waiting) ? 0 : waiting->reserved;
        waiting->computed = (int32_t)come;
        strat_lane_join(lane, waiting, strat_fine_from_ns(waiting->last_token_ns));
        lane->decoding = rides;
        return true;
    }
    waiting->computed = (int32_t)hit;
    strat_replica_publish(replica, waiting);
    waiting->state = STRAT_SEQUENCE_PROMPT;
    lane->prompts++;
    replica->still_tokens += waiting->computed;
    replica->pending_tokens += strat_sequence_left(waiting);
    lane->starts++;
    lane->start_tokens += strat_sequence_prompt(waiting);
    if (waiting->scheduled_ns < 0) {
        waiting->scheduled_ns = strat_fine_ns(lane->now);
        waiting->cached_tokens = waiting->computed;
    }
    return true;
}

StratSequence *strat_lane_first_prompt(const StratLane *lane)
{
    StratSequence *first = NULL;
    int64_t found = 0;
    for (StratSequence *s = lane->running.tail; s && found < lane->prompts; s = s->prev) {
        if (s->state != STRAT_SEQUENCE_PROMPT)
            continue;
        first = s;
        found++;
    }
    return first;
}

bool strat_lane_chunk(StratLane *lane, StratSequence *sequence, int64_t tokens)
{
    StratReplica *replica = lane->replica;
    g_assert(sequence->state == STRAT_SEQUENCE_PROMPT && tokens > 0);
    g_assert(tokens <= strat_sequence_left(sequence));
    StratChunk chunk = {.tokens = tokens, .past = sequence->computed};
    int64_t before = strat_lane_blocks(lane, sequence);
    int64_t after = strat_kv_blocks_for(replica->kv, chunk.past + tokens);
    if (after > before && !strat_kv_take(replica->kv, after - before))
        return false;
    sequence->computed += (int32_t)tokens;
    replica->still_tokens += tokens;
    replica->pending_tokens -= tokens;
    if (!replica->scheduler->late)
        strat_replica_publish(replica, sequence);
    g_array_append_val(lane->chunk, chunk);
    g_ptr_array_add(lane->chunk_of, sequence);
    return true;
}

const StratSequence *strat_lane_longest(StratLane *lane)
{
    StratDecodes *decodes = &lane->decodes;
    if (decodes->longest || decodes->count == 0)
        return decodes->longest;
    int64_t most = -1;
    for (StratSequence *s = lane->running.head; s; s = s->next) {
        if (!is_decode(s) || strat_decodes_tokens(decodes, s) <= most)
            continue;
        most = strat_decodes_tokens(decodes, s);
        decodes->longest = s;
    }
    return decodes->longest;
}

void strat_replica_free_still(StratReplica *replica, StratSequence *sequence)
{
    replica->still_tokens -= sequence->computed;
    strat_replica_release(replica, sequence, strat_replica_still_blocks(replica, sequence));
}

void strat_replica_forget(StratReplica *replica, StratSequence *sequence)
{
    g_assert(sequence->state == STRAT_SEQUENCE_LEAVING);
    replica->leaving_blocks -= strat_replica_still_blocks(replica, sequence);
    replica->leaving_pages -= sequence->held;
    strat_replica_free_still(replica, sequence);
    replica->outstanding--;
}

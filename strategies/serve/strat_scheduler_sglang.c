/*
 * SGLang 0.5.9, python/sglang/srt/managers/scheduler.py (_get_new_batch_prefill_raw(),
 * update_running_batch()), schedule_policy.py (PrefillAdder) and schedule_batch.py
 * (retract_decode()). An iteration is prompts or decodes; prompts go first. With
 *
 *     rem_total = free tokens - sum over decodes of min(outputs left, 4096) x new_token_ratio
 *     rem_chunk = chunked_prefill_size (max_tokens); without chunked_prefill max_prefill_tokens,
 *                 which only ends the batch
 *
 * the prompt under way goes first, then the queue in its order (strat_order.c): a request is let in
 * while its prompt to compute + min(outputs, 4096) < rem_total and fewer than max_sequences run;
 * what it takes, in whole pages, leaves rem_total and rem_chunk, and its outputs rem_total. One
 * that passes rem_chunk is cut to it and goes on in the next iteration. A request that finds no
 * room, or no place, marks the batch as full: until somebody leaves nobody is looked at.
 *
 * Requests whose LoRA adapter finds no slot are passed over.
 *
 * Only when no prompt goes do the decodes. When they find no room, sequences are retracted, to the
 * end of the queue: the one with the fewest outputs, then the longest prompt, until the others fit;
 * then
 *
 *     new_token_ratio = min(1, (outputs so far + 20 x sequences) / (all their outputs + 1))
 *
 * and with each iteration of decodes it decays again, from its start towards 0.14 of that in 600.
 *
 * A prompt under way for which other lanes leave no room starts again, where the engine would stop
 * with an error, and one that fills the cache alone is let in, which it refuses.
 *
 * The limit on outputs (max_new_tokens) is the request's length, as in a benchmark. Left out:
 * mixed chunks (off by default), the other admission rule of requests that ignore the end of text
 * where the radix cache is off, priority preemption, the prefill delayer.
 */
#include "strat_decide.h"
#include "strat_order.h"

/* Constants of the engine, with their names there. */
enum {
    CLIP_OUTPUTS = 4096, /* SGLANG_CLIP_MAX_NEW_TOKENS_ESTIMATION */
    RETRACT_STEPS = 20,  /* SGLANG_RETRACT_DECODE_STEPS */
    DECAY_STEPS = 600    /* SGLANG_NEW_TOKEN_RATIO_DECAY_STEPS */
};
static const double least_share = 0.14; /* SGLANG_MIN_NEW_TOKEN_RATIO_FACTOR */

/* The lane's notes. */
enum {
    RATIO,    /* new_token_ratio ... */
    RATIO_AT, /* ... when so many iterations of decodes were done */
    FULL,     /* sequences that ran when the batch was full, and one; 0: it is not */
    PROCESSED /* prompt tokens computed */
};

typedef struct Adder {
    StratLane *lane;
    double rem_total;
    int64_t rem_chunk;
    int64_t added;
} Adder;

static double ratio_of(StratLane *lane)
{
    double start = lane->replica->engine->new_token_ratio;
    double least = start * least_share;
    if (lane->note[RATIO] <= 0)
        lane->note[RATIO] = start;
    double steps = (double)lane->decodes.at - lane->note[RATIO_AT];
    return MAX(lane->note[RATIO] - steps * (start - least) / DECAY_STEPS, least);
}

static int64_t in_pages(const Adder *adder, int64_t tokens)
{
    const StratKv *kv = adder->lane->replica->kv;
    return strat_kv_blocks_for(kv, tokens) * strat_kv_block_tokens(kv);
}

static void take(Adder *adder, int64_t tokens, int64_t outputs)
{
    int64_t paged = in_pages(adder, tokens);
    adder->rem_total -= (double)(paged + outputs);
    adder->rem_chunk -= paged;
    adder->added++;
    adder->lane->note[PROCESSED] += (double)tokens;
}

static double free_tokens(const StratReplica *replica)
{
    return (double)(strat_replica_free_blocks(replica) * strat_kv_block_tokens(replica->kv));
}

/* Outputs that the decodes are still good for. */
static double promised(const StratLane *lane)
{
    double sum = 0;
    for (const StratSequence *at = lane->running.head; at; at = at->next)
        if (at->state == STRAT_SEQUENCE_DECODE)
            sum += (double)MIN(at->output_tokens - strat_decodes_produced(&lane->decodes, at),
                               CLIP_OUTPUTS);
    return sum;
}

/* Goes on with the prompt under way. True when tokens of it are left after this iteration. */
static bool add_chunked(Adder *adder)
{
    StratSequence *at = strat_lane_first_prompt(adder->lane);
    if (!at)
        return false;
    int64_t room = MIN(adder->rem_chunk, (int64_t)adder->rem_total);
    int64_t left = strat_sequence_left(at);
    int64_t tokens = MIN(left, room > 0 ? room : adder->rem_chunk);
    if (!strat_lane_chunk(adder->lane, at, tokens))
        return true;
    take(adder, tokens, tokens == left ? MIN(at->output_tokens, CLIP_OUTPUTS) : 0);
    return tokens < left;
}

typedef enum Verdict { GOES_ON, NO_ROOM, NO_BUDGET } Verdict;

static Verdict add(Adder *adder, StratSequence *waiting)
{
    StratLane *lane = adder->lane;
    StratReplica *replica = lane->replica;
    int64_t tokens = strat_decide_prompt(lane, waiting);
    int64_t outputs = MIN(waiting->output_tokens - waiting->produced, CLIP_OUTPUTS);
    int64_t prompt = strat_sequence_prompt(waiting);
    /* Idle pages of its prefix are free until it holds them. */
    int64_t held =
        strat_replica_price(replica, waiting, prompt) * strat_kv_block_tokens(replica->kv) -
        in_pages(adder, tokens);
    bool alone = replica->running == 0 && strat_decide_fits(lane, waiting, prompt);
    if ((double)(tokens + outputs + MAX(held, 0)) >= adder->rem_total && !alone)
        return NO_ROOM;
    bool chunked = replica->engine->chunked_prefill;
    int64_t paged = in_pages(adder, tokens);
    if (!chunked && paged >= adder->rem_chunk && adder->added > 0)
        return NO_BUDGET;
    int64_t first = tokens;
    if (chunked && paged > adder->rem_chunk) {
        int64_t page = MIN(strat_kv_block_tokens(replica->kv), replica->max_tokens);
        first = MIN(adder->rem_chunk / page * page, tokens);
        if (first <= 0)
            return NO_BUDGET;
    }
    if (!strat_lane_admit(lane, waiting, 0))
        return NO_ROOM;
    if (first > 0) {
        bool room = strat_lane_chunk(lane, waiting, first);
        g_assert(room);
    }
    adder->rem_total -= (double)MAX(held, 0);
    take(adder, first, first < tokens ? 0 : MIN(waiting->output_tokens, CLIP_OUTPUTS));
    if (adder->rem_total <= 0)
        return NO_ROOM;
    return adder->rem_chunk <= 0 || first < tokens ? NO_BUDGET : GOES_ON;
}

static void add_waiting(Adder *adder)
{
    StratLane *lane = adder->lane;
    StratReplica *replica = lane->replica;
    for (StratSequence *at = replica->waiting.head; at && lane->note[FULL] <= 0;) {
        StratSequence *next = at->next;
        if (!strat_replica_takes_adapter(replica, at)) {
            at = next;
            continue;
        }
        Verdict verdict = NO_ROOM;
        if (replica->running < replica->max_sequences)
            verdict = add(adder, at);
        if (verdict == NO_ROOM)
            lane->note[FULL] = 1 + (double)lane->running.length;
        if (verdict != GOES_ON)
            return;
        at = next;
    }
}

static void sort_queue(StratLane *lane)
{
    StratReplica *replica = lane->replica;
    double processed = 1 + lane->note[PROCESSED];
    if (g_strcmp0(replica->engine->order, "hrrn") == 0)
        for (StratSequence *at = replica->waiting.head; at; at = at->next)
            at->note = at->note > 0 ? at->note : processed;
    if (lane->note[FULL] <= 0)
        strat_order_sort(replica, processed);
}

static bool run_prompts(StratLane *lane)
{
    StratReplica *replica = lane->replica;
    sort_queue(lane);
    Adder adder = {
        .lane = lane,
        .rem_total = free_tokens(replica) - promised(lane) * ratio_of(lane),
        .rem_chunk = replica->max_tokens,
    };
    if (!add_chunked(&adder))
        add_waiting(&adder);
    return lane->chunk->len > 0;
}

/* Of the decodes the one with the fewest outputs, then the longest prompt, then the last. */
static StratSequence *worst(const StratLane *lane)
{
    StratSequence *found = NULL;
    int64_t fewest = 0;
    for (StratSequence *at = lane->running.head; at; at = at->next) {
        if (at->state != STRAT_SEQUENCE_DECODE)
            continue;
        int64_t outputs = strat_decodes_produced(&lane->decodes, at);
        if (found &&
            (outputs > fewest || (outputs == fewest && at->input_tokens < found->input_tokens)))
            continue;
        found = at;
        fewest = outputs;
    }
    return found;
}

static void retract(StratLane *lane)
{
    StratReplica *replica = lane->replica;
    do {
        StratSequence *sequence = worst(lane);
        if (lane->running.length == 1 && !strat_lane_victim(lane))
            break; /* another lane has to make room */
        strat_lane_preempt(lane, sequence);
        if (strat_replica_is_by_priority(replica))
            continue;
        strat_sequence_remove(&replica->waiting, sequence);
        strat_sequence_insert(&replica->waiting, sequence, NULL);
    } while (!strat_lane_decode(lane));
    double done = 0;
    double all = 0;
    for (const StratSequence *at = lane->running.head; at; at = at->next) {
        if (at->state != STRAT_SEQUENCE_DECODE)
            continue;
        done += (double)strat_decodes_produced(&lane->decodes, at) + RETRACT_STEPS;
        all += (double)at->output_tokens;
    }
    lane->note[RATIO] = MIN(done / (all + 1), 1.0);
    lane->note[RATIO_AT] = (double)(lane->decodes.at + (lane->decoding ? 1 : 0));
    lane->note[FULL] = 0;
}

/* Runs prompts, or decodes where there are none. True when sequences were retracted. */
static bool run(StratLane *lane)
{
    if (run_prompts(lane) || lane->decoding || strat_lane_decode(lane))
        return false;
    retract(lane);
    return true;
}

StratDecision strat_scheduler_sglang(StratLane *lane)
{
    if (lane->running.length == 0 || (double)lane->running.length < lane->note[FULL] - 1)
        lane->note[FULL] = 0;
    bool retracted = run(lane);
    StratSequence *stuck = strat_lane_first_prompt(lane);
    if (stuck && !lane->decoding && lane->chunk->len == 0) {
        strat_lane_preempt(lane, stuck);
        lane->note[FULL] = 0;
        retracted = run(lane);
    }
    bool full = lane->note[FULL] > 0;
    bool settled = full || lane->replica->waiting.length == 0;
    return (StratDecision){
        .repeats = lane->decoding && !retracted && settled && lane->prompts == 0,
        .deaf = full,
    };
}

/*
 * Triton's dynamic batcher, src/dynamic_batch_scheduler.cc of the repository
 * triton-inference-server/core, commit 01ea7d9, GetDynamicBatch(), in front of a model that takes a
 * batch and gives it back when all of it is done (FasterTransformer's backend): nobody joins, and
 * memory for prompt and output is reserved from the start. When the model is free,
 *
 *   - the largest preferred size that the queue can fill goes at once, unless somebody has waited
 *     longer than max_queue_delay; more than the largest preferred size only then;
 *   - whoever is there goes, up to max_batch_size, when the oldest has waited so long, when they
 *     are as many as the largest preferred size, or when no delay is set (the default);
 *   - otherwise the batcher waits until the oldest has.
 *
 * Without preferred sizes max_batch_size is the one (Triton sets it so when it reads a model's
 * configuration). Those for whom the cache has no room stay in the queue.
 *
 * Left out: requests of several rows, shape classes, priority levels and time-outs of the queue, a
 * batch that grows while its model is busy.
 */
#include "strat_decide.h"

static bool prefers(const StratEngine *engine, int64_t size)
{
    for (size_t i = 0; i < STRAT_PREFERRED; i++)
        if (size > 0 && engine->preferred_sequences[i] == size)
            return true;
    return engine->preferred_sequences[0] == 0 && size == engine->max_sequences;
}

static int64_t largest(const StratEngine *engine)
{
    int64_t most = 0;
    for (size_t i = 0; i < STRAT_PREFERRED; i++)
        most = MAX(most, engine->preferred_sequences[i]);
    return most > 0 ? most : engine->max_sequences;
}

/* The largest preferred size that @queued can fill; when none fits and they are more than the
 * largest, as many as there are before it is passed; 0 otherwise. */
static int64_t best_size(const StratEngine *engine, int64_t queued)
{
    int64_t best = 0;
    for (int64_t pending = 0; pending < MIN(queued, engine->max_sequences); pending++) {
        if (pending > 0 && pending + 1 > largest(engine) && best == 0)
            best = pending;
        if (prefers(engine, pending + 1))
            best = pending + 1;
    }
    return best;
}

/* How many go; 0: wait, until *@wake. */
static int64_t batch_size(const StratLane *lane, SimTime *wake)
{
    const StratReplica *replica = lane->replica;
    const StratEngine *engine = replica->engine;
    int64_t queued = replica->waiting.length;
    int64_t pending = MIN(queued, replica->max_sequences);
    if (pending == 0)
        return 0;
    SimTime oldest = replica->waiting.head->arrival_ns;
    for (const StratSequence *at = replica->waiting.head; at; at = at->next)
        oldest = MIN(oldest, at->arrival_ns);
    SimTime due = oldest + strat_fine_ns(strat_fine_from_seconds(engine->max_queue_delay_s));
    bool delayed = engine->max_queue_delay_s > 0;
    bool exceeded = delayed && strat_fine_ns(lane->now) >= due;
    int64_t best = best_size(engine, queued);
    if (best > 0 && !exceeded)
        return best;
    if (exceeded || !delayed || queued > replica->max_sequences || pending >= largest(engine))
        return pending;
    *wake = due;
    return 0;
}

StratDecision strat_scheduler_triton(StratLane *lane)
{
    StratDecision decision = {0};
    if (lane->running.length == 0) {
        int64_t size = batch_size(lane, &decision.wake_ns);
        for (int64_t i = 0; i < size; i++) {
            StratSequence *head = lane->replica->waiting.head;
            int64_t tokens = strat_decide_prompt(lane, head);
            if (!strat_lane_admit(lane, head, strat_decide_whole(lane, head)))
                break;
            if (tokens > 0)
                strat_lane_chunk(lane, head, tokens);
        }
        if (lane->chunk->len > 0 || lane->running.length == 0)
            return decision;
    }
    strat_decide_decodes(lane, false);
    return (StratDecision){.repeats = true, .deaf = true};
}

/*
 * A replica dies in the middle of iterations. A run of k equal ones in closed form is cut where it
 * is: the d that are over by then count, the next is lost, so that runs summed up and runs one by
 * one leave the same behind. Everybody who ran is preempted as by a scheduler, which gives blocks
 * and shared pages back and brings each sequence up to date; then nobody holds a block, or the
 * cache was unsound.
 *
 * An expert group that loses some ranks of attention keeps the caches on the others: a sequence is
 * on rank (id mod ranks). Its iteration breaks off, decodes of it are computed again as they are,
 * prompts of it start again (their chunk may be half written).
 */
#include "strat_salvage.h"

#include "strat_lane.h"
#include "strat_replica_private.h"
#include "strat_tally.h"

/* Breaks off what @lane does at @now; iterations that are over count. True when the one under way
 * was decided with what is still in lane->chunk. */
static bool cut(StratLane *lane, StratFine now, StratSalvage *salvage)
{
    if (!lane->runs)
        return false;
    int64_t done = MIN(strat_lane_done(lane, now), lane->iterations);
    StratFine begun = lane->now;
    if (done > 0) {
        lane->iterations = done;
        lane->end = begun = lane->now + strat_stretch_time(&lane->stretch, done);
        strat_lane_end(lane);
        if (now > begun && strat_lane_decode(lane)) /* the next had its blocks */
            strat_replica_note_peak(lane->replica);
    }
    lane->runs = false;
    salvage->cut_s += lane->replica->gpus * strat_fine_seconds(now - begun);
    return done == 0;
}

/* The sequences that have a chunk in the iteration of @lane that broke off; it has none after. */
static GPtrArray *drop_chunks(StratLane *lane, bool broke, StratSalvage *salvage)
{
    GPtrArray *prompts = g_ptr_array_new();
    for (guint i = 0; i < lane->chunk->len && broke; i++) {
        salvage->tokens -= g_array_index(lane->chunk, StratChunk, i).tokens; /* not there yet */
        g_ptr_array_add(prompts, lane->chunk_of->pdata[i]);
    }
    g_array_set_size(lane->chunk, 0);
    g_ptr_array_set_size(lane->chunk_of, 0);
    return prompts;
}

static int64_t cached(const StratLane *lane, const StratSequence *sequence)
{
    return sequence->state == STRAT_SEQUENCE_DECODE ? strat_decodes_tokens(&lane->decodes, sequence)
                                                    : sequence->computed;
}

/* As by a scheduler, but it is nobody's decision. */
static void preempt(StratLane *lane, StratSequence *sequence, bool keeps, StratSalvage *salvage)
{
    bool decodes = sequence->state == STRAT_SEQUENCE_DECODE;
    salvage->tokens += cached(lane, sequence);
    strat_lane_preempt(lane, sequence);
    sequence->preemptions--;
    lane->replica->tally->result->preemptions--;
    sequence->remote = keeps && decodes;
}

/* The lane whose last sequence was admitted last; NULL: nobody runs. */
static StratLane *latest(StratReplica *replica)
{
    StratLane *found = NULL;
    for (size_t i = 0; i < replica->lanes; i++) {
        StratLane *lane = &replica->lane[i];
        if (lane->running.tail &&
            (!found || lane->running.tail->order > found->running.tail->order))
            found = lane;
    }
    return found;
}

static void free_padded(StratLane *lane)
{
    while (lane->padded.head) {
        StratSequence *sequence = lane->padded.head;
        strat_sequence_remove(&lane->padded, sequence);
        strat_replica_free_still(lane->replica, sequence);
        strat_sequence_free(sequence);
    }
}

/* Puts the first of @from at the end of @salvage. */
static void take(StratSequenceList *from, StratSalvage *salvage)
{
    StratSequence *sequence = from->head;
    strat_sequence_remove(from, sequence);
    sequence->state = STRAT_SEQUENCE_WAITING;
    sequence->computed = 0;
    strat_sequence_insert(&salvage->sequences, sequence, NULL);
}

void strat_salvage_all(StratReplica *replica, StratFine now, bool keeps, StratSalvage *salvage)
{
    *salvage = (StratSalvage){0};
    for (StratSequence *s = replica->waiting.head; s; s = s->next) {
        salvage->tokens += s->remote ? strat_sequence_prompt(s) - 1 : 0;
        s->remote = s->remote && keeps;
    }
    for (size_t i = 0; i < replica->lanes; i++) {
        StratLane *lane = &replica->lane[i];
        bool broke = cut(lane, now, salvage);
        g_ptr_array_unref(drop_chunks(lane, broke, salvage));
        free_padded(lane);
    }
    for (StratLane *lane; (lane = latest(replica));)
        preempt(lane, lane->running.tail, keeps, salvage);
    while (replica->swapped.head) {
        salvage->tokens += replica->swapped.head->computed;
        take(&replica->swapped, salvage);
    }
    while (replica->waiting.head)
        take(&replica->waiting, salvage);
}

/* What of @lane is on the ranks that are gone, or had a chunk, waits again. */
static void clear_ranks(StratLane *lane, StratFine now, int64_t ranks, int64_t first, int64_t lost,
                        StratSalvage *salvage)
{
    bool broke = cut(lane, now, salvage);
    g_autoptr(GPtrArray) prompts = drop_chunks(lane, broke, salvage);
    for (StratSequence *s = lane->running.tail, *prev; s; s = prev) {
        int64_t rank = s->id % ranks;
        prev = s->prev;
        if ((rank >= first && rank < first + lost) || g_ptr_array_find(prompts, s, NULL))
            preempt(lane, s, false, salvage);
    }
    if (lane->decoding)
        strat_kv_give(lane->replica->kv, strat_lane_need(lane));
    lane->decoding = false;
}

int64_t strat_salvage_ranks(StratReplica *replica, StratFine now, int64_t ranks, int64_t first,
                            int64_t lost, int64_t blocks, StratSalvage *salvage)
{
    *salvage = (StratSalvage){0};
    for (size_t i = 0; i < replica->lanes; i++)
        clear_ranks(&replica->lane[i], now, ranks, first, lost, salvage);
    for (StratLane *lane; strat_kv_available(replica->kv) < blocks && (lane = latest(replica));)
        preempt(lane, lane->running.tail, false, salvage);
    blocks = MIN(blocks, strat_kv_available(replica->kv));
    bool taken = strat_kv_take(replica->kv, blocks);
    g_assert(taken);
    return blocks;
}

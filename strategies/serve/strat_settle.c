/*
 * The end of an iteration, or of a run of equal ones: tokens are sampled, sequences finish, prompts
 * become decodes. The gap between two tokens of a sequence is the time between the ends of the
 * iterations that gave them, whatever ran in between; sequences that had their last token together
 * are one group, and after an iteration of decodes all of them are.
 */
#include "strat_forks.h"
#include "strat_replica_private.h"
#include "strat_scheduler.h"
#include "strat_tally.h"

/* The time since those that decode had their last token, for each of the iterations. */
static void note_gaps(StratLane *lane, StratFine now)
{
    StratReplica *replica = lane->replica;
    const StratStretch *stretch = &lane->stretch;
    StratFine first = stretch->count > 0 ? lane->now + stretch->first : now;
    for (guint i = 0; i < lane->gap->len; i++) {
        const StratGap *gap = &g_array_index(lane->gap, StratGap, i);
        strat_tally_gap(replica->tally, first - gap->since, gap->count);
        if (gap->stalls)
            strat_tally_stall(replica->tally, first - gap->since, gap->count);
    }
    if (lane->iterations > 1 && replica->tally->measuring)
        strat_digest_add_series(
            replica->tally->result->itl_s, strat_fine_seconds(stretch->first + stretch->step),
            strat_fine_seconds(stretch->step), lane->iterations - 1, lane->decodes.count);
    g_array_set_size(lane->gap, 1);
    g_array_index(lane->gap, StratGap, 0) = (StratGap){now, lane->decodes.count, false};
}

static void finish(StratLane *lane, StratSequence *sequence, StratFine now)
{
    StratReplica *replica = lane->replica;
    sequence->last_token_ns = strat_fine_ns(now);
    strat_lane_unlist(lane, sequence);
    replica->outstanding--;
    replica->still_tokens += sequence->computed;
    replica->tally->end = MAX(replica->tally->end, now);
    strat_replica_publish(replica, sequence);
    if (strat_forks_finish(sequence)) {
        strat_tally_finished(replica->tally, sequence, replica->index);
        replica->events.finished(replica->events.ctx, replica, sequence, now);
    }
    if (replica->scheduler->holds) {
        sequence->state = STRAT_SEQUENCE_PADDING;
        strat_sequence_insert(&lane->padded, sequence, NULL);
        return;
    }
    strat_replica_free_still(replica, sequence);
    strat_sequence_free(sequence);
}

/* Whether @sequence, which neither waits nor decodes, has outputs to come. Samples of a group that
 * have all theirs leave, with their blocks. */
static bool goes_on(StratReplica *replica, StratSequence *sequence)
{
    if (!strat_sequence_is_group(sequence))
        return sequence->produced < sequence->output_tokens;
    int64_t before = strat_replica_still_blocks(replica, sequence);
    int32_t rows;
    if (!strat_forks_go_on(sequence, &rows))
        return false;
    replica->running -= rows;
    strat_kv_give(replica->kv, before - strat_replica_still_blocks(replica, sequence));
    return true;
}

/* The first token of @sequence, at @now; of several samples the first of any is that of the
 * request. */
static void note_first(StratReplica *replica, StratSequence *sequence, StratFine now)
{
    StratForks *forks = sequence->forks;
    sequence->first_token_ns = strat_fine_ns(now);
    if (forks && forks->first_token_ns >= 0)
        return;
    if (forks)
        forks->first_token_ns = sequence->first_token_ns;
    strat_tally_first_token(replica->tally, sequence);
}

/* The prompt of @sequence is complete: it has sampled a token, a group one in each row. */
static void sample(StratLane *lane, StratSequence *sequence, StratFine now)
{
    StratReplica *replica = lane->replica;
    replica->tally->made += strat_sequence_rows(sequence) << STRAT_TOKEN_BITS;
    replica->still_tokens -= sequence->computed;
    lane->prompts--;
    if (sequence->first_token_ns < 0) {
        note_first(replica, sequence, now);
    } else {
        StratFine gap = now - strat_fine_from_ns(sequence->last_token_ns);
        strat_tally_gap(replica->tally, gap, 1);
        if (sequence->stalls)
            strat_tally_stall(replica->tally, gap, 1);
    }
    sequence->stalls = false;
    sequence->last_token_ns = strat_fine_ns(now);
    sequence->produced++;
    if (strat_sequence_is_group(sequence) && sequence->produced == 1)
        strat_forks_begin(sequence, replica->seed, strat_kv_block_tokens(replica->kv));
    if (!goes_on(replica, sequence)) {
        sequence->state = STRAT_SEQUENCE_LEAVING;
        finish(lane, sequence, now);
    } else if (replica->events.leaves) {
        sequence->state = STRAT_SEQUENCE_LEAVING;
        replica->still_tokens += sequence->computed;
        replica->leaving_blocks += strat_replica_still_blocks(replica, sequence);
        replica->leaving_pages += sequence->held;
        strat_lane_unlist(lane, sequence);
        replica->events.leaves(replica->events.ctx, replica, sequence, now);
    } else {
        strat_lane_join(lane, sequence, now);
    }
}

/* Blocks for the iterations after the first. */
static void grow(const StratLane *lane)
{
    int64_t need = 0;
    for (int64_t i = 2; i <= lane->iterations; i++)
        need += strat_decodes_need(&lane->decodes, i);
    bool taken = strat_kv_take(lane->replica->kv, need);
    g_assert(taken);
}

/* The same where beams are dropped after each iteration: what they leave goes first. What they
 * leave after the last one is returned. */
static int64_t turn_over(const StratLane *lane)
{
    StratReplica *replica = lane->replica;
    const StratDecodes *decodes = &lane->decodes;
    for (int64_t i = 2; i <= lane->iterations; i++) {
        strat_kv_give(replica->kv, strat_decodes_freed(decodes, i - 1));
        bool taken = strat_kv_take(replica->kv, strat_decodes_need(decodes, i));
        g_assert(taken);
        strat_replica_note_peak(replica);
    }
    return strat_decodes_freed(decodes, lane->iterations);
}

/* How many blocks are to be freed when the room was looked at. */
static int64_t settle_decodes(StratLane *lane, StratFine now)
{
    StratReplica *replica = lane->replica;
    StratDecodes *decodes = &lane->decodes;
    int64_t freed = 0;
    if (decodes->searches > 0)
        freed = turn_over(lane);
    else
        grow(lane);
    note_gaps(lane, now);
    replica->tally->made += lane->iterations * decodes->growth;
    replica->tally->result->computed_tokens += lane->iterations * decodes->count;
    strat_decodes_advance(decodes, lane->iterations);
    return freed;
}

static void settle_chunks(StratLane *lane, StratFine now)
{
    StratTally *tally = lane->replica->tally;
    for (guint i = 0; i < lane->chunk->len; i++) {
        int64_t tokens = g_array_index(lane->chunk, StratChunk, i).tokens;
        tally->prompt_tokens += tokens;
        tally->result->computed_tokens += tokens;
        StratSequence *sequence = g_ptr_array_index(lane->chunk_of, i);
        strat_replica_publish(lane->replica, sequence);
        if (strat_sequence_left(sequence) == 0)
            sample(lane, sequence, now);
    }
}

void strat_lane_settle(StratLane *lane, StratFine now)
{
    StratReplica *replica = lane->replica;
    int64_t freed = lane->decoding ? settle_decodes(lane, now) : 0;
    lane->over = lane->decoding;
    lane->decoding = false;
    strat_replica_look(replica, now);
    lane->over = false;
    strat_kv_give(replica->kv, freed);
    for (StratSequence *s; (s = strat_decodes_finished(&lane->decodes));) {
        strat_lane_part(lane, s);
        if (goes_on(replica, s))
            strat_lane_join(lane, s, now);
        else
            finish(lane, s, now);
    }
    settle_chunks(lane, now);
    while (!lane->running.head && lane->padded.head) {
        StratSequence *sequence = lane->padded.head;
        strat_sequence_remove(&lane->padded, sequence);
        strat_replica_free_still(replica, sequence);
        strat_sequence_free(sequence);
    }
}

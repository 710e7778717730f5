/*
 * The end of an iteration, or of a run of equal ones: tokens are sampled, sequences finish, prompts
 * become decodes. The gap between two tokens of a sequence is the time between the ends of the
 * iterations that gave them, whatever ran in between; sequences that had their last token together
 * are one group, and after an iteration of decodes all of them are.
 *
 * The room in the cache is looked at before anything is freed and after the next decision, and is a
 * straight line in between (a run of decodes fills it so).
 */
#include "strat_replica_private.h"
#include "strat_scheduler.h"
#include "strat_tally.h"

#include <math.h>

void strat_replica_look(StratReplica *replica, StratFine now)
{
    StratTally *tally = replica->tally;
    int64_t all = strat_kv_blocks(replica->kv);
    double blocks = (double)(all - strat_kv_available(replica->kv));
    double tokens = (double)strat_replica_tokens(replica);
    double passed_s = strat_fine_seconds(now - replica->seen_at);
    double block_tokens = (double)strat_kv_block_tokens(replica->kv);
    tally->block_s += passed_s * block_tokens * (blocks + replica->seen_blocks) / 2.0;
    tally->token_s += passed_s * (tokens + replica->seen_tokens) / 2.0;
    replica->seen_at = now;
    replica->seen_blocks = blocks;
    replica->seen_tokens = tokens;
    tally->result->peak_kv_fraction =
        fmax(tally->result->peak_kv_fraction, all > 0 ? blocks / (double)all : 0.0);
}

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
    strat_tally_finished(replica->tally, sequence, replica->index);
    replica->events.finished(replica->events.ctx, replica, sequence, now);
    if (replica->scheduler->holds) {
        sequence->state = STRAT_SEQUENCE_PADDING;
        strat_sequence_insert(&lane->padded, sequence, NULL);
        return;
    }
    strat_replica_free_still(replica, sequence);
    strat_sequence_free(sequence);
}

/* The prompt of @sequence is complete: it has sampled a token. */
static void sample(StratLane *lane, StratSequence *sequence, StratFine now)
{
    StratReplica *replica = lane->replica;
    replica->tally->made += INT64_C(1) << STRAT_TOKEN_BITS;
    replica->still_tokens -= sequence->computed;
    lane->prompts--;
    if (sequence->first_token_ns < 0) {
        sequence->first_token_ns = strat_fine_ns(now);
        strat_tally_first_token(replica->tally, sequence);
    } else {
        StratFine gap = now - strat_fine_from_ns(sequence->last_token_ns);
        strat_tally_gap(replica->tally, gap, 1);
        if (sequence->stalls)
            strat_tally_stall(replica->tally, gap, 1);
    }
    sequence->stalls = false;
    sequence->last_token_ns = strat_fine_ns(now);
    sequence->produced++;
    if (sequence->produced == sequence->output_tokens) {
        sequence->state = STRAT_SEQUENCE_LEAVING;
        finish(lane, sequence, now);
    } else if (replica->events.leaves) {
        sequence->state = STRAT_SEQUENCE_LEAVING;
        replica->still_tokens += sequence->computed;
        strat_lane_unlist(lane, sequence);
        replica->events.leaves(replica->events.ctx, replica, sequence, now);
    } else {
        strat_lane_join(lane, sequence, now);
    }
}

static void settle_decodes(StratLane *lane, StratFine now)
{
    StratReplica *replica = lane->replica;
    StratDecodes *decodes = &lane->decodes;
    int64_t need = 0;
    for (int64_t i = 2; i <= lane->iterations; i++)
        need += strat_decodes_need(decodes, i);
    bool taken = strat_kv_take(replica->kv, need);
    g_assert(taken);
    note_gaps(lane, now);
    replica->tally->made += lane->iterations * decodes->growth;
    replica->tally->result->computed_tokens += lane->iterations * decodes->count;
    strat_decodes_advance(decodes, lane->iterations);
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
    if (lane->decoding)
        settle_decodes(lane, now);
    lane->decoding = false;
    strat_replica_look(replica, now);
    for (StratSequence *s; (s = strat_decodes_finished(&lane->decodes));) {
        strat_lane_part(lane, s);
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

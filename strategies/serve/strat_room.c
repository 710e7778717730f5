/*
 * How full the cache of a replica is, what sharing saves there, and whether all of it is accounted
 * for. The room is looked at before anything is freed and after the next decision, and is a
 * straight line in between (a run of decodes fills it so).
 *
 *     blocks without sharing = blocks in use + sum over groups and pages of (holders - 1) x blocks
 *
 * (the saving of Kwon 2023, section 6.3: blocks saved over blocks without sharing).
 */
#include "strat_forks.h"
#include "strat_replica_private.h"
#include "strat_schedule.h"
#include "strat_tally.h"

#include <math.h>

int64_t strat_replica_tokens(const StratReplica *replica)
{
    int64_t tokens = replica->still_tokens;
    for (size_t i = 0; i < replica->lanes; i++)
        tokens += replica->lane[i].decodes.sum >> STRAT_TOKEN_BITS;
    return tokens - strat_kv_shared_tokens(replica->kv) - strat_replica_shared(replica).tokens;
}

StratShared strat_replica_shared(const StratReplica *replica)
{
    StratShared sum = {0};
    for (size_t i = 0; replica->groups > 0 && i < replica->lanes; i++) {
        const StratLane *lane = &replica->lane[i];
        for (const StratSequence *s = lane->running.head; s; s = s->next) {
            if (s->twins == 0 || s->state != STRAT_SEQUENCE_DECODE)
                continue;
            StratShared of = strat_decodes_shared(&lane->decodes, s, lane->decoding,
                                                  lane->decoding || lane->over);
            sum.blocks += of.blocks;
            sum.tokens += of.tokens;
        }
    }
    return sum;
}

void strat_replica_note_peak(StratReplica *replica)
{
    double all = (double)strat_kv_blocks(replica->kv);
    double blocks = all - (double)strat_kv_available(replica->kv);
    double *peak = &replica->tally->result->peak_kv_fraction;
    *peak = fmax(*peak, all > 0.0 ? blocks / all : 0.0);
}

void strat_replica_look(StratReplica *replica, StratFine now)
{
    StratTally *tally = replica->tally;
    int64_t all = strat_kv_blocks(replica->kv);
    double blocks = (double)(all - strat_kv_available(replica->kv));
    double tokens = (double)strat_replica_tokens(replica);
    double saved =
        (double)(strat_replica_shared(replica).blocks + strat_kv_shared_blocks(replica->kv));
    double passed_s = strat_fine_seconds(now - replica->seen_at);
    double block_tokens = (double)strat_kv_block_tokens(replica->kv);
    tally->block_s += passed_s * block_tokens * (blocks + replica->seen_blocks) / 2.0;
    tally->token_s += passed_s * (tokens + replica->seen_tokens) / 2.0;
    tally->saved_s += passed_s * block_tokens * (saved + replica->seen_saved) / 2.0;
    replica->seen_at = now;
    replica->seen_blocks = blocks;
    replica->seen_tokens = tokens;
    replica->seen_saved = saved;
    strat_replica_note_peak(replica);
}

/* Adds what the sequences of @list have, as seen from @lane. */
static void add_owned(const StratLane *lane, const StratSequenceList *list, int64_t *blocks,
                      int64_t *pages)
{
    for (const StratSequence *s = list->head; s; s = s->next) {
        *blocks += strat_lane_blocks(lane, s);
        *pages += s->held;
    }
}

bool strat_replica_is_sound(const StratReplica *replica, GError **error)
{
    if (!strat_kv_is_sound(replica->kv, error))
        return false;
    int64_t blocks = replica->leaving_blocks;
    int64_t pages = replica->leaving_pages;
    for (size_t i = 0; i < replica->lanes; i++) {
        add_owned(&replica->lane[i], &replica->lane[i].running, &blocks, &pages);
        add_owned(&replica->lane[i], &replica->lane[i].padded, &blocks, &pages);
    }
    if (strat_kv_is_owned(replica->kv, blocks, pages))
        return true;
    g_set_error(error, STRAT_ERROR, STRAT_ERROR_NO_FIT,
                "KV cache: the sequences have %" G_GINT64_FORMAT
                " blocks and hold %" G_GINT64_FORMAT " pages of them, which is not what is taken",
                blocks, pages);
    return false;
}

/** What a run of serving counts as it goes: tokens, iterations, latencies, GPU-seconds. */
#ifndef STRAT_TALLY_H
#define STRAT_TALLY_H

#include "strat_fine.h"
#include "strat_sequence.h"
#include "strat_serve.h"

typedef struct StratTally {
    StratServeResult *result; /* being filled */
    int64_t warm_up;          /* requests with smaller ids are not measured */
    bool measuring;           /* gaps between tokens count */
    double slo_ttft_s, slo_tpot_s, slo_e2e_s;
    StratFine end;         /* last token */
    int64_t prompt_tokens; /* computed, cached ones not */
    int64_t made;          /* output tokens, in 2^-STRAT_TOKEN_BITS */
    double first_token_s;  /* sum of TTFT, of all requests */
    int64_t first_tokens;
    double block_s, token_s; /* tokens' room in held blocks, and tokens in it, times seconds */
    double saved_s; /* room that there would be beside it if nothing were shared, likewise */
    /* Queue length at arrivals, thinned out by halves. */
    GArray *queue; /* of StratQueuePoint */
    int64_t arrivals, stride;
} StratTally;

typedef struct StratQueuePoint {
    double at_s, waiting;
} StratQueuePoint;

void strat_tally_init(StratTally *tally, const StratServeSpec *spec);
void strat_tally_clear(StratTally *tally);

/** Whether the length of the queue counts at the next arrival. */
static inline bool strat_tally_notes_queue(const StratTally *tally)
{
    return tally->arrivals % tally->stride == 0;
}

/** A request came while @waiting others waited. */
void strat_tally_arrived(StratTally *tally, const StratRequest *request, int64_t waiting);

/** @count tokens came @gap after the ones before them. */
void strat_tally_gap(StratTally *tally, StratFine gap, int64_t count);

/** @count requests went @gap without a token because a replica was not there. */
void strat_tally_stall(StratTally *tally, StratFine gap, int64_t count);

/** The cache of request @id has come, @took after its prompt was complete. */
void strat_tally_moved(StratTally *tally, int64_t id, StratFine took);

/** @sequence has sampled its first token. */
void strat_tally_first_token(StratTally *tally, const StratSequence *sequence);

/** @sequence has sampled its last token on @replica. */
void strat_tally_finished(StratTally *tally, const StratSequence *sequence, int32_t replica);

/** Fills what follows from all the rest: the queue's slope, shares, what was idle. */
void strat_tally_close(StratTally *tally);

#endif

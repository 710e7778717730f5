/** Generated traffic: arrivals, lengths, conversations, all seeded. */
#ifndef STRAT_TRAFFIC_H
#define STRAT_TRAFFIC_H

#include "strat_request.h"
#include "strat_traffic_arrivals.h"
#include "strat_traffic_length.h"

/** How long a user waits before going on. */
typedef struct StratThink {
    double mean_s;
    bool exponential; /* else always the mean */
} StratThink;

/** What is asked. All lists are borrowed. */
typedef struct StratTraffic {
    StratArrivals arrivals; /* of requests; of conversations where there are any */
    StratThink think;       /* closed loop: from an answer to the same user's next start */
    int64_t requests;       /* ends after so many; 0: no such end */
    double duration_s;      /* nothing arrives at or after it; 0: no such end */
    StratLength input;      /* of a prompt; in a conversation of what a turn adds to it */
    StratLength output;
    bool forks;               /* requests ask for several samples: */
    StratLength samples;      /* so many, each with an output drawn for it */
    int64_t beams;            /* width of a beam search instead; 0: none */
    double beam_turnover;     /* as strat_beams_new() takes it */
    bool sessions;            /* requests are turns of conversations */
    StratLength turns;        /* of a conversation */
    StratThink turn_think;    /* from an answer to the next turn */
    int64_t system_tokens;    /* of a prompt that a share of the conversations starts with */
    double shared_fraction;   /* that share; the rest has no system prompt */
    int64_t max_context;      /* a conversation ends before a turn (with its output) that would be
                                 longer; 0: no such end */
    int64_t page_tokens;      /* of the pages that conversations hash, above 0 */
    const double *priorities; /* running sums of the weights of priority 0, 1, ... */
    size_t priority_count;    /* 0: all have priority 0 */
    const double *adapters;   /* the same of LoRA adapters */
    size_t adapter_count;     /* 0: none */
} StratTraffic;

/** Requests by @traffic, which is borrowed and sound (rates above 0 where the process has one). In
 *  memory are only the conversations under way and the users who think. What the streams of @seed
 *  give a request depends on its id alone, and a turn on its conversation's number and its own, so
 *  neither another length distribution nor another engine changes what else is drawn. Free with
 *  strat_source_free(). */
StratSource *strat_traffic_new(const StratTraffic *traffic, uint64_t seed);

/** Fills @hash with the chained hashes of the first @pages pages of the text of conversation
 *  @session, whose pages of the first @shared tokens are those of every such conversation. */
void strat_traffic_hash_pages(uint64_t *hash, size_t pages, int64_t page_tokens, int64_t session,
                              int64_t shared);

#endif

/** What a serving deployment is asked, and who asks: requests and the sources they come from. */
#ifndef STRAT_REQUEST_H
#define STRAT_REQUEST_H

#include "sim_time.h"

#include <glib.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One request. */
typedef struct StratRequest {
    int64_t id; /* 0, 1, ... in order of arrival */
    SimTime arrival_ns;
    int64_t input_tokens;         /* of the prompt, at least 1 */
    int64_t output_tokens;        /* at least 1: the first, which ends the prefill, counts */
    int64_t samples;              /* answers to the one prompt; 0 and 1: one */
    const int64_t *sample_output; /* tokens of each, output_tokens the most of them; NULL: all have
                                     output_tokens. Borrowed from the source until it is taken */
    int64_t beams;                /* sequences of a beam search, each of output_tokens, instead of
                                     samples; 0 and 1: none */
    double beam_turnover;         /* as strat_beams_new() takes it */
    /* Hashes of the leading full pages of prompt and output, chained: equal hashes mean equal text
     * from the start to the end of that page. Borrowed from the source until it is taken. */
    const uint64_t *page;
    size_t pages;
    int64_t session;  /* conversation, -1: none */
    int64_t priority; /* smaller is served first; 0 by default */
    int64_t adapter;  /* LoRA adapter, -1: none */
} StratRequest;

/** Where requests come from: embed it first in a struct of your own. */
typedef struct StratSource StratSource;
struct StratSource {
    int64_t page_tokens; /* of a hashed page; 0: requests carry no hashes */
    bool samples, beams; /* some request may ask for several */
    /** The next request that is known, NULL when there is none, for now or ever. Requests come in
     *  order of arrival; @done may let in an earlier one than the last peek saw. */
    const StratRequest *(*peek)(StratSource *source);
    /** Drops the request of the last peek. */
    void (*take)(StratSource *source);
    /** Request @id of @session is finished at @now, or was refused: closed loops and conversations
     *  go on from there. NULL: the source does not care. */
    void (*done)(StratSource *source, int64_t id, int64_t session, SimTime now);
    /** NULL, or what went wrong after the start (a line of a trace); borrowed. Then peek gives no
     *  more. NULL: nothing can. */
    const GError *(*fault)(const StratSource *source);
    void (*free)(StratSource *source);
};

void strat_source_free(StratSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratSource, strat_source_free)

#endif

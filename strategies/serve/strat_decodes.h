/** Sequences that decode together, kept as sums: what an iteration of theirs needs does not take
 *  looking at each. */
#ifndef STRAT_DECODES_H
#define STRAT_DECODES_H

#include "strat_heap.h"
#include "strat_sequence.h"

typedef struct StratDecodes {
    int64_t count;    /* rows: sequences, of a group each sample or beam */
    int64_t searches; /* groups of beams */
    int64_t at;       /* iterations since the start */
    int64_t sum;      /* tokens in the cache of all of them, in 2^-STRAT_TOKEN_BITS */
    int64_t growth;   /* of the sum in one iteration */
    int64_t block_tokens;
    int64_t width;          /* tokens that each computes: 1, and those speculated */
    StratSequence *longest; /* NULL: not known, look again */
    uint32_t *need;         /* ring: blocks wanted at iteration i are at i mod (mask + 1) */
    uint32_t *freed;        /* likewise: blocks that iteration i leaves without a holder */
    size_t mask;
    StratHeap finish; /* by iteration, then order of joining */
    int64_t joined;   /* so far */
} StratDecodes;

void strat_decodes_init(StratDecodes *decodes, int64_t block_tokens, int64_t width);
void strat_decodes_clear(StratDecodes *decodes);

/** @sequence joins with @computed tokens in the cache and @steps iterations to go. */
void strat_decodes_join(StratDecodes *decodes, StratSequence *sequence);

/** @sequence leaves; its @produced and @computed are brought up to date. */
void strat_decodes_leave(StratDecodes *decodes, StratSequence *sequence);

/** All of them have been through @iterations more. */
void strat_decodes_advance(StratDecodes *decodes, int64_t iterations);

/** Tokens of @sequence (of each of its rows) in the cache, of its outputs those sampled, and the
 *  blocks that it has once it is ready for @ahead more iterations. */
int64_t strat_decodes_tokens(const StratDecodes *decodes, const StratSequence *sequence);
int64_t strat_decodes_produced(const StratDecodes *decodes, const StratSequence *sequence);
int64_t strat_decodes_blocks(const StratDecodes *decodes, const StratSequence *sequence,
                             int64_t ahead);

/** Blocks that the @ahead-th iteration from here (1: the next) needs beyond those before it. */
int64_t strat_decodes_need(const StratDecodes *decodes, int64_t ahead);

/** Blocks of those that the @ahead-th iteration from here leaves without a holder: of beams that
 *  were dropped. */
int64_t strat_decodes_freed(const StratDecodes *decodes, int64_t ahead);

/** What the rows of @sequence share: blocks that it would have beyond its own if they shared none,
 *  and the tokens in those. @held: while the iteration @ahead (0: the last one) runs; else after
 *  the last one. */
typedef struct StratShared {
    int64_t blocks, tokens;
} StratShared;

StratShared strat_decodes_shared(const StratDecodes *decodes, const StratSequence *sequence,
                                 int64_t ahead, bool held);

/** Iterations until the first of them finishes; INT64_MAX when there are none. */
int64_t strat_decodes_left(const StratDecodes *decodes);

/** The one that finishes in 0 iterations, NULL when there is none. */
StratSequence *strat_decodes_finished(const StratDecodes *decodes);

#endif

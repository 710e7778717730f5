/** The samples of a request that asks for several answers, or its beams. */
#ifndef STRAT_FORKS_H
#define STRAT_FORKS_H

#include "strat_beams.h"
#include "strat_sequence.h"

/** How a scheduler runs a request with several samples. */
typedef enum StratForking {
    STRAT_FORKING_NONE,     /* its engine does not, or it is not modelled */
    STRAT_FORKING_GROUP,    /* one sequence whose rows are the samples: forks of one cache */
    STRAT_FORKING_CHILDREN, /* a sequence for each: a request of its own to the engine */
} StratForking;

/** What the sequences of one request have in common. */
struct StratForks {
    int32_t sequences; /* that point here */
    int32_t left;      /* of those, not finished */
    int64_t said;      /* outputs of the samples that are finished */
    bool begun;        /* one of them has been admitted */
    int32_t samples;   /* that the request asked for, or beams */
    /* Of a group. */
    int32_t *output;   /* of each sample, the shortest first; NULL: children */
    bool searches;     /* the samples are beams */
    double turnover;   /* of those */
    StratBeams *beams; /* from the fork on */
    /* Of children: of the first, and of all that are finished. */
    SimTime scheduled_ns, first_token_ns;
    int32_t cached_tokens, preemptions, longest;
};

/** Makes @sequence the group of the samples or beams of @request: all its rows. */
void strat_forks_group(StratSequence *sequence, const StratRequest *request);

/** Makes @sequence the first of @request's samples, whose others (n - 1 sequences, linked by next)
 *  are returned. Their prompts share the pages of @page_tokens; 0: there are none. */
StratSequence *strat_forks_children(StratSequence *sequence, const StratRequest *request,
                                    int64_t page_tokens);

void strat_forks_unref(StratForks *forks);

/** The prompt of the group @sequence is complete: beams know from here on which blocks they share.
 *  Samples that end with their first token are still rows. */
void strat_forks_begin(StratSequence *sequence, uint64_t seed, int64_t block_tokens);

/** Drops the rows of the group @sequence that have all their outputs, unless no other is left:
 *  *@rows of them. False when none is left: the group is finished. */
bool strat_forks_go_on(StratSequence *sequence, int32_t *rows);

/** @sequence is finished, which was its request's last (true) or not. The last one of several
 *  children takes over the times of the request. */
bool strat_forks_finish(StratSequence *sequence);

/** Blocks of @block_tokens that @sequence has while it has room for @tokens in each of its rows. */
int64_t strat_forks_held(const StratSequence *sequence, int64_t tokens, int64_t block_tokens);

/** Those that are left once the iteration that filled them is over. */
int64_t strat_forks_rest(const StratSequence *sequence, int64_t tokens, int64_t block_tokens);

/** Of @tokens in each row of @sequence, once the iteration is over: those in blocks that a row
 *  before has too, summed over the rows. */
int64_t strat_forks_shared(const StratSequence *sequence, int64_t tokens, int64_t block_tokens);

#endif

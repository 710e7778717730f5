/** A request inside the engine, and lists of them. */
#ifndef STRAT_SEQUENCE_H
#define STRAT_SEQUENCE_H

#include "strat_request.h"

typedef enum StratSequenceState {
    STRAT_SEQUENCE_WAITING,
    STRAT_SEQUENCE_PROMPT,  /* runs, its prompt is not all in the cache */
    STRAT_SEQUENCE_DECODE,  /* runs, one token after another */
    STRAT_SEQUENCE_PADDING, /* finished, but its batch has not: a scheduler that holds */
    STRAT_SEQUENCE_SWAPPED, /* does not run, its cache is in host memory */
    STRAT_SEQUENCE_LEAVING, /* its cache is on the way to a decoding replica */
} StratSequenceState;

/** What a request is while it is served. Schedulers read; strat_lane_...() writes. While it
 * decodes,
 *  @produced and @computed stand still at what they were when it began to: ask
 *  strat_decodes_tokens() and strat_decodes_produced(). */
typedef struct StratSequence StratSequence;
typedef struct StratForks StratForks;
struct StratSequence {
    StratSequence *next, *prev; /* in the waiting or the running list */
    int64_t id;
    int64_t session;
    SimTime arrival_ns, scheduled_ns, first_token_ns; /* -1: not yet */
    SimTime last_token_ns;
    uint64_t *page; /* hashes; of the pages held, their places in the cache instead */
    int32_t pages;
    int32_t held;
    int32_t input_tokens;
    int32_t output_tokens; /* of a group that decodes: of its shortest samples under way */
    int32_t produced;      /* outputs sampled */
    int32_t computed;      /* tokens in the cache */
    int32_t cached_tokens; /* of the prompt, found in the cache when it was first admitted */
    int32_t reserved;      /* blocks that are its own from the start to the end */
    int32_t preemptions;
    int32_t priority;
    int32_t adapter;
    int32_t twins;          /* rows beside its own in each iteration: samples or beams of a group */
    int32_t sample;         /* of its request, when each is a sequence */
    int32_t steps;          /* iterations that the outputs left take, when decoding began */
    int64_t order;          /* of admission */
    int64_t since;          /* the decodes' count of iterations then */
    int64_t growth;         /* tokens it goes on in each, in units of STRAT_TOKEN */
    size_t place;           /* in a heap */
    StratForks *forks;      /* NULL: the only answer to its request */
    double note;            /* the scheduler's own, 0 at the start */
    struct StratMove *move; /* of its cache, that began before the prompt's end; NULL: none */
    StratSequenceState state;
    bool remote;  /* its prompt was computed elsewhere, and its cache has come */
    bool is_hurt; /* a replica that it was on died, or stood still */
    bool stalls;  /* so its next gap between tokens is a stall */
};

/** One token, in the fixed point in which the contexts of a batch are summed. */
enum { STRAT_TOKEN_BITS = 12 };

typedef struct StratSequenceList {
    StratSequence *head, *tail;
    int64_t length;
} StratSequenceList;

/** Puts @item before @next, which is in @list; NULL: at the end. O(1). */
void strat_sequence_insert(StratSequenceList *list, StratSequence *item, StratSequence *next);

/** Takes @item out of @list. O(1). */
void strat_sequence_remove(StratSequenceList *list, StratSequence *item);

/** Sequences that @sequence is to the engine: tokens that an iteration samples for it. */
static inline int64_t strat_sequence_rows(const StratSequence *sequence)
{
    return 1 + (int64_t)sequence->twins;
}

/** Whether @sequence is a group of samples or beams, of which others may have ended. */
bool strat_sequence_is_group(const StratSequence *sequence);

/** Tokens that must be in the cache before @sequence can sample its next one: the prompt, and after
 *  a preemption what it had already said. */
static inline int64_t strat_sequence_prompt(const StratSequence *sequence)
{
    return (int64_t)sequence->input_tokens + sequence->produced;
}

/** Of those, what is still to be computed; 0 while it decodes. */
static inline int64_t strat_sequence_left(const StratSequence *sequence)
{
    if (sequence->state == STRAT_SEQUENCE_DECODE || sequence->remote)
        return 0;
    return strat_sequence_prompt(sequence) - sequence->computed;
}

/** Gives the text of @sequence, which came without hashes, some that no other text has: pages of
 *  @page_tokens tokens of prompt and output. Samples of one request share those of the prompt. */
void strat_sequence_name_pages(StratSequence *sequence, int64_t page_tokens);

/** Gives @sequence, a later sample, pages of its own behind the full ones of the prompt. */
void strat_sequence_part_pages(StratSequence *sequence, int64_t page_tokens);

void strat_sequence_free(StratSequence *sequence);

#endif

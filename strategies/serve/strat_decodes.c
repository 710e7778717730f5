/*
 * Decodes as sums. All sequences of the set go through the same iterations, counted by `at`; one
 * that joined at `since` with b tokens in the cache has, i = at - since iterations later,
 *
 *     tokens = b + floor(i growth)        growth = outputs left / iterations that they take
 *
 * (growth is 1 without speculation), so the sum of all and its growth are kept exactly when
 * somebody joins or leaves. An iteration needs room for what it computes, so after i of them a
 * sequence has
 *
 *     blocks(i) = max(reserved, ceil((tokens(i - 1) + width) / block))
 *
 * and the iterations in which that steps up are known when it joins: they are marked then in a ring
 * of counters by iteration. A group of samples or beams counts as so many rows; its blocks are
 * those of strat_forks.c, and what its beams let go of is marked in a second ring. So "how many
 * blocks does iteration at + i need" is one look, for any number of sequences, and so is "when is
 * the first finished", from a heap.
 */
#include "strat_decodes.h"

#include "strat_forks.h"

enum { FIRST_RING = 1024 };

void strat_decodes_init(StratDecodes *decodes, int64_t block_tokens, int64_t width)
{
    *decodes = (StratDecodes){
        .block_tokens = block_tokens,
        .width = width,
        .need = g_new0(uint32_t, FIRST_RING),
        .freed = g_new0(uint32_t, FIRST_RING),
        .mask = FIRST_RING - 1,
    };
}

void strat_decodes_clear(StratDecodes *decodes)
{
    g_free(decodes->need);
    g_free(decodes->freed);
    strat_heap_clear(&decodes->finish);
}

/* @ring, of the size of @decodes, with @wanted counters; the old one is freed. */
static uint32_t *wider(const StratDecodes *decodes, uint32_t *ring, size_t wanted)
{
    uint32_t *wide = g_new0(uint32_t, wanted);
    for (size_t i = 0; i <= decodes->mask; i++) {
        size_t iteration = (size_t)decodes->at + i;
        wide[iteration & (wanted - 1)] = ring[iteration & decodes->mask];
    }
    g_free(ring);
    return wide;
}

/* The rings reach @ahead iterations past the next one. */
static void widen(StratDecodes *decodes, int64_t ahead)
{
    size_t size = decodes->mask + 1;
    size_t wanted = size;
    while (wanted <= (size_t)ahead + 1)
        wanted *= 2;
    if (wanted == size)
        return;
    decodes->need = wider(decodes, decodes->need, wanted);
    decodes->freed = wider(decodes, decodes->freed, wanted);
    decodes->mask = wanted - 1;
}

/* Tokens in the cache after @i iterations. */
static int64_t tokens_after(const StratSequence *sequence, int64_t i)
{
    return sequence->computed + ((i * sequence->growth) >> STRAT_TOKEN_BITS);
}

static int64_t blocks_of(const StratDecodes *decodes, int64_t tokens)
{
    return (tokens + decodes->block_tokens - 1) / decodes->block_tokens;
}

/* Tokens for which each of its rows has room while iteration @i runs. */
static int64_t room_after(const StratDecodes *decodes, const StratSequence *sequence, int64_t i)
{
    return i == 0 ? sequence->computed : tokens_after(sequence, i - 1) + decodes->width;
}

/* Blocks while iteration @i runs. */
static int64_t blocks_in(const StratDecodes *decodes, const StratSequence *sequence, int64_t i)
{
    int64_t tokens = room_after(decodes, sequence, i);
    int64_t blocks = strat_forks_held(sequence, tokens, decodes->block_tokens);
    return MAX(blocks, sequence->reserved);
}

/* Blocks when iteration @i is over. */
static int64_t blocks_after(const StratDecodes *decodes, const StratSequence *sequence, int64_t i)
{
    int64_t tokens = room_after(decodes, sequence, i);
    int64_t blocks = strat_forks_rest(sequence, tokens, decodes->block_tokens);
    return MAX(blocks, sequence->reserved);
}

/* The first iteration for which @sequence needs more than @blocks. */
static int64_t outgrows(const StratDecodes *decodes, const StratSequence *sequence, int64_t blocks)
{
    int64_t beyond = blocks * decodes->block_tokens + 1 - decodes->width - sequence->computed;
    if (beyond <= 0)
        return 1;
    int64_t units = beyond << STRAT_TOKEN_BITS;
    return 1 + (units + sequence->growth - 1) / sequence->growth;
}

/* Adds @sign for each block that the beams @sequence come to need, or let go of. */
static void mark_beams(StratDecodes *decodes, const StratSequence *sequence, uint32_t sign)
{
    int64_t done = decodes->at - sequence->since;
    int64_t had = blocks_after(decodes, sequence, done);
    for (int64_t i = done + 1; i <= sequence->steps; i++) {
        int64_t has = blocks_in(decodes, sequence, i);
        int64_t rest = blocks_after(decodes, sequence, i);
        size_t slot = (size_t)(sequence->since + i) & decodes->mask;
        decodes->need[slot] += sign * (uint32_t)(has - had);
        decodes->freed[slot] += sign * (uint32_t)(has - rest);
        had = rest;
    }
}

/* Adds @sign for each block that @sequence comes to need after the iteration decodes->at. One row
 * of a group steps up when all of them do; after the prompt they also part with its last block. */
static void mark(StratDecodes *decodes, const StratSequence *sequence, uint32_t sign)
{
    int64_t done = decodes->at - sequence->since;
    int64_t had = blocks_in(decodes, sequence, done);
    int64_t tokens = room_after(decodes, sequence, done);
    bool parts = sequence->twins > 0 && tokens == sequence->input_tokens;
    for (int64_t i = done;; parts = false) {
        int64_t row = blocks_of(decodes, room_after(decodes, sequence, i));
        int64_t blocks = sequence->twins > 0 ? row : had;
        i = parts ? i + 1 : MAX(outgrows(decodes, sequence, blocks), i + 1);
        if (i > sequence->steps)
            return;
        int64_t has = blocks_in(decodes, sequence, i);
        decodes->need[(size_t)(sequence->since + i) & decodes->mask] +=
            sign * (uint32_t)(has - had);
        had = has;
    }
}

static void mark_all(StratDecodes *decodes, const StratSequence *sequence, uint32_t sign)
{
    if (sequence->forks && sequence->forks->beams)
        mark_beams(decodes, sequence, sign);
    else
        mark(decodes, sequence, sign);
}

/* Its rows count @sign times. */
static void count_rows(StratDecodes *decodes, const StratSequence *sequence, int64_t sign)
{
    int64_t done = decodes->at - sequence->since;
    int64_t rows = sign * strat_sequence_rows(sequence);
    decodes->sum +=
        rows * (((int64_t)sequence->computed << STRAT_TOKEN_BITS) + done * sequence->growth);
    decodes->growth += rows * sequence->growth;
    decodes->count += rows;
    decodes->searches += sequence->forks && sequence->forks->beams ? sign : 0;
}

void strat_decodes_join(StratDecodes *decodes, StratSequence *sequence)
{
    int64_t outputs = sequence->output_tokens - sequence->produced;
    g_assert(outputs > 0 && sequence->steps > 0 && sequence->steps <= outputs);
    sequence->since = decodes->at;
    sequence->growth = (outputs << STRAT_TOKEN_BITS) / sequence->steps;
    sequence->state = STRAT_SEQUENCE_DECODE;
    widen(decodes, sequence->steps);
    mark_all(decodes, sequence, 1);
    bool first = decodes->count == 0;
    count_rows(decodes, sequence, 1);
    if (first ||
        (decodes->longest && sequence->computed > strat_decodes_tokens(decodes, decodes->longest)))
        decodes->longest = sequence;
    StratFine key =
        ((StratFine)(decodes->at + sequence->steps) << 64) | (StratFine)decodes->joined++;
    strat_heap_push(&decodes->finish, key, sequence, &sequence->place);
}

void strat_decodes_leave(StratDecodes *decodes, StratSequence *sequence)
{
    mark_all(decodes, sequence, UINT32_MAX);
    count_rows(decodes, sequence, -1);
    if (decodes->longest == sequence)
        decodes->longest = NULL;
    strat_heap_remove(&decodes->finish, sequence->place);
    int64_t produced = strat_decodes_produced(decodes, sequence);
    sequence->computed = (int32_t)strat_decodes_tokens(decodes, sequence);
    sequence->produced = (int32_t)produced;
}

void strat_decodes_advance(StratDecodes *decodes, int64_t iterations)
{
    for (int64_t i = 1; i <= iterations; i++) {
        size_t slot = (size_t)(decodes->at + i) & decodes->mask;
        decodes->need[slot] = decodes->freed[slot] = 0;
    }
    decodes->at += iterations;
    decodes->sum += iterations * decodes->growth;
}

int64_t strat_decodes_tokens(const StratDecodes *decodes, const StratSequence *sequence)
{
    return tokens_after(sequence, decodes->at - sequence->since);
}

int64_t strat_decodes_produced(const StratDecodes *decodes, const StratSequence *sequence)
{
    int64_t done = decodes->at - sequence->since;
    if (done >= sequence->steps)
        return sequence->output_tokens;
    return sequence->produced + ((done * sequence->growth) >> STRAT_TOKEN_BITS);
}

int64_t strat_decodes_blocks(const StratDecodes *decodes, const StratSequence *sequence,
                             int64_t ahead)
{
    int64_t done = decodes->at - sequence->since;
    return ahead == 0 ? blocks_after(decodes, sequence, done)
                      : blocks_in(decodes, sequence, done + ahead);
}

StratShared strat_decodes_shared(const StratDecodes *decodes, const StratSequence *sequence,
                                 int64_t ahead, bool held)
{
    int64_t block_tokens = decodes->block_tokens;
    int64_t done = decodes->at - sequence->since + ahead;
    int64_t tokens = room_after(decodes, sequence, done);
    int64_t own = held ? blocks_in(decodes, sequence, done) : blocks_after(decodes, sequence, done);
    int64_t all = strat_sequence_rows(sequence) * blocks_of(decodes, tokens);
    /* A block that is written to has one holder, so what is shared then is full. */
    return (StratShared){
        .blocks = all - own,
        .tokens =
            held ? (all - own) * block_tokens : strat_forks_shared(sequence, tokens, block_tokens),
    };
}

int64_t strat_decodes_need(const StratDecodes *decodes, int64_t ahead)
{
    return decodes->need[(size_t)(decodes->at + ahead) & decodes->mask];
}

int64_t strat_decodes_freed(const StratDecodes *decodes, int64_t ahead)
{
    return decodes->freed[(size_t)(decodes->at + ahead) & decodes->mask];
}

int64_t strat_decodes_left(const StratDecodes *decodes)
{
    const StratHeapItem *top = strat_heap_top(&decodes->finish);
    return top ? (int64_t)(top->key >> 64) - decodes->at : INT64_MAX;
}

StratSequence *strat_decodes_finished(const StratDecodes *decodes)
{
    return strat_decodes_left(decodes) == 0 ? strat_heap_top(&decodes->finish)->item : NULL;
}

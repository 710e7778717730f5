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
 * of counters by iteration. So "how many blocks does iteration at + i need" is one look, for any
 * number of sequences, and so is "when is the first finished", from a heap.
 */
#include "strat_decodes.h"

enum { FIRST_RING = 1024 };

void strat_decodes_init(StratDecodes *decodes, int64_t block_tokens, int64_t width)
{
    *decodes = (StratDecodes){
        .block_tokens = block_tokens,
        .width = width,
        .need = g_new0(uint32_t, FIRST_RING),
        .mask = FIRST_RING - 1,
    };
}

void strat_decodes_clear(StratDecodes *decodes)
{
    g_free(decodes->need);
    strat_heap_clear(&decodes->finish);
}

/* The ring reaches @ahead iterations past the next one. */
static void widen(StratDecodes *decodes, int64_t ahead)
{
    size_t size = decodes->mask + 1;
    size_t wanted = size;
    while (wanted <= (size_t)ahead + 1)
        wanted *= 2;
    if (wanted == size)
        return;
    uint32_t *need = g_new0(uint32_t, wanted);
    for (size_t i = 0; i < size; i++) {
        size_t iteration = (size_t)decodes->at + i;
        need[iteration & (wanted - 1)] = decodes->need[iteration & decodes->mask];
    }
    g_free(decodes->need);
    decodes->need = need;
    decodes->mask = wanted - 1;
}

/* Tokens in the cache after @i iterations. */
static int64_t tokens_after(const StratSequence *sequence, int64_t i)
{
    return sequence->computed + ((i * sequence->growth) >> STRAT_TOKEN_BITS);
}

static int64_t blocks_after(const StratDecodes *decodes, const StratSequence *sequence, int64_t i)
{
    int64_t tokens = i == 0 ? sequence->computed : tokens_after(sequence, i - 1) + decodes->width;
    int64_t blocks = (tokens + decodes->block_tokens - 1) / decodes->block_tokens;
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

/* Adds @sign for each block that @sequence comes to need after the iteration decodes->at. */
static void mark(StratDecodes *decodes, const StratSequence *sequence, uint32_t sign)
{
    int64_t done = decodes->at - sequence->since;
    int64_t blocks = blocks_after(decodes, sequence, done);
    for (;;) {
        int64_t i = MAX(outgrows(decodes, sequence, blocks), done + 1);
        if (i > sequence->steps)
            return;
        int64_t more = blocks_after(decodes, sequence, i) - blocks;
        decodes->need[(size_t)(sequence->since + i) & decodes->mask] += sign * (uint32_t)more;
        blocks += more;
    }
}

void strat_decodes_join(StratDecodes *decodes, StratSequence *sequence)
{
    int64_t outputs = sequence->output_tokens - sequence->produced;
    g_assert(outputs > 0 && sequence->steps > 0 && sequence->steps <= outputs);
    sequence->since = decodes->at;
    sequence->growth = (outputs << STRAT_TOKEN_BITS) / sequence->steps;
    sequence->state = STRAT_SEQUENCE_DECODE;
    widen(decodes, sequence->steps);
    mark(decodes, sequence, 1);
    decodes->sum += (int64_t)sequence->computed << STRAT_TOKEN_BITS;
    decodes->growth += sequence->growth;
    if (decodes->count++ == 0 ||
        (decodes->longest && sequence->computed > strat_decodes_tokens(decodes, decodes->longest)))
        decodes->longest = sequence;
    StratFine key =
        ((StratFine)(decodes->at + sequence->steps) << 64) | (StratFine)decodes->joined++;
    strat_heap_push(&decodes->finish, key, sequence, &sequence->place);
}

void strat_decodes_leave(StratDecodes *decodes, StratSequence *sequence)
{
    int64_t done = decodes->at - sequence->since;
    mark(decodes, sequence, UINT32_MAX);
    decodes->sum -= ((int64_t)sequence->computed << STRAT_TOKEN_BITS) + done * sequence->growth;
    decodes->growth -= sequence->growth;
    decodes->count--;
    if (decodes->longest == sequence)
        decodes->longest = NULL;
    strat_heap_remove(&decodes->finish, sequence->place);
    int64_t produced = strat_decodes_produced(decodes, sequence);
    sequence->computed = (int32_t)strat_decodes_tokens(decodes, sequence);
    sequence->produced = (int32_t)produced;
}

void strat_decodes_advance(StratDecodes *decodes, int64_t iterations)
{
    for (int64_t i = 1; i <= iterations; i++)
        decodes->need[(size_t)(decodes->at + i) & decodes->mask] = 0;
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
    return blocks_after(decodes, sequence, decodes->at - sequence->since + ahead);
}

int64_t strat_decodes_need(const StratDecodes *decodes, int64_t ahead)
{
    return decodes->need[(size_t)(decodes->at + ahead) & decodes->mask];
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

/*
 * Beams that share blocks (Kwon 2023, section 4.4 and figure 9). All of them are equally long. In
 * an iteration each writes one token into its last block: one that others hold too is copied first,
 * unless it is full, then each begins a block of its own. After the iteration some beams are
 * dropped, others are forked in their place; a fork holds all the blocks of its parent, and a block
 * that no beam holds is free.
 *
 *     held(i) = full blocks of the prompt + blocks with a holder when all have written
 *     rest(i) = the same once beams were dropped and forked
 *
 * Who is dropped depends on the text, which nobody knows here. Assumption: each beam is dropped
 * with the same chance after each iteration, independently (when all would be, the first stays),
 * and its place goes to a fork of one of those that stay, each as likely. The default chance is
 * that of no preference: of the k best continuations of each of k beams, k^2 in all, k are kept, so
 * none of a given beam's with
 *
 *     C(k^2 - k, k) / C(k^2, k) = product over j < k of (k^2 - k - j) / (k^2 - j)
 *
 * which is 1/6 for 2 beams, 0.27 for 4, 0.30 for 6.
 *
 * Left out: beams that end before the others, and the copies' time (a copy moves one block).
 */
#include "strat_beams.h"

#include <stdbool.h>

/* Which blocks the beams hold beyond the full ones of the prompt. */
typedef struct Table {
    int64_t width, room; /* beams; blocks that a beam may have */
    int64_t length;      /* blocks that each beam has */
    int32_t *of;         /* [beam * room + index]: a block */
    GArray *holders;     /* of int32_t, by block */
    int64_t live;        /* blocks with a holder */
} Table;

static int32_t *holders_of(Table *table, int32_t block)
{
    return &g_array_index(table->holders, int32_t, block);
}

static int32_t *slot_of(Table *table, int64_t beam, int64_t index)
{
    return &table->of[beam * table->room + index];
}

static int32_t new_block(Table *table, int32_t holders)
{
    g_array_append_val(table->holders, holders);
    table->live++;
    return (int32_t)table->holders->len - 1;
}

static void let_go(Table *table, int32_t block)
{
    table->live -= --*holders_of(table, block) == 0;
}

/* Every beam writes a token into block @index. */
static void write_all(Table *table, int64_t index)
{
    bool begins = index == table->length;
    table->length += begins;
    for (int64_t beam = 0; beam < table->width; beam++) {
        int32_t *slot = slot_of(table, beam, index);
        if (!begins && *holders_of(table, *slot) == 1)
            continue;
        if (!begins)
            let_go(table, *slot);
        *slot = new_block(table, 1);
    }
}

static void drop(Table *table, int64_t beam)
{
    for (int64_t i = 0; i < table->length; i++)
        let_go(table, *slot_of(table, beam, i));
}

static void fork_of(Table *table, int64_t beam, int64_t parent)
{
    for (int64_t i = 0; i < table->length; i++) {
        int32_t block = *slot_of(table, parent, i);
        ++*holders_of(table, block);
        *slot_of(table, beam, i) = block;
    }
}

/* Some beams are dropped, others forked in their place. @stays: room for all of them. How many
 * stay. */
static uint64_t turn_over(Table *table, SimRandom *stream, double turnover, int64_t *stays)
{
    uint64_t left = 0;
    for (int64_t beam = 0; beam < table->width; beam++)
        if (sim_random_uniform(stream) >= turnover)
            stays[left++] = beam;
    if (left == 0)
        stays[left++] = 0;
    uint64_t next = 0;
    for (int64_t beam = 0; beam < table->width; beam++) {
        if (next < left && stays[next] == beam) {
            next++;
            continue;
        }
        drop(table, beam);
        fork_of(table, beam, stays[sim_random_below(stream, left)]);
    }
    return left;
}

static void table_init(Table *table, int64_t width, int64_t room, bool partial)
{
    *table = (Table){
        .width = width,
        .room = room,
        .of = g_new0(int32_t, (size_t)(width * room)),
        .holders = g_array_new(FALSE, FALSE, sizeof(int32_t)),
    };
    if (!partial)
        return;
    int32_t block = new_block(table, (int32_t)width);
    table->length = 1;
    for (int64_t beam = 0; beam < width; beam++)
        *slot_of(table, beam, 0) = block;
}

StratBeams *strat_beams_new(const SimRandom *stream, int64_t width, int64_t prompt_tokens,
                            int64_t iterations, int64_t block_tokens, double turnover)
{
    g_assert(width > 1 && prompt_tokens > 0 && iterations >= 0 && block_tokens > 0);
    StratBeams *beams = g_new(StratBeams, 1);
    *beams = (StratBeams){
        .iterations = iterations,
        .held = g_new(int32_t, (size_t)iterations + 1),
        .rest = g_new(int32_t, (size_t)iterations + 1),
        .ends = g_new(int32_t, (size_t)iterations + 1),
    };
    int64_t full = prompt_tokens / block_tokens;
    double chance = turnover < 0.0 ? strat_beams_neutral(width) : turnover;
    Table table;
    table_init(&table, width, iterations / block_tokens + 2, prompt_tokens % block_tokens > 0);
    g_autofree int64_t *stays = g_new(int64_t, (size_t)width);
    beams->ends[0] = 1;
    beams->held[0] = beams->rest[0] = (int32_t)(full + table.live);
    for (int64_t i = 1; i <= iterations; i++) {
        write_all(&table, (prompt_tokens + i - 1) / block_tokens - full);
        beams->held[i] = (int32_t)(full + table.live);
        SimRandom own = sim_random_child(stream, (uint64_t)i);
        beams->ends[i] = (int32_t)turn_over(&table, &own, chance, stays);
        beams->rest[i] = (int32_t)(full + table.live);
    }
    g_array_unref(table.holders);
    g_free(table.of);
    return beams;
}

void strat_beams_free(StratBeams *beams)
{
    if (!beams)
        return;
    g_free(beams->held);
    g_free(beams->rest);
    g_free(beams->ends);
    g_free(beams);
}

double strat_beams_neutral(int64_t width)
{
    double none = 1.0;
    double all = (double)(width * width);
    for (int64_t j = 0; j < width; j++)
        none *= (all - (double)(width + j)) / (all - (double)j);
    return none;
}

/* Open addressing with linear probes, at most half full; what is dropped leaves no mark, because
 * those behind it move up (Knuth, volume 3, algorithm 6.4 R). The hashes of a trace may be small
 * consecutive numbers, so they are mixed first. */
#include "strat_kv_index.h"

#include "sim_hash.h"

#include <glib.h>
#include <stdbool.h>

enum { FIRST_SLOTS = 64 };

static size_t home(const StratKvIndex *index, uint64_t hash)
{
    return (size_t)sim_hash_mix(hash) & index->mask;
}

/* The slot of @hash, or the empty one where it would go. */
static size_t slot_of(const StratKvIndex *index, uint64_t hash)
{
    size_t at = home(index, hash);
    while (index->slot[at].place != 0 && index->slot[at].hash != hash)
        at = (at + 1) & index->mask;
    return at;
}

uint32_t strat_kv_index_find(const StratKvIndex *index, uint64_t hash)
{
    return index->slot ? index->slot[slot_of(index, hash)].place : 0;
}

static void grow(StratKvIndex *index)
{
    StratKvSlot *old = index->slot;
    size_t slots = old ? index->mask + 1 : 0;
    index->mask = (slots ? slots * 2 : FIRST_SLOTS) - 1;
    index->slot = g_new0(StratKvSlot, index->mask + 1);
    for (size_t i = 0; i < slots; i++)
        if (old[i].place != 0)
            index->slot[slot_of(index, old[i].hash)] = old[i];
    g_free(old);
}

void strat_kv_index_add(StratKvIndex *index, uint64_t hash, uint32_t place)
{
    if (!index->slot || 2 * (index->length + 1) > index->mask)
        grow(index);
    size_t at = slot_of(index, hash);
    g_assert(index->slot[at].place == 0 && place != 0);
    index->slot[at] = (StratKvSlot){.hash = hash, .place = place};
    index->length++;
}

void strat_kv_index_drop(StratKvIndex *index, uint64_t hash)
{
    size_t hole = slot_of(index, hash);
    g_assert(index->slot[hole].place != 0);
    index->length--;
    for (size_t at = (hole + 1) & index->mask; index->slot[at].place != 0;
         at = (at + 1) & index->mask) {
        size_t from = home(index, index->slot[at].hash);
        bool reaches = ((at - from) & index->mask) >= ((at - hole) & index->mask);
        if (!reaches)
            continue;
        index->slot[hole] = index->slot[at];
        hole = at;
    }
    index->slot[hole] = (StratKvSlot){0};
}

void strat_kv_index_clear(StratKvIndex *index)
{
    g_free(index->slot);
    *index = (StratKvIndex){0};
}

/** Which hash is at which place: the index of a cache's pages. */
#ifndef STRAT_KV_INDEX_H
#define STRAT_KV_INDEX_H

#include <stddef.h>
#include <stdint.h>

typedef struct StratKvSlot {
    uint64_t hash;
    uint32_t place; /* 0: empty */
} StratKvSlot;

/** All zero is an empty index. */
typedef struct StratKvIndex {
    StratKvSlot *slot;
    size_t mask; /* slots - 1, a power of two less one */
    size_t length;
} StratKvIndex;

/** The place of @hash, 0 when it has none. */
uint32_t strat_kv_index_find(const StratKvIndex *index, uint64_t hash);

/** Puts @hash, which is not in, at @place (not 0). */
void strat_kv_index_add(StratKvIndex *index, uint64_t hash, uint32_t place);

/** Forgets @hash, which is in. */
void strat_kv_index_drop(StratKvIndex *index, uint64_t hash);

void strat_kv_index_clear(StratKvIndex *index);

#endif

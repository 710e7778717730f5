/** A binary heap whose items know their place, so that any of them can leave. */
#ifndef STRAT_HEAP_H
#define STRAT_HEAP_H

#include "strat_fine.h"

typedef struct StratHeapItem {
    StratFine key;
    void *item;
    size_t *place; /* where the heap notes the item's index */
} StratHeapItem;

/** Smallest key first. All zero is an empty heap. */
typedef struct StratHeap {
    StratHeapItem *slot;
    size_t length, room;
} StratHeap;

/** Adds @item, which keeps *@place until it leaves. Equal keys leave in no promised order: make
 * them unequal. O(log n). */
void strat_heap_push(StratHeap *heap, StratFine key, void *item, size_t *place);

/** Removes the item at @place. O(log n). */
void strat_heap_remove(StratHeap *heap, size_t place);

/** The item of the smallest key, NULL when empty; it stays. */
const StratHeapItem *strat_heap_top(const StratHeap *heap);

void strat_heap_clear(StratHeap *heap);

#endif

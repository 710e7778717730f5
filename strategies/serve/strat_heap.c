/* A binary heap in an array (Williams 1964): the children of i are 2 i + 1 and 2 i + 2. */
#include "strat_heap.h"

enum { FIRST_ROOM = 16 };

static void put(StratHeap *heap, size_t at, StratHeapItem item)
{
    heap->slot[at] = item;
    *item.place = at;
}

static void rise(StratHeap *heap, size_t at, StratHeapItem item)
{
    while (at > 0 && item.key < heap->slot[(at - 1) / 2].key) {
        put(heap, at, heap->slot[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(heap, at, item);
}

static void sink(StratHeap *heap, size_t at, StratHeapItem item)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap->length)
            break;
        if (child + 1 < heap->length && heap->slot[child + 1].key < heap->slot[child].key)
            child++;
        if (item.key <= heap->slot[child].key)
            break;
        put(heap, at, heap->slot[child]);
        at = child;
    }
    put(heap, at, item);
}

void strat_heap_push(StratHeap *heap, StratFine key, void *item, size_t *place)
{
    if (heap->length == heap->room) {
        heap->room = MAX(heap->room * 2, FIRST_ROOM);
        heap->slot = g_renew(StratHeapItem, heap->slot, heap->room);
    }
    rise(heap, heap->length++, (StratHeapItem){.key = key, .item = item, .place = place});
}

void strat_heap_remove(StratHeap *heap, size_t place)
{
    g_assert(place < heap->length);
    StratHeapItem last = heap->slot[--heap->length];
    if (place == heap->length)
        return;
    if (place > 0 && last.key < heap->slot[(place - 1) / 2].key)
        rise(heap, place, last);
    else
        sink(heap, place, last);
}

const StratHeapItem *strat_heap_top(const StratHeap *heap)
{
    return heap->length > 0 ? &heap->slot[0] : NULL;
}

void strat_heap_clear(StratHeap *heap)
{
    g_free(heap->slot);
    *heap = (StratHeap){0};
}

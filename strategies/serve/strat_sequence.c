/* Doubly linked lists whose links are in the sequences: moving one costs no memory. */
#include "strat_sequence.h"

#include "sim_hash.h"

void strat_sequence_insert(StratSequenceList *list, StratSequence *item, StratSequence *next)
{
    StratSequence *prev = next ? next->prev : list->tail;
    item->prev = prev;
    item->next = next;
    *(prev ? &prev->next : &list->head) = item;
    *(next ? &next->prev : &list->tail) = item;
    list->length++;
}

void strat_sequence_remove(StratSequenceList *list, StratSequence *item)
{
    *(item->prev ? &item->prev->next : &list->head) = item->next;
    *(item->next ? &item->next->prev : &list->tail) = item->prev;
    item->next = item->prev = NULL;
    list->length--;
}

void strat_sequence_name_pages(StratSequence *sequence, int64_t page_tokens)
{
    g_assert(!sequence->page);
    int64_t tokens = (int64_t)sequence->input_tokens + sequence->output_tokens;
    sequence->pages = (int32_t)(tokens / page_tokens);
    sequence->page = g_new(uint64_t, (size_t)sequence->pages + 1);
    uint64_t hash = sim_hash_mix((uint64_t)sequence->id);
    for (int32_t i = 0; i < sequence->pages; i++)
        sequence->page[i] = hash = sim_hash_mix(hash);
}

void strat_sequence_free(StratSequence *sequence)
{
    if (!sequence)
        return;
    g_free(sequence->page);
    g_free(sequence);
}

/* Doubly linked lists whose links are in the sequences: moving one costs no memory. */
#include "strat_sequence.h"

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

void strat_sequence_free(StratSequence *sequence)
{
    if (!sequence)
        return;
    g_free(sequence->page);
    g_free(sequence);
}

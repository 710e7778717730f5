/* Doubly linked lists whose links are in the sequences: moving one costs no memory. */
#include "strat_sequence.h"

#include "sim_hash.h"
#include "strat_forks.h"

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
    strat_sequence_part_pages(sequence, page_tokens);
}

void strat_sequence_part_pages(StratSequence *sequence, int64_t page_tokens)
{
    for (int64_t i = sequence->input_tokens / page_tokens; i < sequence->pages; i++)
        if (sequence->sample > 0)
            sequence->page[i] = sim_hash_mix(sequence->page[i] ^ (uint64_t)sequence->sample);
}

bool strat_sequence_is_group(const StratSequence *sequence)
{
    return sequence->forks && sequence->forks->output;
}

void strat_sequence_free(StratSequence *sequence)
{
    if (!sequence)
        return;
    strat_forks_unref(sequence->forks);
    g_free(sequence->page);
    g_free(sequence);
}

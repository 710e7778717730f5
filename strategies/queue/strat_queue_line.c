/* The line: an array with a gap in front for each level. Jobs arrive at the back and leave near the
 * front, where those before them move up by one; a job that comes back goes in by its number, near
 * the front as well. */
#include "strat_queue_line.h"

#include "strat_queue_once.h"

#include <string.h>

typedef struct StratQueueRow StratQueueRow;

/* Makes room for one more at the tail. */
static void grow(StratQueueRow *row)
{
    size_t length = row->tail - row->head;
    if (row->tail < row->room)
        return;
    if (row->head > row->room / 2) {
        memmove(row->place, row->place + row->head, length * sizeof row->place[0]);
        row->head = 0;
        row->tail = length;
        return;
    }
    row->room = MAX(2 * row->room, 64);
    row->place = g_renew(StratQueuePlace, row->place, row->room);
}

void strat_queue_line_add(StratQueueLine *line, int level, StratQueuePlace place)
{
    StratQueueRow *row = &line->row[level];
    int64_t number = place.job->number;
    line->length++;
    grow(row);
    size_t i = row->tail;
    if (i > row->head && row->place[i - 1].job->number > number)
        for (i = row->head; row->place[i].job->number < number; i++)
            ;
    if (i < row->tail && row->head > 0) {
        memmove(row->place + row->head - 1, row->place + row->head,
                (i - row->head) * sizeof row->place[0]);
        row->head--;
        i--;
    } else {
        memmove(row->place + i + 1, row->place + i, (row->tail - i) * sizeof row->place[0]);
        row->tail++;
    }
    row->place[i] = place;
}

StratQueuePlace *strat_queue_line_at(StratQueueLine *line, StratQueueWalk *walk)
{
    for (; walk->level >= 0; *walk = (StratQueueWalk){.level = walk->level - 1}) {
        StratQueueRow *row = &line->row[walk->level];
        if (row->head + walk->step < row->tail)
            return &row->place[row->head + walk->step];
    }
    return NULL;
}

void strat_queue_line_remove(StratQueueLine *line, StratQueueWalk *walk)
{
    StratQueueRow *row = &line->row[walk->level];
    memmove(row->place + row->head + 1, row->place + row->head, walk->step * sizeof row->place[0]);
    row->head++;
    line->length--;
}

void strat_queue_line_clear(StratQueueLine *line)
{
    for (int level = 0; level < STRAT_QUEUE_LEVELS; level++)
        g_free(line->row[level].place);
}

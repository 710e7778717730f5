/** Jobs that wait, in order. */
#ifndef STRAT_QUEUE_LINE_H
#define STRAT_QUEUE_LINE_H

#include "strat_queue.h"

typedef struct StratQueueJob StratQueueJob;

/** A place in the line, with what a scheduler looks at. */
typedef struct StratQueuePlace {
    StratQueueJob *job;
    int64_t nodes;
    SimTime expect; /* the time that a run would take at most */
} StratQueuePlace;

/** Jobs by level, the highest first, and by number within one. */
typedef struct StratQueueLine {
    struct StratQueueRow {
        StratQueuePlace *place; /* owned */
        size_t head, tail, room;
    } row[STRAT_QUEUE_LEVELS];
    size_t length;
} StratQueueLine;

/** A walk from the front. All zero but @level, STRAT_QUEUE_LEVELS - 1, is its start. */
typedef struct StratQueueWalk {
    int level;
    size_t step; /* places passed in this level */
} StratQueueWalk;

static const StratQueueWalk strat_queue_front = {.level = STRAT_QUEUE_LEVELS - 1};

/** Adds @place among those of @level, by its job's number. O(1) at the end. */
void strat_queue_line_add(StratQueueLine *line, int level, StratQueuePlace place);

/** The place that @walk is at, NULL at the end. */
StratQueuePlace *strat_queue_line_at(StratQueueLine *line, StratQueueWalk *walk);

/** Removes that place; the walk is then at the next one. O(steps). */
void strat_queue_line_remove(StratQueueLine *line, StratQueueWalk *walk);

/** Frees what the line owns. */
void strat_queue_line_clear(StratQueueLine *line);

#endif

/** The jobs of one history, as they arrive. */
#ifndef STRAT_QUEUE_SOURCE_H
#define STRAT_QUEUE_SOURCE_H

#include "strat_queue.h"

/** A job as it arrives. */
typedef struct StratQueueArrival {
    int64_t number; /* from 0, by arrival */
    SimTime at, work;
    SimTime fail_at; /* of its work; -1: it does not fail of itself */
    bool crashes;
    uint32_t class_index;
    int64_t nodes;
} StratQueueArrival;

typedef struct StratQueueSource {
    const StratQueue *queue; /* borrowed */
    SimRandom gaps, jobs;
    double shares; /* sum */
    SimTime drawn_at;
    size_t recorded; /* records that have come */
    int64_t number;
} StratQueueSource;

/** The jobs of history @replication. */
StratQueueSource strat_queue_source_new(const StratQueue *queue, uint64_t replication);

/** When the next job arrives; SIM_TIME_MAX: never. */
SimTime strat_queue_source_peek(const StratQueueSource *source);

/** That job. */
StratQueueArrival strat_queue_source_next(StratQueueSource *source);

/** Random numbers of job @number, the same whatever the scheduler does. */
SimRandom strat_queue_source_draws(const StratQueueSource *source, int64_t number);

#endif

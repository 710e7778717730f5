/** Policies of a queue: who starts when. */
#ifndef STRAT_QUEUE_POLICY_H
#define STRAT_QUEUE_POLICY_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct StratQueueOnce StratQueueOnce;

/** A policy: a row. */
typedef struct StratQueuePolicy {
    const char *name, *source;
    bool by_priority; /* else all jobs are of one priority */
    bool preempts;    /* the front of the queue takes nodes from runs of lower priority */
    /** Starts what may start now. */
    void (*schedule)(StratQueueOnce *once);
} StratQueuePolicy;

const StratQueuePolicy *strat_queue_policy_all(size_t *count);

/** The policy called @name (NULL: the first). NULL and @error, naming the known ones. */
const StratQueuePolicy *strat_queue_policy_by_name(const char *name, GError **error);

#endif

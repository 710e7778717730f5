/** Orders in which waiting requests are looked at, beyond "first come, first served". */
#ifndef STRAT_ORDER_H
#define STRAT_ORDER_H

#include "strat_replica.h"

/** A waiting request and its rank: the smallest key first, among equals the smallest place. */
typedef struct StratRank {
    StratSequence *sequence;
    double key;
    int64_t place; /* in the queue, at the start */
} StratRank;

typedef struct StratOrder {
    const char *name;
    const char *source;
    bool prefixes; /* goes by what the cache holds: without a prefix cache, fcfs */
    int64_t most;  /* with more waiting than this the queue stays as it is; 0: no such limit */
    /** Fills the keys of @rank[0 .. count). @processed: prompt tokens computed so far. NULL: the
     *  queue stays as it is. */
    void (*keys)(const StratReplica *replica, StratRank *rank, size_t count, double processed);
} StratOrder;

const StratOrder *strat_order_all(size_t *count);

/** The row called @name (NULL: fcfs); NULL and @error (STRAT_ERROR_UNKNOWN_NAME). */
const StratOrder *strat_order_by_name(const char *name, GError **error);

/** Sorts the queue of @replica by the order of its engine, which exists. O(n log n). */
void strat_order_sort(StratReplica *replica, double processed);

#endif

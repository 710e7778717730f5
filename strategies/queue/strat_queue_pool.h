/** The nodes of a cluster by leaf: which are free, and which a job gets. */
#ifndef STRAT_QUEUE_POOL_H
#define STRAT_QUEUE_POOL_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The pool. The nodes of a job are a chain through @next, which ends with -1. */
typedef struct StratQueuePool {
    int64_t nodes, per_leaf, leaves, free;
    uint64_t *is_free;   /* a bit a node */
    uint64_t *has_count; /* a bit for each number of free nodes that some leaf has */
    int32_t *next;       /* by node */
    int32_t *leaf_free;  /* free nodes by leaf */
    int32_t *first_leaf; /* by number of free nodes; leaves of a number are a list */
    int32_t *next_leaf, *last_leaf;
    size_t classes;
    const int64_t *slow_ppm; /* classes x classes: by how much one takes longer beside another */
    int32_t *spanning;       /* by leaf and class: jobs on it that are on other leaves too */
    int64_t *stamp;          /* by leaf: the last chain that was looked at */
    int64_t stamps;
} StratQueuePool;

/** What a job got. */
typedef struct StratQueueTaken {
    int32_t first; /* node of the chain */
    int64_t leaves;
    int64_t slow_ppm; /* the most by which it takes longer beside any job that spans leaves and has
                         one of them in common; in millionths */
} StratQueueTaken;

/** A placement: a row. */
typedef struct StratQueuePlacement {
    const char *name, *source;
    /** Takes one more of @nodes nodes, which are free, and returns it; @last is the one before, or
     * -1. */
    int32_t (*pick)(const StratQueuePool *pool, int64_t nodes, int32_t last);
} StratQueuePlacement;

const StratQueuePlacement *strat_queue_placement_all(size_t *count);

/** The placement called @name (NULL: the first). NULL and @error, naming the known ones. */
const StratQueuePlacement *strat_queue_placement_by_name(const char *name, GError **error);

/** @nodes free nodes, @per_leaf under a leaf. @slow_ppm (borrowed): of @classes x @classes, how
 * much longer a job of the row's takes beside one of the column's. */
StratQueuePool *strat_queue_pool_new(int64_t nodes, int64_t per_leaf, size_t classes,
                                     const int64_t *slow_ppm);
void strat_queue_pool_free(StratQueuePool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratQueuePool, strat_queue_pool_free)

/** Takes @nodes, 1 to those that are free, as @placement says, for a job of class @class. */
StratQueueTaken strat_queue_pool_take(StratQueuePool *pool, const StratQueuePlacement *placement,
                                      int64_t nodes, uint32_t class);

/** Frees the chain of @first, of a job of class @class. */
void strat_queue_pool_give(StratQueuePool *pool, int32_t first, uint32_t class);

/** Takes the free node @node away, and brings it back. */
void strat_queue_pool_remove(StratQueuePool *pool, int32_t node);
void strat_queue_pool_return(StratQueuePool *pool, int32_t node);
bool strat_queue_pool_is_free(const StratQueuePool *pool, int32_t node);

#endif

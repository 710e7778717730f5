/** Folding: ranks that behave alike are simulated once. */
#ifndef STRAT_FOLD_H
#define STRAT_FOLD_H

#include "strat_layout.h"

#include <stdbool.h>
#include <stdint.h>

/** Ranks sorted into classes. */
typedef struct StratFold {
    int64_t ranks;
    int64_t classes;
    uint32_t *class_of;      /* of every rank */
    int64_t *representative; /* of every class: its first rank */
    int64_t *multiplicity;   /* ranks in every class */
} StratFold;

/** Where a rank stands, as far as any price depends on it. */
typedef struct StratPosition {
    int64_t tensor_per_domain;
    int64_t context_per_domain;
    int64_t data_per_domain;
    int64_t send_next_per_domain; /* 2 when the next stage's rank is in the same domain, else 1 */
    int64_t send_previous_per_domain;
    int64_t ends_per_domain; /* likewise for the first and the last stage */
} StratPosition;

/** Which GPU each rank runs on: rank r on GPU @gpu_of_rank[r], or on GPU r when that is NULL.
 *  Borrowed. */
typedef struct StratPlaces {
    const TopoCluster *cluster;
    const int64_t *gpu_of_rank;
} StratPlaces;

StratPosition strat_position(const StratPlaces *places, const StratPlan *plan, int64_t rank);

/** Sorts the ranks of @plan; every rank its own class unless @enabled. Free with
 *  strat_fold_free(). */
StratFold *strat_fold_new(const StratPlaces *places, const StratPlan *plan, bool enabled);

void strat_fold_free(StratFold *fold);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratFold, strat_fold_free)

#endif

/** Folding: ranks that behave alike are simulated once. */
#ifndef STRAT_FOLD_H
#define STRAT_FOLD_H

#include "strat_layout.h"
#include "strat_places.h"

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
    int64_t data_per_domain; /* of the shard group */
    int64_t copies_per_domain;
    int64_t expert_per_domain, expert_data_per_domain;
    int64_t send_next_per_domain; /* 2 when the next stage's rank is in the same domain, else 1 */
    int64_t send_previous_per_domain;
    int64_t ends_per_domain;   /* likewise for the first and the last stage */
    int64_t mirror_per_domain; /* and for the ranks with the same chunks */
    double clock_fraction;     /* of its GPU */
    /* Bandwidth that the weakest NIC of each group has left; 0: all. */
    double tensor_nic_fraction, context_nic_fraction, data_nic_fraction, ends_nic_fraction;
    double mirror_nic_fraction;
    double copies_nic_fraction, expert_nic_fraction, expert_data_nic_fraction;
    double send_next_nic_fraction, send_previous_nic_fraction;
    /* Kinds of nodes: its own, and of each group. */
    TopoKind kind, data_kind, copies_kind, expert_data_kind, ends_kind;
    TopoKind send_next_kind, send_previous_kind;
} StratPosition;

StratPosition strat_position(const StratPlaces *places, const StratPlan *plan, int64_t rank);

/** What each rank of @plan starts folding from, as a number: its stage, its position and what its
 *  place is like. The caller frees. */
uint64_t *strat_fold_colours(const StratPlaces *places, const StratPlan *plan);

/** Sorts the ranks of @plan; every rank its own class unless @enabled. Free with
 *  strat_fold_free(). */
StratFold *strat_fold_new(const StratPlaces *places, const StratPlan *plan, bool enabled);

void strat_fold_free(StratFold *fold);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratFold, strat_fold_free)

#endif

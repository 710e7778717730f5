/** Where ranks run, and what is worse there than elsewhere. */
#ifndef STRAT_PLACES_H
#define STRAT_PLACES_H

#include "strat_cost.h"
#include "topo_lay.h"

/** Which GPU each rank runs on: rank r on GPU @gpu_of_rank[r], or on GPU r when that is NULL; and
 *  the state of GPUs and NICs, NULL when all are well. Borrowed. */
typedef struct StratPlaces {
    const TopoCluster *cluster;
    const int64_t *gpu_of_rank;
    const StratJobState *state;
    const int64_t *dealt; /* microbatches of each replica; NULL: as many */
} StratPlaces;

/** The places of @costing's ranks. */
StratPlaces strat_places_of(const StratCosting *costing);

/** Whether the state names GPUs and NICs of the cluster, clocks in (0, 1], bandwidths in [0, 1],
 * and leaves every node a way out. False and @error otherwise. */
bool strat_places_check(const StratPlaces *places, GError **error);

/** Whether each group of @plan that works on one microbatch (tensor, context, experts) is on nodes
 *  of one kind. False and @error otherwise. */
bool strat_places_check_kinds(const StratPlaces *places, const StratPlan *plan, GError **error);

/** GPU of @rank. */
int64_t strat_places_gpu(const StratPlaces *places, int64_t rank);

/** The kind of node that @rank runs on. */
TopoKind strat_places_kind(const StratPlaces *places, int64_t rank);

/** The kind of node that all ranks of @group run on, or between kinds. */
TopoKind strat_places_group_kind(const StratPlaces *places, const TopoRanks *group);

/** What is left of the clock of @rank's GPU, in (0, 1]. */
double strat_places_clock(const StratPlaces *places, int64_t rank);

/** The NICs of its node that @gpu sends through: from @first to before @end. */
void strat_places_nics(const TopoCluster *cluster, int64_t gpu, int64_t *first, int64_t *end);

/** What is left of the bandwidth that @rank's node gives it, in [0, 1]. */
double strat_places_nic(const StratPlaces *places, int64_t rank);

/** The least strat_places_nic() of the ranks of @group, or 0 when all is left. */
double strat_places_weakest(const StratPlaces *places, const TopoRanks *group);

#endif

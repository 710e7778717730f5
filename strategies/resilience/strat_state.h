/** The state of a training job that a checkpoint keeps: what each rank holds, and who moves it. */
#ifndef STRAT_STATE_H
#define STRAT_STATE_H

#include "strat_memory.h"

/** Who moves what every rank of a data group holds alike. */
typedef enum StratShare {
    STRAT_SHARE_SPREAD, /* each an equal part */
    STRAT_SHARE_FIRST,  /* the first one alone */
    STRAT_SHARE_ALL,    /* each all of it */
} StratShare;

/** State of one rank of a stage. */
typedef struct StratState {
    double alike_bytes; /* the same on all ranks of its data group */
    double own_bytes;   /* its shard */
} StratState;

/** Nodes whose ranks move as much. */
typedef struct StratStateNodes {
    int64_t count;
    double bytes;     /* of one node */
    double gpu_bytes; /* of its busiest GPU */
} StratStateNodes;

/** State of the ranks of a stage with @memory under @plan. */
StratState strat_state_of(const StratPlan *plan, const StratMemory *memory);

/** Bytes that @rank moves of @state, the stage's, by @share. */
double strat_state_bytes(const StratPlan *plan, const StratState *state, StratShare share,
                         int64_t rank);

/** What every GPU of the cluster moves when all ranks move their part of the job's state by @share:
 *  bytes by number of the GPU. @memory is of StratMemory, by stage. The caller frees it. */
double *strat_state_gpus(const StratCosting *costing, const GArray *memory, StratShare share);

/** The same by nodes (of StratStateNodes), equal ones together, those with the most bytes first;
 *  all nodes of the cluster. The caller frees it. */
GArray *strat_state_nodes(const StratCosting *costing, const GArray *memory, StratShare share);

#endif

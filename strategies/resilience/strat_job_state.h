/** What of a running job is not as planned: what a step depends on beyond its plan. */
#ifndef STRAT_JOB_STATE_H
#define STRAT_JOB_STATE_H

#include <stddef.h>
#include <stdint.h>

/** A GPU below the clock of the others. */
typedef struct StratSlowGpu {
    int64_t gpu; /* of the cluster */
    double clock_fraction;
} StratSlowGpu;

/** A NIC whose wire carries less than it should. */
typedef struct StratWeakNic {
    int64_t node, nic; /* of the cluster; of the node; both -1: every NIC of the cluster */
    double fraction;   /* of its bandwidth that is left; 0: none */
} StratWeakNic;

/** What a job does about nodes that are missing or slow, while it goes on. */
typedef enum StratAdaptation {
    STRAT_ADAPT_NONE,            /* nothing is missing, or whole replicas are (booked apart) */
    STRAT_ADAPT_PEER_TAKEOVER,   /* peers of other replicas take the microbatches (ReCycle) */
    STRAT_ADAPT_REDUNDANT_STAGE, /* the stage before computes the lost one as well (Bamboo) */
    STRAT_ADAPT_TEMPLATES,       /* pipelines of unequal length (Oobleck) */
    STRAT_ADAPT_MORPH,           /* another plan for the nodes that are left (Varuna) */
    STRAT_ADAPT_UNEVEN_TENSOR,   /* a tensor group of fewer ranks (non-uniform TP) */
    STRAT_ADAPT_REBALANCE,       /* microbatches dealt by speed: of the slow GPUs */
    STRAT_ADAPT_SWAP,            /* weak NICs carry pipeline traffic, and no gradients */
    STRAT_ADAPT_COUNT
} StratAdaptation;

/** A state. Arrays are borrowed and sorted by place, each place once. */
typedef struct StratJobState {
    const StratSlowGpu *slow;
    size_t slow_count;
    const StratWeakNic *weak;
    size_t weak_count;
    StratAdaptation adaptation;
    const int64_t *lost_node; /* that are missing under the adaptation */
    size_t lost_count;
    int64_t replicas_lost; /* whole replicas that are missing; the others keep their own share */
} StratJobState;

/** Seconds of a step in @state: the step level's answer. A pure function of @state that threads
 *  may ask at the same time. */
typedef double StratStepFunc(const StratJobState *state, void *ctx);

#endif

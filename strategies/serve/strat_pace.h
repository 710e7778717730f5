/** A replica that is slower than it should be for a time. */
#ifndef STRAT_PACE_H
#define STRAT_PACE_H

#include "strat_replica.h"

/** How much longer than healthy: 1 is healthy. */
typedef struct StratPace {
    double all;     /* every part of an iteration */
    double experts; /* collectives of experts and stages */
    double tensor;  /* collectives of tensor groups */
} StratPace;

/** The paces that one replica has been at. What it priced at one stays valid at the next. */
typedef struct StratPaces StratPaces;

/** Of @replica, borrowed, whose healthy pricer and curve are what it has. */
StratPaces *strat_paces_new(StratReplica *replica);

/** The replica goes at @pace from its next decision on. */
void strat_paces_set(StratPaces *paces, StratPace pace);

/** The replica has its healthy pricer and curve again, and no run may be under way. */
void strat_paces_free(StratPaces *paces);

#endif

/** Local SGD: what islands exchange between their inner steps, and what that costs a step. */
#ifndef STRAT_OUTER_H
#define STRAT_OUTER_H

#include "strat_cost.h"

/** Of one island, for an inner step on average. */
typedef struct StratOuter {
    double round_bytes;      /* out of an island in a round: all fragments once */
    double fragment_s;       /* one exchange of one fragment */
    double passes_s;         /* an inner step's part of the outer optimizer */
    double exposed_s;        /* an inner step's part of the exchanges that somebody waits for */
    double mean_bytes_per_s; /* out of an island, over a round */
    double utilisation;      /* inner steps over all time: the published compute utilisation */
    double reduction;        /* bytes of gradients every step, over these */
} StratOuter;

/** Outer exchanges of @costing's plan, which has islands, with inner steps of @inner_s. Pure. */
StratOuter strat_outer(const StratCosting *costing, double inner_s);

/** Exposed seconds of a round of @fragments exchanges of @fragment_s each, of which each may hide
 *  @hidden_s, under inner steps of @round_s together. Pure. */
double strat_outer_exposed_s(int64_t fragments, double fragment_s, double hidden_s, double round_s);

/** Bytes of one rank for @params parameters: state of the outer optimizer, and differences on their
 *  way. Pure. */
double strat_outer_state_bytes(const StratPlan *plan, double params);
double strat_outer_flight_bytes(const StratPlan *plan, double params);

#endif

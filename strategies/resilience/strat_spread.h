/** Distributions of durations: detection, repair, restart. */
#ifndef STRAT_SPREAD_H
#define STRAT_SPREAD_H

#include "sim_random.h"

typedef enum StratSpreadKind {
    STRAT_SPREAD_FIXED,
    STRAT_SPREAD_EXPONENTIAL,
    STRAT_SPREAD_LOGNORMAL,
    STRAT_SPREAD_COUNT
} StratSpreadKind;

/** A duration: of its kind, or, with the chance @slow_fraction, exponential of mean @slow_mean_s
 *  (a recovery that needs a person). */
typedef struct StratSpread {
    StratSpreadKind kind;
    double mean_s;
    double cv; /* standard deviation over mean, of a lognormal */
    double slow_fraction;
    double slow_mean_s;
} StratSpread;

/** One duration, in s, by the numbers of @stream. */
double strat_spread_draw(const StratSpread *spread, SimRandom stream);

/** Mean of such durations, in s. */
double strat_spread_mean(const StratSpread *spread);

#endif

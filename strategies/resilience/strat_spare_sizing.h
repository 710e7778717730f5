/** How many spares a fleet needs. */
#ifndef STRAT_SPARE_SIZING_H
#define STRAT_SPARE_SIZING_H

#include <stdint.h>

/** Units that are needed all at once (nodes of a job, replicas of a pool), any of which fails now
 *  and then and is away for a time. */
typedef struct StratSpareNeed {
    int64_t units;
    double mtbf_s; /* of one unit, while it runs */
    double away_s; /* from its failure until it can run again, or another is there; the mean */
} StratSpareNeed;

/** Units that are away at one time, the mean, where spares take the places of those that fail. */
double strat_spares_away(const StratSpareNeed *need);

/** The fewest spares with which all units run for the share @target of the time, above 0 and below
 *  1. */
int64_t strat_spares_for_time(const StratSpareNeed *need, double target);

/** The fewest spares with which all units run during the whole of @horizon_s with the chance
 *  @target. */
int64_t strat_spares_for_horizon(const StratSpareNeed *need, double horizon_s, double target);

/** The fewest spares S with P(Binomial(@units, @chance) > S) <= 1 - @target: of a fleet of that
 *  many, of which each is away with the chance @chance. */
int64_t strat_spares_binomial(int64_t units, double chance, double target);

#endif

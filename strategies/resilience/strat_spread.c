/* Durations with a tail. Recoveries are mostly automatic and alike, and rarely manual and long: the
 * median of OLMo's recoveries is 3.7 min, their mean 38.9 min. So a duration is
 *
 *     fixed, exponential, or lognormal: exp(mu + sigma z), sigma^2 = ln(1 + cv^2),
 *     mu = ln(mean) - sigma^2 / 2
 *
 * or, with a chance of its own, exponential of a mean of its own. */
#include "strat_spread.h"

#include "sim_math.h"

#include <math.h>

static double lognormal(const StratSpread *spread, SimRandom *stream)
{
    double variance = sim_math_log(1.0 + spread->cv * spread->cv);
    double mu = sim_math_log(spread->mean_s) - variance / 2.0;
    return sim_math_exp(sim_random_normal(stream, mu, sqrt(variance)));
}

double strat_spread_draw(const StratSpread *spread, SimRandom stream)
{
    if (spread->slow_fraction > 0.0 && sim_random_uniform(&stream) < spread->slow_fraction)
        return sim_random_exponential(&stream, spread->slow_mean_s);
    if (spread->mean_s <= 0.0)
        return 0.0;
    if (spread->kind == STRAT_SPREAD_EXPONENTIAL)
        return sim_random_exponential(&stream, spread->mean_s);
    if (spread->kind == STRAT_SPREAD_LOGNORMAL)
        return lognormal(spread, &stream);
    return spread->mean_s;
}

double strat_spread_mean(const StratSpread *spread)
{
    return (1.0 - spread->slow_fraction) * spread->mean_s +
           spread->slow_fraction * spread->slow_mean_s;
}

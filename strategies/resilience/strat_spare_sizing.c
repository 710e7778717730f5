/*
 * Spares. N units run, each fails once in M, spares take their places at once, and what failed is
 * away for a time of mean T. Failures then come at the rate N / M whoever runs, and the number of
 * units that are away is that of an M/G/infinity queue: Poisson of mean
 *
 *     m = N T / M
 *
 * whatever the distribution of T is. With S spares somebody is missing while more than S are away:
 *
 *     for time        P(Poisson(m) > S) <= 1 - target            share of the time, in the long run
 *     for a horizon   exp(-(N / M) H P(Poisson(m) = S)) >= target
 *
 * The second is the chance that in H nobody is ever missing: a failure that finds exactly S away is
 * the start of a shortage, failures see the time average (PASTA), and starts are taken as a Poisson
 * process (they come in clumps, so it is on the safe side). A fleet of fixed size whose members are
 * away with a chance p each needs the tail of Binomial(N, p) instead, as ByteRobust sizes its
 * standbys (SOSP 2025, arXiv 2509.16293: P99, for instance 4 of 1024).
 *
 * Left out: failures that take several units at once, repairs that wait for hands or parts.
 */
#include "strat_spare_sizing.h"

#include "sim_math.h"

double strat_spares_away(const StratSpareNeed *need)
{
    return (double)need->units * need->away_s / need->mtbf_s;
}

static double poisson(double mean, int64_t count)
{
    double k = (double)count;
    if (mean <= 0.0)
        return count == 0 ? 1.0 : 0.0;
    return sim_math_exp(k * sim_math_log(mean) - mean - sim_math_log_gamma(k + 1.0));
}

static double binomial(int64_t units, double chance, int64_t count)
{
    double n = (double)units, k = (double)count;
    if (chance <= 0.0 || chance >= 1.0)
        return count == (chance <= 0.0 ? 0 : units) ? 1.0 : 0.0;
    return sim_math_exp(sim_math_log_gamma(n + 1.0) - sim_math_log_gamma(k + 1.0) -
                        sim_math_log_gamma(n - k + 1.0) + k * sim_math_log(chance) +
                        (n - k) * sim_math_log(1.0 - chance));
}

int64_t strat_spares_for_time(const StratSpareNeed *need, double target)
{
    double mean = strat_spares_away(need);
    double sum = poisson(mean, 0);
    int64_t spares = 0;
    /* Far above the mean the sum is 1 but for its rounding. */
    while (sum < target && ((double)spares < mean || poisson(mean, spares) > 1e-300))
        sum += poisson(mean, ++spares);
    return spares;
}

int64_t strat_spares_for_horizon(const StratSpareNeed *need, double horizon_s, double target)
{
    double mean = strat_spares_away(need);
    double failures = (double)need->units * horizon_s / need->mtbf_s;
    int64_t spares = (int64_t)mean; /* the chance of S falls from there on */
    while (sim_math_exp(-failures * poisson(mean, spares)) < target)
        spares++;
    return spares;
}

int64_t strat_spares_binomial(int64_t units, double chance, double target)
{
    double sum = binomial(units, chance, 0);
    int64_t spares = 0;
    while (sum < target && spares < units)
        sum += binomial(units, chance, ++spares);
    return spares;
}

/* Token counts by distribution.
 *
 *   lognormal     exp(mu + sigma z),  mu = ln mean - sigma^2 / 2,
 *                 sigma^2 = 2 ln(mean / median) = ln(1 + cv^2)
 *   exponential   -mean ln(1 - u)
 *   geometric     1 + floor(ln(1 - u) / ln(1 - 1 / mean)): P(n) = (1 - p)^(n - 1) p, p = 1 / mean
 *   histogram     a bin by its weight, then evenly within its edges
 *
 * Reals are rounded to the nearest whole number, halves upwards, and then clipped: clipping gathers
 * the tail at the bound, and moves the mean. A histogram's lower edge is a length that occurs, its
 * upper edge one that does not. */
#include "strat_traffic_length.h"

#include "sim_math.h"
#include "strat_traffic_shares.h"

#include <glib.h>
#include <math.h>

static const double MOST = 0x1p40;

double strat_length_sigma_of_median(double mean, double median)
{
    return mean > median ? sqrt(2.0 * sim_math_log(mean / median)) : 0.0;
}

double strat_length_sigma_of_cv(double cv)
{
    return sqrt(sim_math_log(1.0 + cv * cv));
}

static double constant(const StratLength *length, SimRandom *stream)
{
    (void)stream;
    return length->mean;
}

static double uniform(const StratLength *length, SimRandom *stream)
{
    uint64_t width = (uint64_t)(length->most - length->least) + 1;
    return (double)(length->least + (int64_t)sim_random_below(stream, width));
}

static double lognormal(const StratLength *length, SimRandom *stream)
{
    double z = sim_random_normal(stream, 0.0, 1.0);
    return length->mean * sim_math_exp(length->sigma * (z - 0.5 * length->sigma));
}

static double exponential(const StratLength *length, SimRandom *stream)
{
    return sim_random_exponential(stream, length->mean);
}

static double geometric(const StratLength *length, SimRandom *stream)
{
    if (length->mean <= 1.0)
        return 1.0;
    return 1.0 +
           floor(sim_random_exponential(stream, -1.0) / sim_math_log(1.0 - 1.0 / length->mean));
}

static double histogram(const StratLength *length, SimRandom *stream)
{
    size_t bin = strat_shares_pick(length->running, length->count, sim_random_uniform(stream));
    double low = length->edge[bin], high = length->edge[bin + 1];
    return floor(low + (high - low) * sim_random_uniform(stream));
}

static double values(const StratLength *length, SimRandom *stream)
{
    return length->edge[sim_random_below(stream, length->count)];
}

int64_t strat_length_draw(const StratLength *length, SimRandom *stream)
{
    static double (*const draws[])(const StratLength *, SimRandom *) = {
        [STRAT_LENGTH_CONSTANT] = constant,   [STRAT_LENGTH_UNIFORM] = uniform,
        [STRAT_LENGTH_LOGNORMAL] = lognormal, [STRAT_LENGTH_EXPONENTIAL] = exponential,
        [STRAT_LENGTH_GEOMETRIC] = geometric, [STRAT_LENGTH_HISTOGRAM] = histogram,
        [STRAT_LENGTH_VALUES] = values,
    };
    double drawn = floor(draws[length->kind](length, stream) + 0.5);
    int64_t tokens = (int64_t)CLAMP(drawn, 1.0, MOST);
    tokens = MAX(tokens, length->least);
    return length->most > 0 ? MIN(tokens, length->most) : tokens;
}

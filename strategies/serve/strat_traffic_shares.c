/* Weighted choice by inversion: the first index whose running sum is above u times the total, found
 * by halving. Zipf's law (popularity of the i-th most popular, i^-s) is what traffic over many
 * adapters is commonly taken to follow. */
#include "strat_traffic_shares.h"

#include "sim_math.h"

void strat_shares_sum(double *weight, size_t count)
{
    for (size_t i = 1; i < count; i++)
        weight[i] += weight[i - 1];
}

void strat_shares_zipf(double *running, size_t count, double exponent)
{
    for (size_t i = 0; i < count; i++)
        running[i] = sim_math_exp(-exponent * sim_math_log((double)(i + 1)));
    strat_shares_sum(running, count);
}

size_t strat_shares_pick(const double *running, size_t count, double uniform)
{
    double at = uniform * running[count - 1];
    size_t low = 0, high = count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (running[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

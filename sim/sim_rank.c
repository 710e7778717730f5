#include "sim_rank.h"

#include <math.h>

/* From 1. */
static double rank(const double *values, size_t count, size_t index)
{
    double below = 0.0, equal = 0.0;
    for (size_t i = 0; i < count; i++) {
        below += values[i] < values[index];
        equal += !(values[i] < values[index]) && !(values[i] > values[index]);
    }
    return below + (equal + 1.0) / 2.0;
}

double sim_rank_correlation(const double *a, const double *b, size_t count)
{
    double mean = ((double)count + 1.0) / 2.0, both = 0.0, a2 = 0.0, b2 = 0.0;
    for (size_t i = 0; i < count; i++) {
        double x = rank(a, count, i) - mean, y = rank(b, count, i) - mean;
        both += x * y;
        a2 += x * x;
        b2 += y * y;
    }
    return both / sqrt(a2 * b2);
}

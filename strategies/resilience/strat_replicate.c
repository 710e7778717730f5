/* What replications say together.
 *
 * Confidence intervals are mean +- 1.645 s / sqrt(n), normal; n of a few dozen is enough for that.
 */
#include "strat_replicate.h"

#include <math.h>
#include <stdlib.h>

static const double NORMAL_90 = 1.6448536269514722; /* 95 % quantile of the normal distribution */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

StratEstimate strat_estimate(double *values, int64_t count)
{
    if (count == 0)
        return (StratEstimate){NAN, NAN, NAN, NAN, NAN};
    double mean = 0.0, square = 0.0, n = (double)count;
    for (int64_t i = 0; i < count; i++)
        mean += values[i] / n;
    for (int64_t i = 0; i < count; i++)
        square += (values[i] - mean) * (values[i] - mean);
    double error = count > 1 ? NORMAL_90 * sqrt(square / (n - 1.0) / n) : 0.0;
    qsort(values, (size_t)count, sizeof values[0], compare);
    return (StratEstimate){
        .mean = mean,
        .low = mean - error,
        .high = mean + error,
        .least = values[(int64_t)floor(0.025 * (n - 1.0))],
        .most = values[(int64_t)ceil(0.975 * (n - 1.0))],
    };
}

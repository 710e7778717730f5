/* Median and spread of repeated measurements. The median, not the mean: a repeat that met a clock
 * change or an interrupt is far above the rest and says nothing of the kernel. Not the minimum
 * either: a step runs every kernel once, at its usual time. */
#include "kern_gpu_stats.h"

#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    const double *x = (const double *)a, *y = (const double *)b;
    return (*x > *y) - (*x < *y);
}

static double quantile(const double *sorted, size_t count, double fraction)
{
    double position = fraction * (double)(count - 1);
    size_t below = (size_t)position;
    if (below + 1 >= count)
        return sorted[count - 1];
    return sorted[below] + (position - (double)below) * (sorted[below + 1] - sorted[below]);
}

KernGpuSummary kern_gpu_summary(double *values, size_t count)
{
    qsort(values, count, sizeof values[0], ascending);
    double median = quantile(values, count, 0.5);
    double width = quantile(values, count, 0.84) - quantile(values, count, 0.16);
    KernGpuSummary summary = {median, median > 0.0 ? 0.5 * width / median : 0.0};
    return summary;
}

int kern_gpu_repeats(double estimate_s, double budget_s, int least, int most)
{
    if (estimate_s * most <= budget_s)
        return most;
    int affordable = (int)(budget_s / estimate_s);
    return affordable > least ? affordable : least;
}

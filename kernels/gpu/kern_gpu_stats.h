/** What is said of the repeats of one measurement. */
#ifndef KERN_GPU_STATS_H
#define KERN_GPU_STATS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @spread_fraction is half the distance between the 16th and the 84th percentile over the median:
 *  the relative standard deviation if the repeats were normal, and deaf to a few outliers. */
typedef struct KernGpuSummary {
    double median;
    double spread_fraction;
} KernGpuSummary;

/** Sorts @values and summarises them; quantiles interpolate linearly. @count is at least 1. */
KernGpuSummary kern_gpu_summary(double *values, size_t count);

/** How often to repeat a call of @estimate_s so that it takes @budget_s, but at least @least and at
 *  most @most times. */
int kern_gpu_repeats(double estimate_s, double budget_s, int least, int most);

#ifdef __cplusplus
}
#endif

#endif

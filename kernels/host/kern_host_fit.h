/** From measurements to the coefficients of a CPU. */
#ifndef KERN_HOST_FIT_H
#define KERN_HOST_FIT_H

#include "kern_fit.h"
#include "kern_host_bench.h"

/** Fits @fit to @rows of one input type, minimising the mean of |log(predicted / measured)|.
 *  Deterministic. */
KernFitError kern_host_fit_gemm(const KernGemmRow *rows, size_t count, KernHostGemmFit *fit);

/** Fills @fit from the settled tasks of @bench, which ran on @threads threads. */
void kern_host_fit_bench(const KernHostBench *bench, int threads, KernHostFit *fit);

/** Bytes per second of @stream at level @level. */
double kern_host_stream_bytes_per_s(const KernHostBench *bench, KernHostStream stream,
                                    size_t level);

#endif

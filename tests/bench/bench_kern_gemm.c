/*
 * Nanoseconds of one cost query of a product, over the shapes that decode, prefill and training ask
 * for, with coefficients like those of an H100: once with all tiles and splits to choose from, once
 * with an engine's table of kernels, once with integer weights. Prints one line for each, in time
 * of this process alone, and fails nothing: rates belong to the machine (target: 100 ns). With
 * --quick, a tenth of the queries.
 */
#include "kern_gemm.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { QUERIES = 4000000, BATCHES = 20 };

static const KernGemmFit fit = {
    .compute_fraction = 0.94,
    .feed_bytes_per_clock = 100.0,
    .step_s = 5e-8,
    .prologue_s = 5e-7,
    .epilogue_s = 9e-7,
    .wave_quantisation = 0.3,
    .memory_fraction = 0.9,
    .overlap_loss = 0.16,
    .launch_s = 2.5e-6,
    .split_s = 2.3e-6,
    .quantise_launch_s = 1e-6,
    .quantise_row_s = 6.7e-9,
    .quantise_pass_s = 4e-9,
    .quantise_latency_s = 5e-7,
    .rows = 1,
};

static const int64_t heights[] = {1, 2, 7, 16, 64, 200, 512, 2048, 4096, 16384};
static const int64_t widths[] = {128, 1024, 2560, 4096, 5120, 8192, 14336, 28672};

static double query_ns(const KernProfile *profile, TopoDtype dtype, KernGemmWeights weights,
                       size_t queries)
{
    TopoGpu gpu = {.memory_bytes_per_s = 3.35e12, .multiprocessors = 132, .boost_clock_hz = 1.83e9};
    for (int t = 0; t < TOPO_DTYPE_COUNT; t++)
        gpu.peak_flop_per_s[t] = 989e12;
    KernDevice device = {.gpu = &gpu, .profile = profile, .clock_fraction = 0.9};
    double sum = 0.0, least_ns = INFINITY;
    for (size_t batch = 0; batch < BATCHES; batch++) {
        double began_s = (double)clock() / CLOCKS_PER_SEC;
        for (size_t i = 0; i < queries / BATCHES; i++) {
            KernGemmShape shape = {.batch = 1,
                                   .m = heights[i % G_N_ELEMENTS(heights)],
                                   .n = widths[i / 10 % G_N_ELEMENTS(widths)],
                                   .k = widths[i / 80 % G_N_ELEMENTS(widths)],
                                   .dtype = dtype,
                                   .quantised = dtype == TOPO_DTYPE_FP8,
                                   .weights = weights};
            sum += kern_gemm_s(&device, &shape);
        }
        double took_s = (double)clock() / CLOCKS_PER_SEC - began_s;
        least_ns = fmin(least_ns, took_s * 1e9 / (double)(queries / BATCHES));
    }
    return sum > 0.0 ? least_ns : -1.0;
}

int main(int argc, char **argv)
{
    size_t queries = argc > 1 && strcmp(argv[1], "--quick") == 0 ? QUERIES / 10 : QUERIES;
    KernProfile profile = {.name = "bench"};
    profile.gemm[TOPO_DTYPE_BF16] = profile.gemm[TOPO_DTYPE_FP8] = fit;
    profile.gemm[TOPO_DTYPE_FP8].kernels = KERN_GEMM_VLLM_SM90;
    profile.gemm[KERN_GEMM_INT4_WO] = fit;
    profile.gemm[KERN_GEMM_INT4_WO].dequantise_per_clock = 64.0;
    profile.gemm[KERN_GEMM_INT4_WO].vector_step_s = 6e-8;
    printf("kern_gemm fastest of all tiles: %6.1f ns a query\n",
           query_ns(&profile, TOPO_DTYPE_BF16, KERN_WEIGHTS_PLAIN, queries));
    printf("kern_gemm kernels of an engine: %6.1f ns a query\n",
           query_ns(&profile, TOPO_DTYPE_FP8, KERN_WEIGHTS_PLAIN, queries));
    printf("kern_gemm integer weights:      %6.1f ns a query\n",
           query_ns(&profile, TOPO_DTYPE_BF16, KERN_WEIGHTS_INT4, queries));
    return 0;
}

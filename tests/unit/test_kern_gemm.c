/* The GEMM form at its limits, on a GPU of 100 SMs, 100 TFLOP/s and 1 TB/s.
 *
 * Monotone, and tested as such: in batch, m and n (more tiles never mean fewer waves), and in k
 * where the output alone fills the GPU. In k at large it is not: a longer k allows more splits, and
 * on an empty GPU the shorter pieces finish sooner, here as in the libraries. */
#include "kern_fit.h"
#include "kern_gemm.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>

static KernDevice device_of(const ToyWorld *world)
{
    return (KernDevice){
        .gpu = &world->cluster.node.gpu, .profile = &world->profile, .clock_fraction = 1.0};
}

static KernGemmShape shape(int64_t batch, int64_t m, int64_t n, int64_t k)
{
    return (KernGemmShape){.batch = batch, .m = m, .n = n, .k = k, .dtype = TOPO_DTYPE_BF16};
}

static double seconds(const ToyWorld *world, KernGemmShape s)
{
    KernDevice device = device_of(world);
    return kern_gemm_s(&device, &s);
}

/* A world whose products can use one tile only, the others being hopeless. */
static ToyWorld one_tile(KernTile tile, double quantisation)
{
    ToyWorld world = toy_world();
    KernGemmFit *fit = &world.profile.gemm[TOPO_DTYPE_BF16];
    for (int t = 0; t < KERN_TILE_COUNT; t++)
        fit->tile_fraction[t] = t == (int)tile ? 1.0 : 1e-4;
    fit->wave_quantisation = quantisation;
    return world;
}

static void expect_ratio(double got, double want, double tolerance, const char *what)
{
    cr_expect(fabs(got / want - 1.0) <= tolerance, "%s: %g, not %g", what, got, want);
}

Test(kern_gemm, counts_two_flop_a_multiplication)
{
    KernGemmShape s = shape(3, 5, 7, 11);
    cr_expect((int)kern_gemm_flop(&s) == 2 * 3 * 5 * 7 * 11);
}

/* 8192 tiles in 82 waves where 81.92 would do: 0.1 % of tail. */
Test(kern_gemm, a_huge_product_runs_at_the_best_tiles_share_of_the_peak)
{
    ToyWorld world = toy_world();
    KernGemmShape s = shape(1, 16384, 16384, 16384);
    expect_ratio(seconds(&world, s), kern_gemm_flop(&s) / (0.8 * 1e14), 0.01, "seconds");
    cr_expect(seconds(&world, s) > kern_gemm_flop(&s) / (0.8 * 1e14), "never above the rate");
}

Test(kern_gemm, a_tiny_product_takes_its_launch)
{
    ToyWorld world = toy_world();
    double got = seconds(&world, shape(1, 8, 8, 8));
    cr_expect(got > 1e-6 && got < 1.1e-6, "%g s", got); /* one small tile: 0.08 us */
}

/* 16 rows against a 16384 x 16384 matrix: 512 MiB to read, a few tens of us to compute. */
Test(kern_gemm, a_thin_product_takes_its_bytes_over_the_bandwidth)
{
    ToyWorld world = one_tile(KERN_TILE_64X16, 0.0);
    double bytes = 2.0 * (16384.0 * 16384.0 + 2.0 * 16.0 * 16384.0);
    expect_ratio(seconds(&world, shape(1, 16, 16384, 16384)), bytes / 1e12 + 1e-6, 0.01, "seconds");
    world.profile.gemm[TOPO_DTYPE_BF16].memory_fraction = 0.5;
    expect_ratio(seconds(&world, shape(1, 16, 16384, 16384)), bytes / 0.5e12 + 1e-6, 0.01,
                 "at half the bandwidth");
}

/* 100 tiles fill 100 SMs once; a row more is a tenth more tiles and, quantised, a second wave. */
Test(kern_gemm, a_partial_wave_costs_what_the_quantisation_says)
{
    static const double quantisations[] = {0.0, 0.25, 0.5, 1.0};
    for (size_t i = 0; i < G_N_ELEMENTS(quantisations); i++) {
        double q = quantisations[i];
        ToyWorld world = one_tile(KERN_TILE_128X128, q);
        double full = seconds(&world, shape(1, 1280, 1280, 1 << 16)) - 1e-6;
        double more = seconds(&world, shape(1, 1281, 1280, 1 << 16)) - 1e-6;
        expect_ratio(more / full, q * 2.0 + (1.0 - q) * 1.1, 1e-3, "a row more");
    }
}

Test(kern_gemm, a_tile_that_sticks_out_is_paid_in_full)
{
    ToyWorld world = one_tile(KERN_TILE_128X128, 1.0);
    double whole = seconds(&world, shape(1, 1280, 1280, 1 << 16));
    double ragged = seconds(&world, shape(1, 1224, 1280, 1 << 16));
    expect_ratio(ragged, whole, 1e-3, "72 of the last 128 rows");
}

/* One tile of a hundred SMs, 512 steps of k to hand out sixteen ways. */
Test(kern_gemm, a_long_inner_dimension_is_split_over_idle_multiprocessors)
{
    ToyWorld world = one_tile(KERN_TILE_128X128, 1.0);
    double alone = 2.0 * 128.0 * 128.0 * 65536.0 / 1e12;
    double got = seconds(&world, shape(1, 128, 128, 65536));
    cr_expect(got < alone / 4.0, "%g s on one SM, %g s", alone, got);
    cr_expect(got > alone / 16.0, "no more than sixteen ways");
}

Test(kern_gemm, never_beats_the_peak_or_the_bandwidth)
{
    ToyWorld world = toy_world();
    for (int64_t m = 8; m <= 8192; m *= 4) {
        for (int64_t n = 8; n <= 8192; n *= 4) {
            for (int64_t k = 8; k <= 8192; k *= 4) {
                KernGemmShape s = shape(1, m, n, k);
                double bytes = 2.0 * (double)(m * k + k * n + m * n);
                cr_expect(seconds(&world, s) >= kern_gemm_flop(&s) / 1e14);
                cr_expect(seconds(&world, s) >= bytes / 1e12);
            }
        }
    }
}

static void expect_monotone(const ToyWorld *world, KernGemmShape from, int64_t *dimension,
                            KernGemmShape *at, const char *name)
{
    double last = 0.0;
    *at = from;
    for (int64_t value = 8; value <= 20000; value += value < 1024 ? 8 : 328) {
        *dimension = value;
        double now = seconds(world, *at);
        cr_expect(now >= last, "%s = %d: %g s after %g", name, (int)value, now, last);
        last = now;
    }
}

Test(kern_gemm, more_batches_rows_and_columns_never_take_less)
{
    static const double quantisations[] = {0.0, 0.4, 1.0};
    KernGemmShape at;
    for (size_t i = 0; i < G_N_ELEMENTS(quantisations); i++) {
        ToyWorld world = toy_world();
        world.profile.gemm[TOPO_DTYPE_BF16].wave_quantisation = quantisations[i];
        for (int64_t k = 64; k <= 4096; k *= 8) {
            expect_monotone(&world, shape(1, 96, 200, k), &at.m, &at, "m");
            expect_monotone(&world, shape(1, 2048, 200, k), &at.n, &at, "n");
            expect_monotone(&world, shape(1, 96, 200, k), &at.batch, &at, "batch");
        }
    }
}

Test(kern_gemm, a_longer_inner_dimension_never_takes_less_where_the_output_fills_the_gpu)
{
    KernGemmShape at;
    ToyWorld world = toy_world();
    world.profile.gemm[TOPO_DTYPE_BF16].tile_overhead_k = 100.0;
    expect_monotone(&world, shape(1, 4096, 4096, 8), &at.k, &at, "k");
    expect_monotone(&world, shape(64, 512, 512, 8), &at.k, &at, "k");
}

Test(kern_gemm, better_devices_are_never_slower)
{
    ToyWorld slow = toy_world(), peak = slow, memory = slow;
    for (int t = 0; t < TOPO_DTYPE_COUNT; t++)
        peak.cluster.node.gpu.peak_flop_per_s[t] *= 2.0;
    memory.cluster.node.gpu.memory_bytes_per_s *= 2.0;
    for (int64_t m = 8; m <= 8192; m *= 4) {
        for (int64_t k = 8; k <= 8192; k *= 4) {
            KernGemmShape s = shape(1, m, 1024, k);
            cr_expect(seconds(&peak, s) <= seconds(&slow, s));
            cr_expect(seconds(&memory, s) <= seconds(&slow, s));
        }
    }
}

Test(kern_gemm, the_clock_scales_compute)
{
    ToyWorld world = toy_world();
    KernDevice half = device_of(&world);
    half.clock_fraction = 0.5;
    KernGemmShape s = shape(1, 16384, 16384, 16384);
    expect_ratio(kern_gemm_s(&half, &s), 2.0 * seconds(&world, s), 1e-3, "half the clock");
}

Test(kern_gemm, a_type_without_a_fit_borrows_one_and_scales_by_the_peak)
{
    ToyWorld world = toy_world();
    world.profile.gemm[TOPO_DTYPE_FP8] = (KernGemmFit){0};
    world.cluster.node.gpu.peak_flop_per_s[TOPO_DTYPE_FP8] = 2e14;
    KernGemmShape wide = shape(1, 16384, 16384, 16384), narrow = wide;
    narrow.dtype = TOPO_DTYPE_FP8;
    expect_ratio(seconds(&world, narrow), seconds(&world, wide) / 2.0, 1e-3, "fp8");
}

/* Coefficients to make synthetic measurements with: tiles from large to small, k0, wave
 * quantisation, memory fraction, overlap exponent, launch. */
static const double truths[][10] = {
    {0.80, 0.70, 0.50, 0.40, 0.20, 60,  0.7, 0.90, 4, 3e-6},
    {0.85, 0.75, 0.60, 0.45, 0.15, 200, 0.3, 0.85, 2, 5e-6},
    {0.70, 0.72, 0.60, 0.50, 0.20, 100, 0.5, 0.80, 3, 4e-6},
};

enum { ROWS = 343 };

static ToyWorld world_of(const double *truth)
{
    ToyWorld world = toy_world();
    KernGemmFit *fit = &world.profile.gemm[TOPO_DTYPE_BF16];
    for (int t = 0; t < KERN_TILE_COUNT; t++)
        fit->tile_fraction[t] = truth[t];
    fit->tile_overhead_k = truth[5];
    fit->wave_quantisation = truth[6];
    fit->memory_fraction = truth[7];
    fit->overlap_exponent = truth[8];
    fit->launch_s = truth[9];
    return world;
}

static void fill_rows(const ToyWorld *truth, KernGemmRow *rows)
{
    static const int64_t sizes[] = {64, 192, 512, 1024, 2560, 4096, 8192};
    for (size_t i = 0; i < ROWS; i++) {
        rows[i].shape = shape(1, sizes[i % 7], sizes[i / 7 % 7], sizes[i / 49]);
        rows[i].seconds = seconds(truth, rows[i].shape);
    }
}

Test(kern_gemm, the_fit_recovers_what_synthetic_rows_were_made_with)
{
    for (size_t i = 0; i < G_N_ELEMENTS(truths); i++) {
        ToyWorld truth = world_of(truths[i]);
        const TopoGpu *gpu = &truth.cluster.node.gpu;
        KernGemmFit found = {0};
        KernGemmRow rows[ROWS];
        fill_rows(&truth, rows);
        KernFitError error = kern_fit_gemm(gpu, rows, ROWS, &found);
        cr_expect(error.rows == ROWS && found.rows == ROWS);
        cr_expect(error.median_fraction < 0.01, "truth %zu: median %g", i, error.median_fraction);
        cr_expect(error.p90_fraction < 0.01, "truth %zu: p90 %g", i, error.p90_fraction);
        KernFitError again = kern_fit_gemm_error(gpu, rows, ROWS, &found);
        cr_expect(again.median_fraction <= error.median_fraction &&
                      again.median_fraction >= error.median_fraction,
                  "the reported error is the fit's");
    }
}

Test(kern_gemm, the_fit_of_one_gpu_is_wrong_for_a_gpu_twice_as_fast)
{
    ToyWorld truth = toy_world();
    KernGemmRow rows[ROWS];
    fill_rows(&truth, rows);
    TopoGpu fast = truth.cluster.node.gpu;
    fast.peak_flop_per_s[TOPO_DTYPE_BF16] *= 2.0;
    fast.memory_bytes_per_s *= 2.0;
    KernFitError error =
        kern_fit_gemm_error(&fast, rows, ROWS, &truth.profile.gemm[TOPO_DTYPE_BF16]);
    cr_expect(error.p90_fraction > 0.3 && error.bias_fraction < -0.05);
}

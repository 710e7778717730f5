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

/* A product whose activations an engine converts, at no cost, for its own kernels. */
static ToyWorld engine_world(KernGemmKernels kernels)
{
    ToyWorld world = toy_world();
    KernGemmFit *fit = &world.profile.gemm[TOPO_DTYPE_BF16];
    fit->kernels = kernels;
    fit->compute_fraction = 1.0;
    fit->quantise_row_s = 1e-30;
    return world;
}

/* Seconds of the product alone, in a world whose memory is out of the way. */
static double engine_product_s(const ToyWorld *world, int64_t m, int64_t n, int64_t k)
{
    ToyWorld fast = *world;
    fast.cluster.node.gpu.memory_bytes_per_s = 1e30;
    KernGemmShape s = shape(1, m, n, k);
    s.quantised = true;
    return seconds(&fast, s) - 1e-6;
}

/* 32 steps of k of one tile on an SM of 1 TFLOP/s. */
static double tile_steps_s(double rows, double columns, double k)
{
    return 2.0 * rows * columns * k / 1e12;
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
    ToyWorld world = toy_world();
    double bytes = 2.0 * (16384.0 * 16384.0 + 2.0 * 16.0 * 16384.0);
    expect_ratio(seconds(&world, shape(1, 16, 16384, 16384)), bytes / 1e12 + 1e-6, 0.01, "seconds");
    world.profile.gemm[TOPO_DTYPE_BF16].memory_fraction = 0.5;
    expect_ratio(seconds(&world, shape(1, 16, 16384, 16384)), bytes / 0.5e12 + 1e-6, 0.01,
                 "at half the bandwidth");
}

/* A third of the compute, 2 * 16 * 16384^2 / 0.8e14 s in whole tiles of 16 rows, shows too. */
Test(kern_gemm, what_does_not_overlap_is_added)
{
    ToyWorld world = toy_world();
    world.profile.gemm[TOPO_DTYPE_BF16].wave_quantisation = 0.0;
    double hidden = seconds(&world, shape(1, 16, 16384, 16384));
    world.profile.gemm[TOPO_DTYPE_BF16].overlap_loss = 1.0 / 3.0;
    double bare = seconds(&world, shape(1, 16, 16384, 16384)) - hidden;
    expect_ratio(bare, 2.0 * 16.0 * 16384.0 * 16384.0 / 0.8e14 / 3.0, 1e-3, "bare compute");
}

/* A tile of 128 x 128 takes in 256 * 2 bytes a step of k, in 4 clocks of 1 GHz 128 of them. */
Test(kern_gemm, a_tile_waits_for_its_operands)
{
    ToyWorld world = engine_world(KERN_GEMM_VLLM_SM90);
    world.profile.gemm[TOPO_DTYPE_BF16].feed_bytes_per_clock = 4.0;
    expect_ratio(engine_product_s(&world, 256, 128, 1024), 1024.0 * 512.0 / 4e9, 1e-6, "feed");
}

/* One wave: 32 steps of 32, whatever the tile computes; then 33, since k is cut into whole ones. */
Test(kern_gemm, a_step_of_k_has_a_least_time)
{
    ToyWorld world = engine_world(KERN_GEMM_VLLM_SM90);
    world.profile.gemm[TOPO_DTYPE_BF16].step_s = 2e-6;
    expect_ratio(engine_product_s(&world, 16, 64, 1024), 32.0 * 2e-6, 1e-6, "32 steps");
    expect_ratio(engine_product_s(&world, 16, 64, 1032), 33.0 * 2e-6, 1e-6, "33 steps");
}

/* 4 + 1 us a tile of 128 x 128, in two waves of pairs. */
Test(kern_gemm, every_tile_pays_its_prologue_and_epilogue)
{
    ToyWorld world = engine_world(KERN_GEMM_VLLM_SM90);
    world.profile.gemm[TOPO_DTYPE_BF16].prologue_s = 4e-6;
    world.profile.gemm[TOPO_DTYPE_BF16].epilogue_s = 1e-6;
    double want = 2.0 * (5e-6 + tile_steps_s(128, 128, 1024));
    expect_ratio(engine_product_s(&world, 1280, 2560, 1024), want, 1e-6, "two waves");
}

/* 100 tiles fill 100 SMs once; a column more is a tenth more tiles and, quantised, a second wave.
 */
Test(kern_gemm, a_partial_wave_costs_what_the_quantisation_says)
{
    static const double quantisations[] = {0.0, 0.25, 0.5, 1.0};
    for (size_t i = 0; i < G_N_ELEMENTS(quantisations); i++) {
        double q = quantisations[i];
        ToyWorld world = engine_world(KERN_GEMM_VLLM_SM90);
        world.profile.gemm[TOPO_DTYPE_BF16].wave_quantisation = q;
        double full = engine_product_s(&world, 1280, 1280, 1 << 16);
        double more = engine_product_s(&world, 1280, 1288, 1 << 16);
        expect_ratio(full, tile_steps_s(128, 128, 1 << 16), 1e-6, "one wave");
        expect_ratio(more / full, q * 2.0 + (1.0 - q) * 1.1, 1e-6, "a column more");
    }
}

Test(kern_gemm, a_tile_that_sticks_out_is_paid_in_full)
{
    ToyWorld world = engine_world(KERN_GEMM_VLLM_SM90);
    double whole = engine_product_s(&world, 1280, 1280, 1 << 16);
    double ragged = engine_product_s(&world, 1224, 1280, 1 << 16);
    expect_ratio(ragged, whole, 1e-6, "72 of the last 128 rows");
}

/* One row of tiles is paid as two; of 2.2 waves, half of what follows the first is lost. */
Test(kern_gemm, a_row_of_tiles_without_a_partner_is_paid_twice)
{
    ToyWorld world = engine_world(KERN_GEMM_VLLM_SM90);
    KernGemmFit *fit = &world.profile.gemm[TOPO_DTYPE_BF16];
    fit->wave_quantisation = 0.0;
    fit->unpaired_fraction = 0.5;
    double paired = engine_product_s(&world, 512, 6400, 4096);
    double alone = engine_product_s(&world, 384, 6400, 4096);
    expect_ratio(paired, 2.0 * tile_steps_s(128, 128, 4096), 1e-6, "200 tiles");
    expect_ratio(alone / paired, 1.0 + 0.5 * (1.0 - 0.5), 1e-6, "150 tiles paid as 200");
}

/* The table of each engine, read off the time of one tile. */
Test(kern_gemm, engines_take_the_kernel_of_their_table)
{
    static const struct {
        KernGemmKernels kernels;
        int64_t m, n;
        double rows, columns;
    } cases[] = {
        {KERN_GEMM_VLLM_SM90,  1,   4096, 16,  64 },
        {KERN_GEMM_VLLM_SM90,  16,  4096, 16,  64 },
        {KERN_GEMM_VLLM_SM90,  17,  1280, 16,  64 },
        {KERN_GEMM_VLLM_SM90,  17,  1288, 64,  64 },
        {KERN_GEMM_VLLM_SM90,  64,  4096, 64,  64 },
        {KERN_GEMM_VLLM_SM90,  65,  4096, 64,  128},
        {KERN_GEMM_VLLM_SM90,  128, 4096, 64,  128},
        {KERN_GEMM_VLLM_SM90,  129, 4096, 128, 128},
        {KERN_GEMM_VLLM_SM100, 16,  4096, 32,  64 },
        {KERN_GEMM_VLLM_SM100, 64,  4096, 64,  64 },
        {KERN_GEMM_VLLM_SM100, 256, 1024, 64,  128},
        {KERN_GEMM_VLLM_SM100, 257, 1024, 128, 128},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ToyWorld world = engine_world(cases[i].kernels);
        double got = engine_product_s(&world, cases[i].m, cases[i].n, 4096);
        expect_ratio(got, tile_steps_s(cases[i].rows, cases[i].columns, 4096), 1e-6, "one tile");
    }
}

Test(kern_gemm, products_without_conversion_leave_the_engines_kernels_alone)
{
    ToyWorld world = engine_world(KERN_GEMM_VLLM_SM90), fastest = world;
    fastest.profile.gemm[TOPO_DTYPE_BF16].kernels = KERN_GEMM_FASTEST;
    for (int64_t m = 1; m <= 4096; m *= 4) {
        KernGemmShape s = shape(1, m, 4096, 4096);
        expect_ratio(seconds(&world, s), seconds(&fastest, s), 1e-12, "seconds");
    }
}

/* A launch of 3 us, 1000 rows of (5 + 2 * 4) ns: 6144 elements are three passes. One row waits for
 * its own passes; and wide rows at 1 TB/s take 4 bytes an element. */
Test(kern_gemm, converting_the_activations_is_a_kernel_of_its_own)
{
    ToyWorld world = toy_world();
    KernGemmFit *fit = &world.profile.gemm[TOPO_DTYPE_BF16];
    fit->quantise_launch_s = 3e-6;
    fit->quantise_row_s = 5e-9;
    fit->quantise_pass_s = 4e-9;
    fit->quantise_latency_s = 7e-7;
    static const struct {
        int64_t m, k;
        double bytes_per_s, want;
    } cases[] = {
        {1000, 2048, 1e13, 3e-6 + 5e-6     },
        {1000, 6144, 1e13, 3e-6 + 1.3e-5   },
        {1000, 6144, 1e12, 3e-6 + 2.4576e-5},
        {1,    6144, 1e12, 3e-6 + 1.4e-6   },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        KernGemmShape plain = shape(1, cases[i].m, 64, cases[i].k), wide = plain;
        wide.quantised = true;
        world.cluster.node.gpu.memory_bytes_per_s = cases[i].bytes_per_s;
        double got = seconds(&world, wide) - seconds(&world, plain);
        expect_ratio(got, cases[i].want, 1e-6, "conversion");
    }
}

/* One tile of a hundred SMs, 2048 steps of k to hand out sixteen ways and more. */
Test(kern_gemm, a_long_inner_dimension_is_split_over_idle_multiprocessors)
{
    ToyWorld world = toy_world();
    double alone = 2.0 * 128.0 * 128.0 * 65536.0 / 0.8e12;
    double got = seconds(&world, shape(1, 128, 128, 65536));
    cr_expect(got < alone / 4.0, "%g s on one SM, %g s", alone, got);
    world.profile.gemm[TOPO_DTYPE_BF16].split_s = 1e-5;
    expect_ratio(seconds(&world, shape(1, 128, 128, 65536)), got + 1e-5, 1e-6, "a second kernel");
    world.profile.gemm[TOPO_DTYPE_BF16].split_s = 1.0;
    double whole = seconds(&world, shape(1, 128, 128, 65536));
    cr_expect(whole > got + 1e-5 && whole < 1.0, "not split where that costs more");
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
    world.profile.gemm[TOPO_DTYPE_BF16].prologue_s = 1e-6;
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

/* Coefficients to make synthetic measurements with. */
static const KernGemmFit truths[] = {
    {.compute_fraction = 0.80,
     .feed_bytes_per_clock = 60,
     .step_s = 1e-7,
     .prologue_s = 5e-7,
     .epilogue_s = 1e-6,
     .wave_quantisation = 0.7,
     .memory_fraction = 0.90,
     .overlap_loss = 0.1,
     .split_s = 2e-6,
     .launch_s = 3e-6,
     .rows = 1},
    {.compute_fraction = 0.90,
     .feed_bytes_per_clock = 30,
     .step_s = 2e-7,
     .prologue_s = 1e-7,
     .epilogue_s = 2e-6,
     .wave_quantisation = 0.3,
     .memory_fraction = 0.80,
     .overlap_loss = 0.3,
     .split_s = 3e-6,
     .launch_s = 5e-6,
     .rows = 1},
};

enum { ROWS = 343 };

static ToyWorld world_of(const KernGemmFit *truth)
{
    ToyWorld world = toy_world();
    world.profile.gemm[TOPO_DTYPE_BF16] = *truth;
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
        ToyWorld truth = world_of(&truths[i]);
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

/* Rows that the form explains, but for one: its error shows, and the others' shapes are foreseen
 * by fits that were made without them. */
Test(kern_gemm, held_out_rows_are_predicted_by_fits_that_never_saw_them)
{
    ToyWorld truth = world_of(&truths[0]);
    const TopoGpu *gpu = &truth.cluster.node.gpu;
    KernGemmRow rows[ROWS];
    double log_ratios[ROWS];
    fill_rows(&truth, rows);
    rows[7].seconds *= 4.0;
    kern_fit_gemm_held_out(gpu, rows, ROWS, 3, &truths[1], log_ratios);
    expect_ratio(log_ratios[7], -log(4.0), 0.05, "the row that is off");
    log_ratios[7] = 0.0;
    KernFitError error = kern_fit_error(log_ratios, ROWS);
    cr_expect(error.rows == ROWS && error.median_fraction < 0.02, "median %g",
              error.median_fraction);
}

/* Products whose weights are stored in another type than their activations, on a GPU of 100 SMs,
 * 100 TFLOP/s and 1 TB/s: few rows wait for the bytes of the weights, many for the tensor cores;
 * block scales wait for the host. What prices a type that was not measured is here too. */
#include "kern_evidence.h"
#include "kern_fit.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>

static const KernGemmFit integers = {
    .compute_fraction = 0.8,
    .wave_quantisation = 1.0,
    .memory_fraction = 1.0,
    .launch_s = 1e-6,
    .dequantise_per_clock = 32.0,
    .rows = 1,
};

static const KernGemmFit blocks = {
    .compute_fraction = 0.8,
    .wave_quantisation = 1.0,
    .memory_fraction = 1.0,
    .launch_s = 1e-6,
    .host_s = 1e-4,
    .host_few_s = 5e-5,
    .host_unaligned_s = 1e-5,
    .host_ragged_s = 2e-4,
    .rows = 1,
};

static ToyWorld typed_world(void)
{
    ToyWorld world = toy_world();
    world.profile.gemm[KERN_GEMM_INT8_WO] = world.profile.gemm[KERN_GEMM_INT4_WO] = integers;
    world.profile.gemm[KERN_GEMM_FP8_BLOCK] = blocks;
    return world;
}

static KernDevice device_of(const ToyWorld *world)
{
    return (KernDevice){
        .gpu = &world->cluster.node.gpu, .profile = &world->profile, .clock_fraction = 1.0};
}

static KernGemmShape shape(int64_t m, int64_t n, int64_t k, KernGemmWeights weights)
{
    TopoDtype dtype = weights == KERN_WEIGHTS_BLOCK_SCALED ? TOPO_DTYPE_FP8 : TOPO_DTYPE_BF16;
    return (KernGemmShape){.batch = 1, .m = m, .n = n, .k = k, .dtype = dtype, .weights = weights};
}

static double seconds(const ToyWorld *world, KernGemmShape s)
{
    KernDevice device = device_of(world);
    return kern_gemm_s(&device, &s);
}

static void expect_ratio(double got, double want, double tolerance, const char *what)
{
    cr_expect(fabs(got / want - 1.0) <= tolerance, "%s: %g, not %g", what, got, want);
}

/* A row against 16384 x 16384 weights: 256 MiB of int8, 132 of int4 with its scales, and the row
 * and its result in 16 bits. The tiles compute for 1 % of that. */
Test(kern_gemm_types, one_row_takes_the_bytes_of_its_weights_over_the_bandwidth)
{
    ToyWorld world = typed_world();
    world.profile.gemm[KERN_GEMM_INT4_WO].dequantise_per_clock = 0.0;
    static const struct {
        KernGemmWeights weights;
        double bytes;
    } cases[] = {
        {KERN_WEIGHTS_PLAIN, 2.0             },
        {KERN_WEIGHTS_INT8,  1.0             },
        {KERN_WEIGHTS_INT4,  0.5 + 1.0 / 64.0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        double want = (16384.0 * 16384.0 * cases[i].bytes + 2.0 * 2.0 * 16384.0) / 1e12;
        double got = seconds(&world, shape(1, 16384, 16384, cases[i].weights)) - 1e-6;
        expect_ratio(got, want, 1e-6, "seconds");
    }
}

/* 82 waves of 256 x 128 outputs: 32 steps of k are 2 * 256 * 128 * 32 / 0.8e12 s of product, and
 * 128 columns of 32 weights at 32 a ns to widen. */
Test(kern_gemm_types, many_rows_pay_for_widening_the_weights)
{
    ToyWorld world = typed_world();
    double wide = seconds(&world, shape(16384, 16384, 16384, KERN_WEIGHTS_PLAIN)) - 1e-6;
    double narrow = seconds(&world, shape(16384, 16384, 16384, KERN_WEIGHTS_INT8)) - 1e-6;
    double math = 2.0 * 256.0 * 128.0 * 32.0 / 0.8e12;
    expect_ratio(narrow / wide, (math + 128e-9) / math, 1e-9, "int8 over bf16");
    world.profile.gemm[KERN_GEMM_INT8_WO].dequantise_per_clock = 0.0;
    narrow = seconds(&world, shape(16384, 16384, 16384, KERN_WEIGHTS_INT8)) - 1e-6;
    expect_ratio(narrow, wide, 1e-9, "widened at no cost");
}

/* Four rows walk down k alone; five may be cut into four pieces. */
Test(kern_gemm_types, few_rows_have_a_kernel_of_their_own_that_does_not_split)
{
    ToyWorld world = typed_world();
    KernGemmFit *fit = &world.profile.gemm[KERN_GEMM_INT4_WO];
    fit->vector_step_s = 1e-7;
    fit->step_s = 2e-7;
    double vector = seconds(&world, shape(4, 64, 65536, KERN_WEIGHTS_INT4)) - 1e-6;
    double product = seconds(&world, shape(5, 64, 65536, KERN_WEIGHTS_INT4)) - 1e-6;
    expect_ratio(vector, 2048.0 * 1e-7, 1e-6, "2048 steps");
    expect_ratio(product, 512.0 * 2e-7, 1e-6, "512 steps each");
}

/* From five rows on; below, another kernel may be slower where k is long. */
Test(kern_gemm_types, more_rows_and_columns_never_take_less)
{
    static const KernGemmWeights weights[] = {KERN_WEIGHTS_INT8, KERN_WEIGHTS_INT4,
                                              KERN_WEIGHTS_BLOCK_SCALED};
    ToyWorld world = typed_world();
    for (size_t w = 0; w < G_N_ELEMENTS(weights); w++) {
        double last = 0.0, last_wide = 0.0;
        for (int64_t m = 8; m <= 16384; m += m < 512 ? 8 : 328) {
            double now = seconds(&world, shape(m, 4096, 4096, weights[w]));
            double wide = seconds(&world, shape(96, m * 64, 1024, weights[w]));
            cr_expect(now >= last, "weights %zu, m = %d: %g s after %g", w, (int)m, now, last);
            cr_expect(wide >= last_wide, "weights %zu, n = %d", w, (int)m * 64);
            last = now;
            last_wide = wide;
        }
    }
}

/* Each of the host's ways, by shape; none counts in a graph, nor behind a long product. */
Test(kern_gemm_types, block_scales_wait_for_the_host_outside_graphs)
{
    static const struct {
        int64_t m, n, k;
        double want;
    } cases[] = {
        {64, 1024, 1024, 1e-4  },
        {66, 1024, 1024, 1.1e-4},
        {31, 1024, 1024, 5e-5  },
        {32, 1024, 1024, 1e-4  },
        {64, 1024, 1088, 2e-4  },
        {64, 1056, 1024, 2e-4  },
        {31, 1056, 1024, 2e-4  },
    };
    ToyWorld world = typed_world();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        KernGemmShape s = shape(cases[i].m, cases[i].n, cases[i].k, KERN_WEIGHTS_BLOCK_SCALED);
        expect_ratio(seconds(&world, s), cases[i].want, 1e-9, "by the host");
        s.captured = true;
        cr_expect(seconds(&world, s) < 5e-6, "case %zu in a graph: %g s", i, seconds(&world, s));
    }
    world.profile.gemm[KERN_GEMM_FP8_BLOCK].host_few_s = 0.0;
    expect_ratio(seconds(&world, shape(31, 1024, 1024, KERN_WEIGHTS_BLOCK_SCALED)), 1.1e-4, 1e-9,
                 "no kernel for few rows");
    KernGemmShape large = shape(8192, 8192, 8192, KERN_WEIGHTS_BLOCK_SCALED), captured = large;
    captured.captured = true;
    expect_ratio(seconds(&world, large), seconds(&world, captured), 1e-12, "8192^3");
    expect_ratio(seconds(&world, large), kern_gemm_flop(&large) / 0.8e14, 0.05, "at the rate");
}

Test(kern_gemm_types, types_have_names_and_numbers)
{
    static const struct {
        KernGemmWeights weights;
        KernGemmType type;
        const char *name;
    } cases[] = {
        {KERN_WEIGHTS_PLAIN,        (KernGemmType)TOPO_DTYPE_BF16, "bf16"     },
        {KERN_WEIGHTS_BLOCK_SCALED, KERN_GEMM_FP8_BLOCK,           "fp8_block"},
        {KERN_WEIGHTS_INT8,         KERN_GEMM_INT8_WO,             "int8_wo"  },
        {KERN_WEIGHTS_INT4,         KERN_GEMM_INT4_WO,             "int4_wo"  },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        KernGemmShape s = shape(1, 1, 1, cases[i].weights);
        cr_expect(kern_gemm_type(&s) == cases[i].type, "case %zu", i);
        cr_expect_str_eq(kern_gemm_type_name(cases[i].type), cases[i].name);
    }
}

/* Its own fit, then the nearest type's, then that of 16 bits. */
Test(kern_gemm_types, a_type_that_was_not_measured_borrows_the_nearest_fit)
{
    ToyWorld world = typed_world();
    KernProfile *p = &world.profile;
    cr_expect(kern_gemm_fit(p, KERN_GEMM_INT4_WO) == &p->gemm[KERN_GEMM_INT4_WO]);
    p->gemm[KERN_GEMM_INT4_WO].rows = 0;
    cr_expect(kern_gemm_fit(p, KERN_GEMM_INT4_WO) == &p->gemm[KERN_GEMM_INT8_WO]);
    p->gemm[KERN_GEMM_INT8_WO].rows = p->gemm[KERN_GEMM_FP8_BLOCK].rows = 0;
    cr_expect(kern_gemm_fit(p, KERN_GEMM_INT8_WO) == &p->gemm[TOPO_DTYPE_BF16]);
    cr_expect(kern_gemm_fit(p, KERN_GEMM_FP8_BLOCK) == &p->gemm[TOPO_DTYPE_FP8]);
    p->gemm[TOPO_DTYPE_FP8].rows = 0;
    cr_expect(kern_gemm_fit(p, KERN_GEMM_FP8_BLOCK) == &p->gemm[TOPO_DTYPE_BF16]);
}

Test(kern_gemm_types, borrowed_fits_are_no_better_than_a_datasheet)
{
    ToyWorld world = typed_world();
    KernDevice device = device_of(&world);
    KernGemmShape s = shape(1024, 1024, 1024, KERN_WEIGHTS_INT4);
    cr_expect(kern_gemm_evidence(&device, &s) == KERN_EVIDENCE_FITTED);
    world.profile.gemm[KERN_GEMM_INT4_WO].rows = 0;
    cr_expect(kern_gemm_evidence(&device, &s) == KERN_EVIDENCE_DATASHEET);
}

/* A GPU with neither fp8 nor bf16 computes both in fp16. */
Test(kern_gemm_types, an_older_gpu_widens_to_what_it_has)
{
    ToyWorld world = typed_world();
    double *peak = world.cluster.node.gpu.peak_flop_per_s;
    peak[TOPO_DTYPE_BF16] = peak[TOPO_DTYPE_FP8] = 0.0;
    KernGemmShape large = shape(16384, 16384, 16384, KERN_WEIGHTS_INT4);
    expect_ratio(seconds(&world, large), kern_gemm_flop(&large) / 0.8e14, 0.06, "int4");
    large = shape(16384, 16384, 16384, KERN_WEIGHTS_BLOCK_SCALED);
    expect_ratio(seconds(&world, large), kern_gemm_flop(&large) / 0.8e14, 0.01, "block scales");
}

/* Rows of a type, made with known coefficients, lead back to them. */
Test(kern_gemm_types, the_fit_recovers_what_synthetic_rows_were_made_with)
{
    enum { ROWS = 343 };
    static const int64_t rows_of[] = {1, 4, 30, 96, 258, 1024, 8192};
    static const int64_t sizes[] = {64, 192, 512, 1024, 2560, 4096, 8192};
    static const KernGemmWeights weights[] = {KERN_WEIGHTS_INT4, KERN_WEIGHTS_BLOCK_SCALED};
    ToyWorld world = typed_world();
    world.profile.gemm[KERN_GEMM_INT4_WO].vector_step_s = 3e-8;
    world.profile.gemm[KERN_GEMM_INT4_WO].step_s = 1e-7;
    for (size_t w = 0; w < G_N_ELEMENTS(weights); w++) {
        KernGemmRow rows[ROWS];
        for (size_t i = 0; i < ROWS; i++) {
            rows[i].shape = shape(rows_of[i % 7], sizes[i / 7 % 7], sizes[i / 49], weights[w]);
            rows[i].seconds = seconds(&world, rows[i].shape);
        }
        KernGemmFit found = {.launch_s = 1e-6, .memory_fraction = 1.0, .rows = 1};
        KernFitError error = kern_fit_gemm(&world.cluster.node.gpu, rows, ROWS, &found);
        cr_expect(error.median_fraction < 0.01, "weights %zu: median %g", w, error.median_fraction);
        cr_expect(error.p90_fraction < 0.03, "weights %zu: p90 %g", w, error.p90_fraction);
        if (weights[w] != KERN_WEIGHTS_BLOCK_SCALED)
            continue;
        expect_ratio(found.host_s, 1e-4, 0.01, "host");
        expect_ratio(found.host_few_s, 5e-5, 0.01, "host, few rows");
        expect_ratio(found.host_unaligned_s, 1e-5, 0.1, "host, unaligned rows");
        expect_ratio(found.host_ragged_s, 2e-4, 0.01, "host, ragged widths");
        expect_ratio(found.launch_s, 1e-6, 1e-12, "what the host hides stays");
    }
}

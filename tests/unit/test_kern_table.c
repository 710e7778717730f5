/* Tiny tables of measurements: on their points, between them, outside, at another clock.
 *
 * Products of the table take a us + b mnk: between points that is what a trilinear answer must
 * find, to rounding. */
#include "kern_evidence.h"
#include "kern_table.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>

static const int64_t ms[] = {1, 16, 64, 256}, ns[] = {1024, 4096}, ks[] = {512, 2048};

static double truth_s(int64_t m, int64_t n, int64_t k)
{
    return 2e-6 + 1e-14 * (double)m * (double)n * (double)k;
}

static KernGemmShape product(int64_t m, int64_t n, int64_t k)
{
    return (KernGemmShape){.batch = 1, .m = m, .n = n, .k = k, .dtype = TOPO_DTYPE_BF16};
}

/* Without the product (@hole_n, @hole_k) of every m, as 0 all of them. */
static KernTable *products(int64_t hole_n, int64_t hole_k)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(KernGemmRow));
    for (size_t m = 0; m < G_N_ELEMENTS(ms); m++)
        for (size_t n = 0; n < G_N_ELEMENTS(ns); n++)
            for (size_t k = 0; k < G_N_ELEMENTS(ks); k++) {
                KernGemmRow row = {product(ms[m], ns[n], ks[k]), truth_s(ms[m], ns[n], ks[k])};
                if (ns[n] != hole_n || ks[k] != hole_k)
                    g_array_append_val(rows, row);
            }
    return kern_table_new((const KernGemmRow *)(void *)rows->data, rows->len, NULL, 0);
}

static KernDevice device_of(const ToyWorld *world, const KernTable *table)
{
    return (KernDevice){.gpu = &world->cluster.node.gpu,
                        .profile = &world->profile,
                        .clock_fraction = 1.0,
                        .table = table};
}

static void expect_near(double got, double want, const char *what)
{
    cr_expect(fabs(got / want - 1.0) < 1e-9, "%s: %.17g, not %.17g", what, got, want);
}

Test(kern_table, a_measured_shape_costs_what_was_measured)
{
    ToyWorld world = toy_world();
    g_autoptr(KernTable) table = products(0, 0);
    KernDevice device = device_of(&world, table);
    KernGemmShape s = product(16, 4096, 512);
    cr_expect(kern_gemm_s(&device, &s) == truth_s(16, 4096, 512));
    cr_expect(kern_gemm_evidence(&device, &s) == KERN_EVIDENCE_MEASURED);
    cr_expect(kern_table_count(table, KERN_TABLE_GEMM) == 16);
    cr_expect(kern_table_count(table, KERN_TABLE_ATTENTION) == 0);
}

Test(kern_table, between_measurements_launch_and_arithmetic_are_found_exactly)
{
    static const int64_t between[][3] = {
        {40,  4096, 512 },
        {16,  2000, 512 },
        {16,  1024, 1500},
        {3,   1025, 2047},
        {255, 4000, 513 }
    };
    ToyWorld world = toy_world();
    g_autoptr(KernTable) table = products(0, 0);
    KernDevice device = device_of(&world, table);
    for (size_t i = 0; i < G_N_ELEMENTS(between); i++) {
        const int64_t *b = between[i];
        KernGemmShape s = product(b[0], b[1], b[2]);
        expect_near(kern_gemm_s(&device, &s), truth_s(b[0], b[1], b[2]), "between");
        cr_expect(kern_gemm_evidence(&device, &s) == KERN_EVIDENCE_INTERPOLATED);
    }
}

Test(kern_table, outside_the_measurements_the_fitted_form_answers)
{
    static const int64_t outside[][3] = {
        {257, 4096, 512 },
        {16,  4097, 512 },
        {16,  1023, 512 },
        {16,  1024, 511 },
        {16,  1024, 4096}
    };
    ToyWorld world = toy_world();
    g_autoptr(KernTable) table = products(0, 0);
    KernDevice with = device_of(&world, table), without = device_of(&world, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(outside); i++) {
        KernGemmShape s = product(outside[i][0], outside[i][1], outside[i][2]);
        cr_expect(kern_gemm_s(&with, &s) == kern_gemm_s(&without, &s), "shape %zu", i);
        cr_expect(kern_gemm_evidence(&with, &s) == kern_gemm_evidence(&without, &s));
        cr_expect(kern_gemm_evidence(&with, &s) >= KERN_EVIDENCE_FITTED);
    }
    KernGemmShape batched = product(16, 1024, 512), converted = batched;
    batched.batch = 2;
    converted.quantised = true;
    cr_expect(kern_gemm_evidence(&with, &batched) >= KERN_EVIDENCE_FITTED);
    cr_expect(kern_gemm_evidence(&with, &converted) >= KERN_EVIDENCE_FITTED);
}

/* With two values of n and k, a corner that is missing leaves nothing on its side. */
Test(kern_table, a_hole_is_not_filled_from_one_side)
{
    ToyWorld world = toy_world();
    g_autoptr(KernTable) table = products(4096, 2048);
    KernDevice device = device_of(&world, table);
    KernGemmShape hole = product(16, 4096, 2048), beside = product(16, 4096, 512);
    cr_expect(kern_gemm_evidence(&device, &hole) >= KERN_EVIDENCE_FITTED);
    cr_expect(kern_gemm_evidence(&device, &beside) == KERN_EVIDENCE_MEASURED);
}

Test(kern_table, fp16_stands_for_bf16_but_not_as_its_measurement)
{
    ToyWorld world = toy_world();
    g_autoptr(KernTable) table = products(0, 0);
    KernDevice device = device_of(&world, table);
    KernGemmShape half = product(16, 4096, 512), single = half;
    half.dtype = TOPO_DTYPE_FP16;
    single.dtype = TOPO_DTYPE_FP32;
    cr_expect(kern_gemm_evidence(&device, &half) == KERN_EVIDENCE_INTERPOLATED);
    expect_near(kern_gemm_s(&device, &half), truth_s(16, 4096, 512), "fp16");
    cr_expect(kern_gemm_evidence(&device, &single) >= KERN_EVIDENCE_FITTED);
}

Test(kern_table, of_several_measurements_the_median_counts)
{
    static const double seconds[] = {3e-6, 9e-3, 1e-6, 5e-6};
    ToyWorld world = toy_world();
    KernGemmRow rows[4];
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        rows[i] = (KernGemmRow){product(8, 64, 64), seconds[i]};
    KernGemmShape s = product(8, 64, 64);
    g_autoptr(KernTable) odd = kern_table_new(rows, 3, NULL, 0);
    g_autoptr(KernTable) even = kern_table_new(rows, 4, NULL, 0);
    KernDevice device = device_of(&world, odd);
    cr_expect(kern_gemm_s(&device, &s) == 3e-6);
    device.table = even;
    expect_near(kern_gemm_s(&device, &s), 4e-6, "of four, the middle two");
}

/* 100 TFLOP/s and 1 TB/s: 2 m flop and about 2 bytes a weight, so m = 1 waits for memory and
 * m = 4096 computes. */
Test(kern_table, the_clock_slows_what_computes)
{
    ToyWorld world = toy_world();
    KernGemmRow rows[] = {
        {product(1,    4096, 4096), 40e-6},
        {product(4096, 4096, 4096), 2e-3 }
    };
    g_autoptr(KernTable) table = kern_table_new(rows, 2, NULL, 0);
    KernDevice device = device_of(&world, table);
    device.clock_fraction = 0.8;
    expect_near(kern_gemm_s(&device, &rows[0].shape), 40e-6, "memory");
    expect_near(kern_gemm_s(&device, &rows[1].shape), 2e-3 / 0.8, "arithmetic");
}

static KernAttentionShape causal(int64_t batch, int64_t queries, int64_t keys)
{
    double before = (double)(keys - queries);
    return (KernAttentionShape){
        .batch = batch,
        .kv_batch = batch / 4,
        .queries = queries,
        .keys = keys,
        .head_dim = 128,
        .unmasked_fraction = (before + 0.5 * (double)queries) / (double)keys,
        .dtype = TOPO_DTYPE_BF16,
    };
}

static double attention_s(const KernAttentionShape *s)
{
    return 3e-6 +
           2e-12 * (double)s->batch * (double)s->queries * (double)s->keys * s->unmasked_fraction;
}

Test(kern_table, attention_is_linear_in_tokens_times_context)
{
    static const int64_t before[] = {0, 1024, 8192}, queries[] = {128, 512, 2048},
                         batch[] = {8, 64};
    ToyWorld world = toy_world();
    KernAttentionRow rows[18];
    size_t count = 0;
    for (size_t p = 0; p < 3; p++)
        for (size_t q = 0; q < 3; q++)
            for (size_t b = 0; b < 2; b++) {
                KernAttentionShape s = causal(batch[b], queries[q], before[p] + queries[q]);
                rows[count++] = (KernAttentionRow){s, attention_s(&s)};
            }
    g_autoptr(KernTable) table = kern_table_new(NULL, 0, rows, count);
    KernDevice with = device_of(&world, table), without = device_of(&world, NULL);
    KernAttentionShape asked[] = {causal(8, 1000, 1000), causal(20, 512, 512),
                                  causal(64, 512, 3512), causal(32, 700, 5700)};
    for (size_t i = 0; i < G_N_ELEMENTS(asked); i++) {
        expect_near(kern_attention_forward_s(&with, &asked[i]), attention_s(&asked[i]), "between");
        cr_expect(kern_attention_evidence(&with, &asked[i]) == KERN_EVIDENCE_INTERPOLATED);
    }
    cr_expect(kern_attention_evidence(&with, &rows[3].shape) == KERN_EVIDENCE_MEASURED);
    KernAttentionShape full = asked[0], narrow = asked[0], longer = causal(8, 4096, 4096);
    full.unmasked_fraction = 1.0;
    narrow.head_dim = 64;
    cr_expect(kern_attention_evidence(&with, &full) >= KERN_EVIDENCE_FITTED);
    cr_expect(kern_attention_evidence(&with, &narrow) >= KERN_EVIDENCE_FITTED);
    cr_expect(kern_attention_forward_s(&with, &longer) ==
              kern_attention_forward_s(&without, &longer));
}

/* Of groups of 4 and of 8, 2 us and 4 us: one that does not tell its group gets what lies between,
 * and so does a group of 2. */
Test(kern_table, another_group_of_heads_is_no_measurement)
{
    ToyWorld world = toy_world();
    KernAttentionRow rows[] = {
        {causal(8, 512, 512), 2e-6},
        {causal(8, 512, 512), 4e-6}
    };
    rows[1].shape.kv_batch = 1;
    g_autoptr(KernTable) table = kern_table_new(NULL, 0, rows, 2);
    KernDevice device = device_of(&world, table);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        cr_expect(kern_attention_forward_s(&device, &rows[i].shape) == rows[i].seconds);
        cr_expect(kern_attention_evidence(&device, &rows[i].shape) == KERN_EVIDENCE_MEASURED);
    }
    KernAttentionShape untold = rows[0].shape, other = rows[0].shape;
    untold.kv_batch = 0;
    other.kv_batch = 4;
    expect_near(kern_attention_forward_s(&device, &untold), 3e-6, "untold");
    expect_near(kern_attention_forward_s(&device, &other), 3e-6, "another group");
    cr_expect(kern_attention_evidence(&device, &untold) == KERN_EVIDENCE_INTERPOLATED);
    cr_expect(kern_attention_evidence(&device, &other) == KERN_EVIDENCE_INTERPOLATED);
    cr_expect(kern_table_count(table, KERN_TABLE_ATTENTION) == 2);
}

Test(kern_table, the_tally_counts_every_answer_of_the_one_who_prices)
{
    ToyWorld world = toy_world();
    g_autoptr(KernTable) table = products(0, 0);
    KernTally tally = {0};
    KernDevice device = device_of(&world, table);
    device.tally = &tally;
    KernGemmShape asked[] = {product(16, 4096, 512), product(17, 4096, 512), product(18, 4096, 512),
                             product(16, 9999, 512)};
    for (size_t i = 0; i < G_N_ELEMENTS(asked); i++)
        kern_gemm_s(&device, &asked[i]);
    KernAttentionShape s = causal(8, 512, 512);
    kern_attention_forward_s(&device, &s);
    kern_gemm_evidence(&device, &asked[0]); /* is no price */
    cr_expect(tally.asked[KERN_TABLE_GEMM][KERN_GRID_EXACT] == 1);
    cr_expect(tally.asked[KERN_TABLE_GEMM][KERN_GRID_BETWEEN] == 2);
    cr_expect(tally.asked[KERN_TABLE_GEMM][KERN_GRID_MISS] == 1);
    cr_expect(tally.asked[KERN_TABLE_ATTENTION][KERN_GRID_MISS] == 1);
}

Test(kern_table, an_empty_table_misses)
{
    ToyWorld world = toy_world();
    g_autoptr(KernTable) table = kern_table_new(NULL, 0, NULL, 0);
    KernDevice device = device_of(&world, table);
    KernGemmShape s = product(1, 1, 1);
    double seconds = 42.0;
    cr_expect(kern_table_gemm(&device, &s, &seconds) == KERN_GRID_MISS);
    cr_expect(seconds == 42.0, "left alone");
}

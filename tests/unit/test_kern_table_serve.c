/* Tiny tables of prefill, decode and experts: exact at their knots, linear in scores, context and
 * tokens between them, and silent elsewhere, where the fitted form answers; all of it counted. */
#include "kern_table_serve.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>

static KernPrefillShape chunk(int64_t past, int64_t queries, int64_t sequences)
{
    return (KernPrefillShape){.sequences = sequences,
                              .queries = queries,
                              .past = past,
                              .heads = 32,
                              .kv_heads = 8,
                              .head_dim = 128,
                              .dtype = TOPO_DTYPE_BF16};
}

static KernDecodeShape step(int64_t sequences, int64_t context)
{
    return (KernDecodeShape){.sequences = sequences,
                             .context = context,
                             .heads = 32,
                             .kv_heads = 8,
                             .head_dim = 128,
                             .dtype = TOPO_DTYPE_BF16};
}

static KernMoeShape layer(int64_t tokens, double power)
{
    return (KernMoeShape){.tokens = tokens,
                          .hidden = 4096,
                          .inter = 1536,
                          .topk = 8,
                          .experts = 128,
                          .tensor = 1,
                          .expert = 1,
                          .power = power};
}

/* Seconds of a launch and of the scores, of the cache, of the tokens. */
static double prefill_truth(const KernPrefillShape *s)
{
    double q = (double)s->queries, p = (double)s->past;
    return 1e-5 + 1e-12 * (double)s->sequences * q * (2.0 * p + q);
}

static double decode_truth(const KernDecodeShape *s)
{
    return 1e-5 + 1e-9 * (double)s->sequences * (double)s->context;
}

static double moe_truth(const KernMoeShape *s)
{
    return 3e-5 + 1e-7 * (double)s->tokens + 1e-6 * s->power;
}

static KernTable *table_of(void)
{
    KernPrefillRow prefill[8];
    KernDecodeRow decode[4];
    KernMoeRow moe[4];
    for (int i = 0; i < 8; i++) {
        prefill[i].shape = chunk(i & 1 ? 200 : 0, i & 2 ? 512 : 128, i & 4 ? 4 : 1);
        prefill[i].seconds = prefill_truth(&prefill[i].shape);
    }
    for (int i = 0; i < 4; i++) {
        decode[i].shape = step(i & 1 ? 16 : 4, i & 2 ? 4096 : 1024);
        decode[i].seconds = decode_truth(&decode[i].shape);
        moe[i].shape = layer(i & 1 ? 256 : 64, i & 2 ? 1.2 : 0.0);
        moe[i].seconds = moe_truth(&moe[i].shape);
    }
    KernTable *table = kern_table_new(NULL, 0, NULL, 0);
    kern_table_set_serving(table, &(KernTableServeRows){.prefill = prefill,
                                                        .decode = decode,
                                                        .moe = moe,
                                                        .prefill_count = 8,
                                                        .decode_count = 4,
                                                        .moe_count = 4});
    return table;
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

Test(kern_table_serve, a_knot_costs_what_was_measured)
{
    ToyWorld world = toy_world();
    g_autoptr(KernTable) table = table_of();
    KernDevice device = device_of(&world, table);
    KernPrefillShape p = chunk(200, 128, 4);
    KernDecodeShape d = step(16, 1024);
    KernMoeShape m = layer(64, 1.2);
    cr_expect(kern_prefill_s(&device, &p) == prefill_truth(&p));
    cr_expect(kern_decode_s(&device, &d) == decode_truth(&d));
    cr_expect(kern_moe_s(&device, &m) == moe_truth(&m));
    cr_expect(kern_table_count(table, KERN_TABLE_PREFILL) == 8);
    cr_expect(kern_table_count(table, KERN_TABLE_DECODE) == 4);
    cr_expect(kern_table_count(table, KERN_TABLE_MOE) == 4);
}

Test(kern_table_serve, between_knots_scores_context_and_tokens_count)
{
    ToyWorld world = toy_world();
    g_autoptr(KernTable) table = table_of();
    KernDevice device = device_of(&world, table);
    KernPrefillShape p = chunk(150, 200, 3);
    KernDecodeShape d = step(7, 3000);
    KernMoeShape m = layer(100, 0.0);
    double seconds = 0.0;
    cr_expect(kern_table_prefill(&device, &p, &seconds) == KERN_GRID_BETWEEN);
    expect_near(seconds, prefill_truth(&p), "prefill");
    cr_expect(kern_table_decode(&device, &d, &seconds) == KERN_GRID_BETWEEN);
    expect_near(seconds, decode_truth(&d), "decode");
    cr_expect(kern_table_moe(&device, &m, &seconds) == KERN_GRID_BETWEEN);
    expect_near(seconds, moe_truth(&m), "experts");
    p = chunk(0, 512, 1);
    p.dtype = TOPO_DTYPE_FP16;
    cr_expect(kern_table_prefill(&device, &p, &seconds) == KERN_GRID_BETWEEN, "fp16 for bf16");
    m = layer(64, 0.0);
    m.family = KERN_MOE_CUTLASS;
    cr_expect(kern_table_moe(&device, &m, &seconds) == KERN_GRID_BETWEEN, "another family");
}

Test(kern_table_serve, elsewhere_the_form_answers_and_all_is_counted)
{
    ToyWorld world = toy_world();
    g_autoptr(KernTable) table = table_of();
    KernTally tally = {0};
    KernDevice device = device_of(&world, table), without = device_of(&world, NULL);
    device.tally = &tally;
    KernPrefillShape p[] = {chunk(0, 513, 1), chunk(0, 128, 8), chunk(201, 128, 1),
                            chunk(0, 128, 1), chunk(0, 128, 1), chunk(0, 128, 1)};
    p[3].window = 64;
    p[4].kv_heads = 4;
    p[5].heads = 1 << 20; /* has no room in a family */
    for (size_t i = 0; i < G_N_ELEMENTS(p); i++)
        cr_expect(kern_prefill_s(&device, &p[i]) == kern_prefill_s(&without, &p[i]), "%zu", i);
    KernDecodeShape d = step(17, 1024);
    KernMoeShape m = layer(64, 0.5), measured = layer(64, 0.0);
    cr_expect(kern_decode_s(&device, &d) == kern_decode_s(&without, &d));
    cr_expect(kern_moe_s(&device, &m) == kern_moe_s(&without, &m));
    kern_moe_s(&device, &measured);
    cr_expect(tally.asked[KERN_TABLE_PREFILL][KERN_GRID_MISS] == G_N_ELEMENTS(p));
    cr_expect(tally.asked[KERN_TABLE_DECODE][KERN_GRID_MISS] == 1);
    cr_expect(tally.asked[KERN_TABLE_MOE][KERN_GRID_MISS] == 1);
    cr_expect(tally.asked[KERN_TABLE_MOE][KERN_GRID_EXACT] == 1);
}

Test(kern_table_serve, a_slower_clock_slows_products_and_not_the_cache)
{
    ToyWorld world = toy_world();
    g_autoptr(KernTable) table = table_of();
    KernDevice device = device_of(&world, table);
    device.clock_fraction = 0.5;
    KernPrefillShape p = chunk(0, 512, 4);
    KernDecodeShape d = step(16, 4096);
    KernMoeShape m = layer(64, 0.0);
    double slow = kern_prefill_s(&device, &p) / prefill_truth(&p);
    cr_expect(slow > 1.0 && slow <= 2.0, "%g", slow);
    cr_expect(kern_decode_s(&device, &d) == decode_truth(&d));
    cr_expect(kern_moe_s(&device, &m) == moe_truth(&m));
}

/* Fused attention at its limits, on a GPU of 100 SMs and 100 TFLOP/s at half its peak.
 *
 * Monotone in batch, queries, keys and head width: a block of 128 rows is paid for whole. */
#include "kern_attention.h"
#include "kern_fit.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>

static KernDevice device_of(const ToyWorld *world)
{
    return (KernDevice){
        .gpu = &world->cluster.node.gpu, .profile = &world->profile, .clock_fraction = 1.0};
}

static KernAttentionShape shape(int64_t batch, int64_t queries, int64_t keys, int64_t head_dim)
{
    return (KernAttentionShape){.batch = batch,
                                .queries = queries,
                                .keys = keys,
                                .head_dim = head_dim,
                                .unmasked_fraction = 1.0,
                                .dtype = TOPO_DTYPE_BF16};
}

static double forward(const ToyWorld *world, KernAttentionShape s)
{
    KernDevice device = device_of(world);
    return kern_attention_forward_s(&device, &s);
}

static double backward(const ToyWorld *world, KernAttentionShape s)
{
    KernDevice device = device_of(world);
    return kern_attention_backward_s(&device, &s);
}

static void expect_near(double got, double want, const char *what)
{
    cr_expect(fabs(got / want - 1.0) <= 1e-12, "%s: %.17g, not %.17g", what, got, want);
}

Test(kern_attention, counts_two_products_and_leaves_out_what_is_masked)
{
    KernAttentionShape s = shape(2, 64, 128, 32);
    cr_expect((int)kern_attention_forward_flop(&s) == 4 * 2 * 64 * 128 * 32);
    s.unmasked_fraction = 0.5;
    cr_expect((int)kern_attention_forward_flop(&s) == 2 * 2 * 64 * 128 * 32);
}

Test(kern_attention, a_full_gpu_runs_at_its_share_of_the_peak)
{
    ToyWorld world = toy_world();
    KernAttentionShape s = shape(64, 4096, 4096, 128);
    expect_near(forward(&world, s), 1e-6 + kern_attention_forward_flop(&s) / 0.5e14, "forward");
}

Test(kern_attention, the_backward_is_five_products_for_the_forwards_two)
{
    ToyWorld world = toy_world();
    KernAttentionShape s = shape(64, 4096, 4096, 128);
    expect_near(backward(&world, s) - 2e-6, 2.5 * (forward(&world, s) - 1e-6), "backward");
    world.profile.attention.backward_fraction = 0.25;
    expect_near(backward(&world, s) - 2e-6, 5.0 * (forward(&world, s) - 1e-6), "at half the rate");
}

Test(kern_attention, half_widths_halve_the_rate)
{
    ToyWorld world = toy_world(), narrow = world, brief = world;
    KernAttentionShape s = shape(64, 4096, 4096, 128);
    narrow.profile.attention.head_dim_half = 128.0;
    brief.profile.attention.sequence_half = 4096.0;
    expect_near(forward(&narrow, s) - 1e-6, 2.0 * (forward(&world, s) - 1e-6), "head");
    expect_near(forward(&brief, s) - 1e-6, 2.0 * (forward(&world, s) - 1e-6), "sequence");
}

Test(kern_attention, a_few_blocks_keep_a_few_multiprocessors_busy)
{
    ToyWorld world = toy_world();
    double ten = forward(&world, shape(10, 128, 4096, 128)) - 1e-6;
    double hundred = forward(&world, shape(100, 128, 4096, 128)) - 1e-6;
    double thousand = forward(&world, shape(1000, 128, 4096, 128)) - 1e-6;
    expect_near(ten, hundred, "ten blocks last as long as a hundred");
    expect_near(thousand, 10.0 * hundred, "a thousand take ten rounds");
}

Test(kern_attention, a_tiny_call_takes_its_launches)
{
    ToyWorld world = toy_world();
    KernAttentionShape s = shape(1, 1, 1, 8);
    cr_expect(forward(&world, s) > 1e-6 && forward(&world, s) < 1.01e-6);
    cr_expect(backward(&world, s) > 2e-6 && backward(&world, s) < 2.03e-6); /* 128 rows: 0.02 us */
}

/* @step: of the dimension behind @value, inside @s. */
static void expect_monotone(const ToyWorld *world, KernAttentionShape *s, int64_t *value,
                            int64_t step, const char *name)
{
    double last_forward = 0.0, last_backward = 0.0;
    for (*value = step; *value <= 200 * step; *value += step) {
        double f = forward(world, *s), b = backward(world, *s);
        double slack = 1.0 - 1e-12; /* equal times may differ in the last bits */
        cr_expect(f >= last_forward * slack && b >= last_backward * slack, "%s = %d", name,
                  (int)*value);
        last_forward = f;
        last_backward = b;
    }
}

Test(kern_attention, more_work_never_takes_less)
{
    ToyWorld world = toy_world();
    world.profile.attention.head_dim_half = 30.0;
    world.profile.attention.sequence_half = 500.0;
    for (int64_t batch = 1; batch <= 256; batch *= 16) {
        KernAttentionShape s = shape(batch, 1024, 1024, 64);
        KernAttentionShape queries = s, keys = s, width = s, batches = s;
        expect_monotone(&world, &queries, &queries.queries, 7, "queries");
        expect_monotone(&world, &keys, &keys.keys, 16, "keys");
        expect_monotone(&world, &width, &width.head_dim, 8, "head width");
        expect_monotone(&world, &batches, &batches.batch, 1, "batch");
    }
}

Test(kern_attention, the_fit_recovers_what_synthetic_rows_were_made_with)
{
    static const int64_t lengths[] = {128, 512, 1024, 2048, 4096, 8192, 16384},
                         widths[] = {64, 128}, batches[] = {4, 32, 256};
    ToyWorld truth = toy_world();
    KernAttentionFit *made = &truth.profile.attention, found = {0};
    made->head_dim_half = 40.0;
    made->sequence_half = 250.0;
    made->launch_s = 5e-6;
    KernAttentionRow rows[42];
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        int64_t length = lengths[i % 7];
        rows[i].shape = shape(batches[i / 14], length, length, widths[i / 7 % 2]);
        rows[i].seconds = forward(&truth, rows[i].shape);
    }
    KernFitError error =
        kern_fit_attention(&truth.cluster.node.gpu, rows, G_N_ELEMENTS(rows), &found);
    cr_expect(error.median_fraction < 0.01 && error.p90_fraction < 0.01, "median %g, p90 %g",
              error.median_fraction, error.p90_fraction);
    cr_expect(found.rows == (int64_t)G_N_ELEMENTS(rows));
}

Test(kern_attention, an_older_generation_reaches_its_fraction_of_the_rate)
{
    ToyWorld world = toy_world();
    KernAttentionShape s = shape(64, 4096, 4096, 128);
    double forward_s = forward(&world, s) - 1e-6, backward_s = backward(&world, s) - 2e-6;
    world.profile.attention.flash_1_fraction = 0.25;
    s.kernels = KERN_ATTENTION_FLASH_1;
    expect_near(forward(&world, s), 1e-6 + 4.0 * forward_s, "forward");
    expect_near(backward(&world, s), 2e-6 + 4.0 * backward_s, "backward");
    s.kernels = KERN_ATTENTION_FLASH_2;
    expect_near(forward(&world, s), 1e-6 + forward_s, "nobody measured it");
}

Test(kern_attention, an_older_generation_has_a_clock_of_its_own_under_the_power_cap)
{
    ToyWorld world = toy_world();
    world.profile.attention.flash_2_forward_fraction = 0.5;
    world.profile.attention.older_clock_fraction = 1.0;
    KernAttentionShape s = shape(64, 4096, 4096, 128);
    s.kernels = KERN_ATTENTION_FLASH_2;
    KernDevice device = device_of(&world);
    double boost_s = kern_attention_forward_s(&device, &s);
    device.clock_fraction = 0.6;
    expect_near(kern_attention_forward_s(&device, &s), boost_s, "capped");
    KernDevice slow = kern_device_throttled(&device, 0.5);
    expect_near(kern_attention_forward_s(&slow, &s) - 1e-6, 2.0 * (boost_s - 1e-6), "throttled");
}

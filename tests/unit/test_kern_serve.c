/* The forms of serving's kernels at their limits, on a GPU of 100 SMs, 100 TFLOP/s and toy memory:
 * decode tends to its cache over the bandwidth, prefill to its products over the rate, experts to
 * the weights that are touched; and none gets quicker with more to do. */
#include "kern_decode.h"
#include "kern_moe.h"
#include "kern_prefill.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>

static const KernPrefillFit prefill_fit = {
    .fitted.rows = 1,
    .tile_rows = 128,
    .tile_keys = 64,
    .tiles_per_sm = 1,
    .packs_group = true,
    .launch_s = 5e-6,
    .rate_fraction = 0.5,
    .tile_s = 1e-6,
    .tail_loss = 0.05,
    .tail_key_s = 1e-9,
    .memory_fraction = 0.8,
    .memory_loss = 0.3,
    .cache_fraction = 0.8,
    .convert_fraction = 0.8,
    .ramp_tokens = 1e5,
};

static const KernDecodeFit decode_fit = {
    .fitted.rows = 1,
    .launch_s = 5e-6,
    .memory_fraction = 0.8,
    .l2_fraction = 4.0,
    .l2_capacity = 0.8,
    .l2_sharpness = 8.0,
    .overlap_loss = 0.05,
    .block_s = 1e-6,
    .block_fraction = 2.0,
    .occupancy = 1.0,
    .combine_s = 2e-6,
    .rate_fraction = 2.0,
    .pass_fraction = 1.0,
};

static const KernMoeFit moe_fit = {
    .fitted.rows = 1,
    .launch_s = 2e-5,
    .memory_fraction = 0.8,
    .small_fraction = 0.8,
    .rate_16 = 0.3,
    .rate_64 = 0.4,
    .rate_128 = 0.6,
    .overlap_loss = 0.02,
    .imbalance = 0.2,

    .token_passes = 1.0,
    .expert_passes = 1.0,
};

static KernDevice device_of(const ToyWorld *world)
{
    return (KernDevice){
        .gpu = &world->cluster.node.gpu, .profile = &world->profile, .clock_fraction = 1.0};
}

static ToyWorld fitted_world(void)
{
    ToyWorld world = toy_world();
    world.cluster.node.gpu.l2_bytes = 40e6;
    world.profile.prefill[KERN_HEAD_128][KERN_CACHE_16_BIT] = prefill_fit;
    world.profile.decode[KERN_HEAD_128][KERN_CACHE_16_BIT] = decode_fit;
    world.profile.moe[KERN_MOE_BF16][KERN_MOE_TRITON] = moe_fit;
    return world;
}

static KernPrefillShape prompt(int64_t sequences, int64_t queries)
{
    return (KernPrefillShape){.sequences = sequences,
                              .queries = queries,
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

static void expect_near(double got, double want, double tolerance, const char *what)
{
    cr_expect(fabs(got / want - 1.0) <= tolerance, "%s: %.6g, not %.6g", what, got, want);
}

Test(kern_serve, prefill_counts_the_pairs_under_the_mask)
{
    KernPrefillShape s = prompt(1, 4);
    s.heads = 1;
    expect_near(kern_prefill_flop(&s), 4.0 * 10.0 * 128.0, 1e-12, "causal: 4 + 3 + 2 + 1 pairs");
    s.window = 2;
    expect_near(kern_prefill_flop(&s), 4.0 * 7.0 * 128.0, 1e-12, "window: 1 + 2 + 2 + 2 pairs");
    s.value_dim = 64;
    expect_near(kern_prefill_flop(&s), 4.0 * 7.0 * 96.0, 1e-12, "narrower values");
}

Test(kern_serve, long_prompts_run_at_the_rate)
{
    ToyWorld world = fitted_world();
    KernDevice device = device_of(&world);
    KernPrefillShape s = prompt(8, 131072);
    double rate = 0.5 * world.cluster.node.gpu.peak_flop_per_s[TOPO_DTYPE_BF16];
    expect_near(kern_prefill_s(&device, &s), kern_prefill_flop(&s) / rate, 0.03, "prefill");
}

Test(kern_serve, a_window_turns_squares_into_lines)
{
    ToyWorld world = fitted_world();
    KernDevice device = device_of(&world);
    KernPrefillShape half = prompt(4, 65536), whole = prompt(4, 131072);
    half.window = whole.window = 1024;
    expect_near(kern_prefill_s(&device, &whole) / kern_prefill_s(&device, &half), 2.0, 0.05,
                "twice the tokens");
}

Test(kern_serve, a_large_cache_streams_at_the_bandwidth)
{
    ToyWorld world = fitted_world();
    KernDevice device = device_of(&world);
    KernDecodeShape s = step(256, 32768);
    double bandwidth = 0.8 * world.cluster.node.gpu.memory_bytes_per_s;
    expect_near(kern_decode_cache_bytes(&s), 256.0 * 8 * 32768 * 2 * 128 * 2, 1e-12, "cache");
    expect_near(kern_decode_s(&device, &s), kern_decode_cache_bytes(&s) / bandwidth, 0.08,
                "decode");
    KernDecodeShape fp8 = s;
    fp8.fp8_cache = true;
    expect_near(kern_decode_s(&device, &fp8), 0.5 * kern_decode_s(&device, &s), 0.08, "fp8 cache");
}

Test(kern_serve, splitting_fills_an_idle_gpu_unless_the_kernel_cannot)
{
    ToyWorld world = fitted_world();
    KernDevice device = device_of(&world);
    KernDecodeShape s = step(1, 131072);
    s.heads = s.kv_heads = 1;
    KernDecodeFit *fit = &world.profile.decode[KERN_HEAD_128][KERN_CACHE_16_BIT];
    double split = kern_decode_s(&device, &s);
    fit->splits = KERN_SPLITS_GROUPED;
    double alone = kern_decode_s(&device, &s);
    cr_expect(alone > 10.0 * split, "%g against %g", alone, split);
}

Test(kern_serve, a_latent_cache_is_read_once_for_all_heads)
{
    KernDecodeShape s = step(4, 1000);
    s.heads = s.kv_heads = 128;
    s.latent_width = 512;
    s.rope_width = 64;
    expect_near(kern_decode_cache_bytes(&s), 4.0 * 1000 * 576 * 2, 1e-12, "MLA");
}

Test(kern_serve, few_tokens_touch_few_experts)
{
    KernMoeShape one = layer(1, 0.0), many = layer(4096, 0.0), skewed = layer(32, 1.2);
    KernMoeShape even = layer(32, 0.0);
    expect_near(kern_moe_load(&moe_fit, &one).touched, 8.0, 1e-9, "one token");
    expect_near(kern_moe_load(&moe_fit, &many).touched, 128.0, 1e-9, "many tokens");
    expect_near(kern_moe_load(&moe_fit, &many).assignments, 4096.0 * 8, 1e-9, "assignments");
    expect_near(kern_moe_load(&moe_fit, &skewed).assignments, 32.0 * 8, 1e-9, "power law");
    cr_expect(kern_moe_load(&moe_fit, &skewed).touched < kern_moe_load(&moe_fit, &even).touched);
}

Test(kern_serve, few_rows_stream_the_weights_and_many_run_at_the_rate)
{
    ToyWorld world = fitted_world();
    KernDevice device = device_of(&world);
    const TopoGpu *gpu = &world.cluster.node.gpu;
    double weights = 128.0 * 3 * 4096 * 1536;
    KernMoeShape few = layer(16, 0.0), many = layer(262144, 0.0);
    double stream = weights * 2.0 / (0.8 * gpu->memory_bytes_per_s);
    double flop = 2.0 * 262144 * 8 * 3 * 4096 * 1536;
    expect_near(kern_moe_s(&device, &few), stream, 0.1, "weights");
    expect_near(kern_moe_s(&device, &many), flop / (0.6 * gpu->peak_flop_per_s[TOPO_DTYPE_BF16]),
                0.1, "products");
    few.expert = many.tensor = 8;
    cr_expect(kern_moe_s(&device, &few) < 0.3 * stream);
}

Test(kern_serve, ranks_that_compute_foreign_choices_take_longer)
{
    ToyWorld world = fitted_world();
    KernDevice device = device_of(&world);
    KernMoeShape s = layer(16384, 0.0);
    s.expert = 8;
    double own = kern_moe_s(&device, &s);
    KernMoeFit *fit = &world.profile.moe[KERN_MOE_BF16][KERN_MOE_TRITON];
    fit->whole_tokens = true;
    fit->foreign_fraction = 1.0;
    cr_expect(kern_moe_s(&device, &s) > 3.0 * own);
}

Test(kern_serve, more_work_never_takes_less)
{
    ToyWorld world = fitted_world();
    KernDevice device = device_of(&world);
    double last[6] = {0.0};
    for (int64_t n = 1; n <= 65536; n = n + 1 + n / 7) {
        KernPrefillShape long_prompt = prompt(2, n), prompts = prompt(n, 256);
        KernDecodeShape long_step = step(8, n), steps = step(n, 1024);
        KernMoeShape even = layer(n, 0.0), skewed = layer(n, 1.2);
        double now[6] = {kern_prefill_s(&device, &long_prompt),
                         kern_prefill_s(&device, &prompts),
                         kern_decode_s(&device, &long_step),
                         kern_decode_s(&device, &steps),
                         kern_moe_s(&device, &even),
                         kern_moe_s(&device, &skewed)};
        for (int i = 0; i < 6; i++) {
            cr_expect(now[i] >= last[i] * (1.0 - 1e-9), "form %d at %d: %g after %g", i, (int)n,
                      now[i], last[i]);
            last[i] = now[i];
        }
    }
}

Test(kern_serve, a_profile_without_fits_still_prices)
{
    ToyWorld world = toy_world();
    KernDevice device = device_of(&world);
    KernPrefillShape p = prompt(8, 8192);
    KernDecodeShape d = step(64, 8192);
    KernMoeShape m = layer(16, 0.0);
    double rate = 0.5 * world.cluster.node.gpu.peak_flop_per_s[TOPO_DTYPE_BF16];
    expect_near(kern_prefill_s(&device, &p), kern_prefill_flop(&p) / rate, 0.05, "prefill");
    expect_near(kern_decode_s(&device, &d),
                kern_decode_cache_bytes(&d) / world.cluster.node.gpu.memory_bytes_per_s, 0.05,
                "decode");
    cr_expect(kern_moe_s(&device, &m) > 0.0);
}

Test(kern_serve, an_unmeasured_class_takes_its_neighbour)
{
    ToyWorld world = fitted_world();
    KernDecodeShape wide = step(1, 1);
    wide.head_dim = 256;
    wide.fp8_cache = true;
    cr_expect(kern_decode_fit(&world.profile, &wide) ==
              &world.profile.decode[KERN_HEAD_128][KERN_CACHE_16_BIT]);
    KernMoeShape fp8 = layer(1, 0.0);
    fp8.type = KERN_MOE_FP8;
    fp8.family = KERN_MOE_CUTLASS;
    cr_expect(kern_moe_fit(&world.profile, &fp8) ==
              &world.profile.moe[KERN_MOE_BF16][KERN_MOE_TRITON]);
}

Test(kern_serve, splits_follow_the_rules_of_the_software)
{
    ToyWorld world = fitted_world();
    KernDevice device = device_of(&world);
    KernDecodeFit *fit = &world.profile.decode[KERN_HEAD_128][KERN_CACHE_16_BIT];
    KernDecodeShape few = step(512, 64), many = step(513, 64);
    few.heads = many.heads = few.kv_heads = many.kv_heads = 1;
    cr_expect(kern_decode_s(&device, &many) >= kern_decode_s(&device, &few));
    fit->splits = KERN_SPLITS_ALL_32; /* 32 blocks a sequence, then one */
    cr_expect(kern_decode_s(&device, &few) > 5.0 * kern_decode_s(&device, &many));
    fit->splits = KERN_SPLITS_FEW_16;
    few.sequences = 128;
    many.sequences = 129;
    cr_expect(kern_decode_s(&device, &few) > 2.0 * kern_decode_s(&device, &many));
}

Test(kern_serve, a_latent_cache_is_not_priced_by_kernels_that_split_by_rule)
{
    ToyWorld world = fitted_world();
    world.profile.decode[KERN_HEAD_512][KERN_CACHE_16_BIT] = decode_fit;
    world.profile.decode[KERN_HEAD_512][KERN_CACHE_16_BIT].splits = KERN_SPLITS_ALL_32;
    KernDecodeShape s = step(4, 1000);
    s.latent_width = 512;
    cr_expect(kern_decode_fit(&world.profile, &s) ==
              &world.profile.decode[KERN_HEAD_128][KERN_CACHE_16_BIT]);
    s.latent_width = 0;
    s.head_dim = 512;
    cr_expect(kern_decode_fit(&world.profile, &s) ==
              &world.profile.decode[KERN_HEAD_512][KERN_CACHE_16_BIT]);
}

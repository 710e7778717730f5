/* Layers of experts in the price of an iteration: their products, dispatch and combine, what a
 * balancer leaves, half batches that overlap. */
#include "price_fixture.h"

static void add_experts(Fixture *f)
{
    ModelSpec *model = &f->world.model;
    model->experts = 16;
    model->experts_per_token = 2;
    model->expert_ffn = 512;
    model->dense_layers = 2;
}

Test(strat_price_experts, experts_replace_the_mlp_of_their_layers)
{
    Fixture f;
    fixture_init(&f);
    add_experts(&f);
    StratBatch batch = decodes(24, 512.0);
    KernMoeShape shape = {.tokens = 24,
                          .hidden = 1024,
                          .inter = 512,
                          .topk = 2,
                          .experts = 16,
                          .tensor = 1,
                          .expert = 1};
    StratIteration out = priced(&f, &batch);
    expect_near(out.part_s[STRAT_SERVE_EXPERTS], 6.0 * kern_moe_s(&f.spec.device, &shape),
                "experts");
    double attention =
        gemm(&f, 24, 1536, 1024, TOPO_DTYPE_BF16) + gemm(&f, 24, 1024, 1024, TOPO_DTYPE_BF16);
    double mlp =
        gemm(&f, 24, 8192, 1024, TOPO_DTYPE_BF16) + gemm(&f, 24, 1024, 4096, TOPO_DTYPE_BF16);
    double router = gemm(&f, 24, 16, 1024, TOPO_DTYPE_BF16);
    expect_near(out.part_s[STRAT_SERVE_LINEAR], 8.0 * attention + 2.0 * mlp + 6.0 * router,
                "router");
    cr_expect_eq(out.part_s[STRAT_SERVE_ALL_TO_ALL], 0.0);
}

/* Four attention ranks that share the experts out. */
static void four_ranks_init(Fixture *f)
{
    fixture_init(f);
    add_experts(f);
    f->deployment.pool[0].data = f->deployment.pool[0].expert = 4;
}

/* Of @bytes a rank, over the library. */
static double to_all_s(const Fixture *f, double bytes)
{
    TopoTransfer transfer = {
        .op = TOPO_OP_ALL_TO_ALL, .ranks = 4, .ranks_per_domain = 4, .bytes = bytes};
    return topo_net_alpha_beta_s(&f->world.cluster, &transfer);
}

Test(strat_price_experts, attention_ranks_share_the_sequences_and_send_tokens_to_experts)
{
    Fixture f;
    four_ranks_init(&f);
    StratBatch batch = decodes(24, 512.0);
    StratIteration out = priced(&f, &batch);
    expect_near(out.part_s[STRAT_SERVE_DECODE], 8.0 * decode_at(&f, 6, 512, 1), "6 of 24");
    double want = 2.0 * to_all_s(&f, 2.0 * 6.0 * 2048.0);
    cr_assert_gt(want, 0.0);
    expect_near(out.part_s[STRAT_SERVE_ALL_TO_ALL], 6.0 * want, "dispatch and combine");
}

Test(strat_price_experts, the_fullest_expert_rank_has_its_imbalance_more_to_carry_and_to_compute)
{
    Fixture f;
    four_ranks_init(&f);
    StratBatch batch = decodes(4096, 512.0), more = decodes(6144, 512.0);
    StratIteration even = priced(&f, &batch), fuller = priced(&f, &more);
    f.deployment.expert_imbalance = 1.5;
    StratIteration out = priced(&f, &batch);
    expect_near(out.part_s[STRAT_SERVE_ALL_TO_ALL], fuller.part_s[STRAT_SERVE_ALL_TO_ALL], "sent");
    expect_near(out.part_s[STRAT_SERVE_EXPERTS], fuller.part_s[STRAT_SERVE_EXPERTS], "computed");
    expect_near(out.part_s[STRAT_SERVE_LINEAR], even.part_s[STRAT_SERVE_LINEAR], "attention's");
}

/* Narrow types are dispatched as they are, combined in 16 bits. */
Test(strat_price_experts, dispatch_carries_the_type_of_the_weights)
{
    static const struct {
        StratWeights weights;
        double bytes;
    } cases[] = {
        {STRAT_WEIGHTS_BF16,          2.0         },
        {STRAT_WEIGHTS_FP8,           1.03125     },
        {STRAT_WEIGHTS_NVFP4,         0.5 + 0.0625},
        {STRAT_WEIGHTS_NVFP4_EXPERTS, 0.5 + 0.0625},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Fixture f;
        four_ranks_init(&f);
        f.deployment.weights = cases[i].weights;
        StratBatch batch = decodes(4096, 512.0);
        double want = to_all_s(&f, 2.0 * 1024.0 * 1024.0 * cases[i].bytes) +
                      to_all_s(&f, 2.0 * 1024.0 * 2048.0);
        expect_near(priced(&f, &batch).part_s[STRAT_SERVE_ALL_TO_ALL], 6.0 * want, "a layer");
    }
}

/* Ranks wait for the one with the prompt; experts get what all of them have. */
Test(strat_price_experts, a_prompt_is_not_cut_over_attention_ranks)
{
    Fixture f;
    four_ranks_init(&f);
    StratChunk one = {.tokens = 1024}, four[4] = {one, one, one, one};
    StratBatch alone = {.chunk = &one, .chunks = 1}, full = {.chunk = four, .chunks = 4};
    StratIteration out = priced(&f, &alone), all = priced(&f, &full);
    expect_near(out.part_s[STRAT_SERVE_LINEAR], all.part_s[STRAT_SERVE_LINEAR], "linear");
    cr_expect_lt(out.part_s[STRAT_SERVE_EXPERTS], all.part_s[STRAT_SERVE_EXPERTS]);
}

Test(strat_price_experts, two_half_batches_hide_their_collectives)
{
    Fixture f;
    four_ranks_init(&f);
    StratBatch half = decodes(24, 512.0), both = decodes(48, 512.0);
    StratIteration one = priced(&f, &half);
    f.deployment.two_batch_overlap = true;
    StratIteration out = priced(&f, &both);
    expect_near(out.part_s[STRAT_SERVE_LINEAR], 2.0 * one.part_s[STRAT_SERVE_LINEAR], "halves");
    double comm = one.part_s[STRAT_SERVE_ALL_TO_ALL];
    expect_near(out.part_s[STRAT_SERVE_ALL_TO_ALL], comm / 8.0, "one layer of the first half");
}

/* Model FLOPs against the published formula and against the operations themselves.
 *
 * A GPT layer of width h takes 72 B s h^2 (1 + s / 6h) FLOPs forward and backward, the head
 * 6 B s h V: together 72 B L s h^2 (1 + s / 6h + V / 12 h L) (Narayanan 2021 SC, appendix, without
 * the recomputation's quarter; Korthikanti 2022, equation 7). All terms are whole numbers; those of
 * the largest models exceed 2^53, so the tolerance is a few roundings, 1e-14. */
#include "model_params.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>

static const struct {
    int64_t batch, layers, sequence, hidden, heads, vocab;
} gpts[] = {
    {1,    8,   1024, 1024,  16,  8192 },
    {512,  24,  2048, 2304,  24,  51200},
    {1536, 96,  2048, 12288, 96,  51200},
    {3072, 128, 2048, 25600, 160, 51200},
};

static void expect_near(double got, double want, const char *what, size_t i)
{
    cr_expect(fabs(got - want) <= 1e-14 * want, "%s %zu: %.17g, not %.17g", what, i, got, want);
}

static ModelSpec gpt(size_t i)
{
    ModelSpec spec = toy_world().model;
    spec.layers = gpts[i].layers;
    spec.hidden = gpts[i].hidden;
    spec.heads = spec.kv_heads = gpts[i].heads;
    spec.head_dim = gpts[i].hidden / gpts[i].heads;
    spec.ffn = 4 * gpts[i].hidden;
    spec.vocab = gpts[i].vocab;
    return spec;
}

Test(model_flop, of_a_gpt_is_the_published_formula)
{
    for (size_t i = 0; i < G_N_ELEMENTS(gpts); i++) {
        ModelSpec spec = gpt(i);
        double b = (double)gpts[i].batch, l = (double)gpts[i].layers, s = (double)gpts[i].sequence;
        double h = (double)gpts[i].hidden, v = (double)gpts[i].vocab;
        double want = 72.0 * b * l * s * h * h * (1.0 + s / (6.0 * h) + v / (12.0 * h * l));
        expect_near(model_flop(&spec, b, s, false), want, "gpt", i);
    }
}

Test(model_flop, causal_counting_leaves_out_half_of_the_attention)
{
    ModelSpec spec = gpt(0);
    double attention = model_attention_forward_flop(&spec, 3.0, 1024.0);
    expect_near(attention, 8.0 * 4.0 * 3.0 * 1024.0 * 1024.0 * 1024.0, "attention", 0);
    expect_near(model_flop(&spec, 3.0, 1024.0, true) + 1.5 * attention,
                model_flop(&spec, 3.0, 1024.0, false), "causal", 0);
}

/* 32 layers of 4096, 32 query heads and 8 key/value heads of 128, MLP of 14336 with a gate:
 * Q and O 2 x 4096^2, K and V 2 x 4096 x 1024, MLP 3 x 4096 x 14336, head 4096 x 128256. */
Test(model_flop, of_grouped_queries_and_a_gated_mlp_matches_a_hand_count)
{
    ModelSpec spec = {.layers = 32,
                      .hidden = 4096,
                      .heads = 32,
                      .kv_heads = 8,
                      .head_dim = 128,
                      .ffn = 14336,
                      .vocab = 128256,
                      .gated_mlp = true};
    double layer = 2.0 * 4096 * 4096 + 2.0 * 4096 * 1024 + 3.0 * 4096 * 14336;
    double matrices = 32.0 * layer + 4096.0 * 128256.0;
    cr_assert(matrices >= 7504658432.0 && matrices <= 7504658432.0);
    double s = 8192.0, attention = 32.0 * 4.0 * s * s * 4096.0;
    expect_near(model_flop(&spec, 1.0, s, false), 3.0 * (2.0 * s * matrices + attention), "full",
                0);
    expect_near(model_flop(&spec, 1.0, s, true), 3.0 * (2.0 * s * matrices + attention / 2.0),
                "causal", 0);
}

Test(model_flop, without_vocabulary_is_that_of_the_layers)
{
    ModelSpec spec = gpt(0), bare = spec;
    bare.vocab = 0;
    double head = 6.0 * 2.0 * 1024.0 * 1024.0 * 8192.0;
    expect_near(model_flop(&bare, 2.0, 1024.0, false) + head, model_flop(&spec, 2.0, 1024.0, false),
                "head", 0);
}

/* FLOPs of the products in @ops; fused attention is two products. */
static double products_flop(const ModelOps *ops)
{
    double flop = 0.0;
    for (size_t i = 0; i < ops->count; i++) {
        const ModelOp *op = &ops->op[i];
        double one = 2.0 * (double)(op->batch * op->m) * (double)(op->n * op->k);
        if (op->kind == MODEL_OP_GEMM || op->kind == MODEL_OP_BATCHED_GEMM)
            flop += one;
        else if (op->kind == MODEL_OP_ATTENTION)
            flop += 2.0 * one;
    }
    return flop;
}

/* Dense and expert layers, and the head, of all tensor x context ranks. */
static double ranks_flop(const ModelSpec *spec, const ModelShard *shard)
{
    ModelOps ops;
    int64_t dense = spec->experts > 0 ? spec->dense_layers : spec->layers;
    model_ops_layer(spec, shard, false, &ops);
    double flop = (double)dense * products_flop(&ops);
    model_ops_layer(spec, shard, spec->experts > 0, &ops);
    flop += (double)(spec->layers - dense) * products_flop(&ops);
    model_ops_head(spec, shard, &ops);
    flop += products_flop(&ops);
    return flop * (double)(shard->tensor * shard->context);
}

static void check_cuts(const ModelSpec *spec, size_t i)
{
    static const int64_t cuts[] = {1, 2, 4, 8};
    for (size_t t = 0; t < G_N_ELEMENTS(cuts); t++) {
        for (size_t c = 0; c < G_N_ELEMENTS(cuts); c++) {
            for (int fused = 0; fused < 2; fused++) {
                ModelShard shard = {.micro_batch = 2,
                                    .sequence = 2048,
                                    .tensor = cuts[t],
                                    .context = cuts[c],
                                    .sequence_parallel = cuts[t] > 1,
                                    .fused_attention = fused};
                double want = model_flop(spec, 2.0, 2048.0, false) / 3.0;
                expect_near(ranks_flop(spec, &shard), want, "cut", i);
            }
        }
    }
}

/* The vocabularies are multiples of 128 x 8: padding would add logits. */
Test(model_flop, is_three_times_the_forward_products_of_all_ranks)
{
    for (size_t i = 0; i < G_N_ELEMENTS(gpts); i++) {
        ModelSpec spec = gpt(i);
        check_cuts(&spec, i);
    }
    ModelSpec grouped = gpt(0);
    grouped.kv_heads = 8;
    grouped.gated_mlp = true;
    grouped.head_dim = 128; /* wider than hidden / heads */
    grouped.position = MODEL_POSITION_ROTARY;
    check_cuts(&grouped, 99);
}

Test(model_flop, grows_with_the_vocabulary_that_padding_adds)
{
    ModelSpec spec = gpt(0);
    spec.vocab = 50257;
    cr_expect(model_vocab_padded(&spec, 1) == 50304);
    cr_expect(model_vocab_padded(&spec, 8) == 51200);
    spec.vocab = 51200;
    cr_expect(model_vocab_padded(&spec, 8) == 51200, "a multiple stays");
}

static ModelSpec mixtral(void)
{
    return (ModelSpec){.layers = 32,
                       .hidden = 4096,
                       .heads = 32,
                       .kv_heads = 8,
                       .head_dim = 128,
                       .ffn = 14336,
                       .vocab = 32768,
                       .gated_mlp = true,
                       .position = MODEL_POSITION_ROTARY,
                       .norm = MODEL_NORM_RMSNORM,
                       .experts = 8,
                       .experts_per_token = 2,
                       .expert_ffn = 14336};
}

static ModelSpec deepseek_v3(void)
{
    return (ModelSpec){.layers = 61,
                       .hidden = 7168,
                       .heads = 128,
                       .kv_heads = 128,
                       .head_dim = 128,
                       .ffn = 18432,
                       .vocab = 129280,
                       .gated_mlp = true,
                       .position = MODEL_POSITION_ROTARY,
                       .norm = MODEL_NORM_RMSNORM,
                       .experts = 256,
                       .experts_per_token = 8,
                       .expert_ffn = 2048,
                       .shared_experts = 1,
                       .dense_layers = 3,
                       .q_lora_rank = 1536,
                       .kv_lora_rank = 512,
                       .rope_head_dim = 64,
                       .value_head_dim = 128};
}

/* 256 ranks of experts do not fit 2048 rows evenly in whole numbers: their rows are counted by the
 * products that run, which are the same for each rank. */
Test(model_flop, of_experts_is_three_times_the_forward_products_of_all_ranks)
{
    ModelSpec specs[] = {mixtral(), deepseek_v3()};
    specs[1].vocab = 131072;
    for (size_t i = 0; i < G_N_ELEMENTS(specs); i++) {
        for (int64_t t = 1; t <= 4; t *= 2) {
            for (int64_t ranks = 1; ranks <= 8; ranks *= 2) {
                ModelShard shard = {.micro_batch = 2,
                                    .sequence = 2048,
                                    .tensor = t,
                                    .context = 2,
                                    .sequence_parallel = t > 1,
                                    .fused_attention = true,
                                    .expert = ranks};
                /* Compression is not cut: each rank runs it over its own tokens. */
                double want = model_flop(&specs[i], 2.0, 2048.0, false) / 3.0;
                expect_near(ranks_flop(&specs[i], &shard), want, "experts", i);
                shard.expert_tensor = t;
                expect_near(ranks_flop(&specs[i], &shard), want, "cut experts", i);
            }
        }
    }
}

/* 6 FLOPs for each active weight of a product: 12.7e9 without the embedding's 0.13e9, and 36.6e9 of
 * DeepSeek-V3's 37e9 that are no embedding. */
Test(model_flop, of_experts_is_six_times_the_active_parameters)
{
    ModelSpec specs[] = {mixtral(), deepseek_v3()};
    const double published[] = {12.9e9, 37e9};
    for (size_t i = 0; i < G_N_ELEMENTS(specs); i++) {
        double attention = 3.0 * model_attention_forward_flop(&specs[i], 1.0, 4096.0);
        double products = model_flop(&specs[i], 1.0, 4096.0, false) - attention;
        ModelParams params = model_params_count(&specs[i]);
        double active = (double)(params.active - params.embedding);
        double want = 6.0 * 4096.0 * active;
        cr_expect(fabs(products / want - 1.0) < 1e-4, "%zu: %.6g, not %.6g", i, products, want);
        cr_expect(fabs((double)params.active / published[i] - 1.0) < 0.02, "%zu: %.4g", i,
                  (double)params.active);
    }
}

/* What all ranks of a stage hold of the model's layers is the model, its norms and other replicated
 * weights once a rank. */
Test(model_flop, parameters_of_all_expert_ranks_are_those_of_the_model)
{
    ModelSpec spec = deepseek_v3();
    for (int64_t ranks = 1; ranks <= 256; ranks *= 4) {
        ModelShard shard = {.expert = ranks};
        double routed = (double)ranks * model_expert_shard_params(&spec, &shard);
        double got = routed + model_layer_shard_params(&spec, 1, true);
        expect_near(got, (double)model_layer_params(&spec, 60), "experts", (size_t)ranks);
    }
    expect_near(model_layer_shard_params(&spec, 1, false), (double)model_layer_params(&spec, 0),
                "dense", 0);
}

/* Parameter counts against the released checkpoints, whose counts are public and exact, and against
 * figures worked out by hand where a checkpoint holds something that model_params leaves out. */
#include "model_params.h"

#include <criterion/criterion.h>

#include <inttypes.h>

/* LayerNorm, learned positions, biases everywhere, tied head, MLP of four times the width. */
static const ModelSpec gpt2 = {
    .name = "gpt2-124m",
    .layers = 12,
    .hidden = 768,
    .heads = 12,
    .kv_heads = 12,
    .head_dim = 64,
    .ffn = 3072,
    .vocab = 50257,
    .max_sequence = 1024,
    .tied_embeddings = true,
    .linear_bias = true,
    .position = MODEL_POSITION_LEARNED,
    .norm = MODEL_NORM_LAYERNORM,
};

/* ALiBi adds nothing, the norm after the embedding 2 x 14336. */
static const ModelSpec bloom = {
    .name = "bloom-176b",
    .layers = 70,
    .hidden = 14336,
    .heads = 112,
    .kv_heads = 112,
    .head_dim = 128,
    .ffn = 57344,
    .vocab = 250880,
    .max_sequence = 2048,
    .tied_embeddings = true,
    .linear_bias = true,
    .embedding_norm = true,
    .position = MODEL_POSITION_ALIBI,
    .norm = MODEL_NORM_LAYERNORM,
};

/* Grouped queries, gated MLP, RMSNorm. */
static const ModelSpec llama = {
    .name = "llama-3-8b",
    .layers = 32,
    .hidden = 4096,
    .heads = 32,
    .kv_heads = 8,
    .head_dim = 128,
    .ffn = 14336,
    .vocab = 128256,
    .max_sequence = 8192,
    .gated_mlp = true,
    .position = MODEL_POSITION_ROTARY,
    .norm = MODEL_NORM_RMSNORM,
};

/* One key/value head and a tied head: the shapes of Falcon-7B, whose parallel block has one norm a
 * layer where these have two, so 32 x 9088 more than its checkpoint's 6921720704. */
static const ModelSpec multi_query = {
    .name = "falcon-7b",
    .layers = 32,
    .hidden = 4544,
    .heads = 71,
    .kv_heads = 1,
    .head_dim = 64,
    .ffn = 18176,
    .vocab = 65024,
    .max_sequence = 2048,
    .tied_embeddings = true,
    .position = MODEL_POSITION_ROTARY,
    .norm = MODEL_NORM_LAYERNORM,
};

/* Biases on the QKV projection alone. */
static const ModelSpec qwen25 = {
    .name = "qwen2.5-7b",
    .layers = 28,
    .hidden = 3584,
    .heads = 28,
    .kv_heads = 4,
    .head_dim = 128,
    .ffn = 18944,
    .vocab = 152064,
    .max_sequence = 131072,
    .gated_mlp = true,
    .qkv_bias = true,
    .position = MODEL_POSITION_ROTARY,
    .norm = MODEL_NORM_RMSNORM,
};

/* Heads wider than hidden / heads, a norm over queries and keys. */
static const ModelSpec qwen3 = {
    .name = "qwen3-0.6b",
    .layers = 28,
    .hidden = 1024,
    .heads = 16,
    .kv_heads = 8,
    .head_dim = 128,
    .ffn = 3072,
    .vocab = 151936,
    .max_sequence = 32768,
    .gated_mlp = true,
    .tied_embeddings = true,
    .qk_norm = true,
    .position = MODEL_POSITION_ROTARY,
    .norm = MODEL_NORM_RMSNORM,
};

/* Eight experts, two a token. */
static const ModelSpec mixtral = {
    .name = "mixtral-8x7b",
    .layers = 32,
    .hidden = 4096,
    .heads = 32,
    .kv_heads = 8,
    .head_dim = 128,
    .ffn = 14336,
    .vocab = 32000,
    .max_sequence = 32768,
    .gated_mlp = true,
    .position = MODEL_POSITION_ROTARY,
    .norm = MODEL_NORM_RMSNORM,
    .experts = 8,
    .experts_per_token = 2,
    .expert_ffn = 14336,
};

/* Latent attention without query compression, shared experts, one dense layer. */
static const ModelSpec deepseek_v2_lite = {
    .name = "deepseek-v2-lite",
    .layers = 27,
    .hidden = 2048,
    .heads = 16,
    .kv_heads = 16,
    .head_dim = 128,
    .ffn = 10944,
    .vocab = 102400,
    .max_sequence = 32768,
    .gated_mlp = true,
    .position = MODEL_POSITION_ROTARY,
    .norm = MODEL_NORM_RMSNORM,
    .experts = 64,
    .experts_per_token = 6,
    .expert_ffn = 1408,
    .shared_experts = 2,
    .dense_layers = 1,
    .kv_lora_rank = 512,
    .rope_head_dim = 64,
    .value_head_dim = 128,
};

/* Latent attention in full, without the multi-token prediction module. */
static const ModelSpec deepseek_v3 = {
    .name = "deepseek-v3",
    .layers = 61,
    .hidden = 7168,
    .heads = 128,
    .kv_heads = 128,
    .head_dim = 128,
    .ffn = 18432,
    .vocab = 129280,
    .max_sequence = 131072,
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
    .value_head_dim = 128,
};

/* DeepSeek-V3's checkpoint has 671026419200, of which 58 x 256 are routing biases. @idle is what a
 * token leaves out: MoE layers x experts beyond the top-k x three matrices an expert. */
static const struct {
    const ModelSpec *spec;
    int64_t total;
    int64_t idle;
} models[] = {
    {&gpt2,             124439808,               0                                  },
    {&bloom,            176247271424,            0                                  },
    {&llama,            8030261248,              0                                  },
    {&multi_query,      6921720704 + 32 * 9088,  0                                  },
    {&qwen25,           7615616512,              0                                  },
    {&qwen3,            596049920,               0                                  },
    {&mixtral,          46702792704,             INT64_C(32) * 6 * 3 * 4096 * 14336 },
    {&deepseek_v2_lite, 15706484224,             INT64_C(26) * 58 * 3 * 2048 * 1408 },
    {&deepseek_v3,      671026419200 - 58 * 256, INT64_C(58) * 248 * 3 * 7168 * 2048},
};

Test(model_params, totals_match_the_released_checkpoints)
{
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        ModelParams params = model_params_count(models[i].spec);
        cr_expect(params.total == models[i].total, "%s: %" PRId64 " parameters, not %" PRId64,
                  models[i].spec->name, params.total, models[i].total);
        int64_t active = models[i].total - models[i].idle;
        cr_expect(params.active == active, "%s: %" PRId64 " active, not %" PRId64,
                  models[i].spec->name, params.active, active);
    }
}

Test(model_params, layers_and_ends_add_up_to_the_total)
{
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        const ModelSpec *spec = models[i].spec;
        ModelParams params = model_params_count(spec);
        int64_t sum = params.embedding + params.embedding_norm + params.position +
                      params.final_norm + params.head;
        for (int64_t layer = 0; layer < spec->layers; layer++)
            sum += model_layer_params(spec, layer);
        cr_expect(sum == params.total, "%s: parts sum to %" PRId64 ", not %" PRId64, spec->name,
                  sum, params.total);
    }
}

Test(model_params, parts_of_gpt2_match_a_hand_count)
{
    ModelParams params = model_params_count(&gpt2);

    cr_expect(params.embedding == 50257 * 768);
    cr_expect(params.position == 1024 * 768);
    cr_expect(params.embedding_norm == 0);
    cr_expect(params.attention_layer == 4 * 768 * 768 + 4 * 768);
    cr_expect(params.dense_mlp_layer == 2 * 768 * 3072 + 3072 + 768);
    cr_expect(params.moe_layer == 0);
    cr_expect(params.norms_layer == 4 * 768);
    cr_expect(params.final_norm == 2 * 768);
    cr_expect(params.head == 0, "a tied head is the embedding's matrix");
}

Test(model_params, latent_attention_of_deepseek_v3_matches_a_hand_count)
{
    ModelParams params = model_params_count(&deepseek_v3);

    int64_t query = 7168 * 1536 + 1536 + 1536 * 128 * (128 + 64);
    int64_t key_value = 7168 * (512 + 64) + 512 + 512 * 128 * (128 + 128);
    int64_t output = 128 * 128 * 7168;
    cr_expect(params.attention_layer == query + key_value + output);
}

Test(model_params, experts_router_and_dense_layers_are_told_apart)
{
    ModelParams params = model_params_count(&deepseek_v3);
    int64_t expert = 3 * 7168 * 2048;

    cr_expect(model_expert_params(&deepseek_v3) == expert);
    cr_expect(model_expert_params(&llama) == 0);
    cr_expect(params.dense_mlp_layer == 3 * 7168 * 18432);
    cr_expect(params.moe_layer == (256 + 1) * expert + 7168 * 256);
    cr_expect(model_layer_params(&deepseek_v3, 3) - model_layer_params(&deepseek_v3, 2) ==
              params.moe_layer - params.dense_mlp_layer);
    cr_expect(model_layer_params(&deepseek_v3, 60) == model_layer_params(&deepseek_v3, 3));
}

Test(model_params, counts_follow_the_formula_of_narayanan_but_for_the_final_norm)
{
    /* 12 l h^2 + 13 l h + (V + s) h of SC'21, equation 2, for the trillion-parameter model. */
    int64_t layers = 128, hidden = 25600, vocab = 51200, sequence = 2048;
    ModelSpec spec = gpt2;
    spec.layers = layers;
    spec.hidden = hidden;
    spec.heads = spec.kv_heads = 160;
    spec.head_dim = 160;
    spec.ffn = 4 * hidden;
    spec.vocab = vocab;
    spec.max_sequence = sequence;

    int64_t formula =
        12 * layers * hidden * hidden + 13 * layers * hidden + (vocab + sequence) * hidden;
    cr_expect(model_params_count(&spec).total == formula + 2 * hidden);
    cr_expect(formula / 100000000 == 10080, "printed as 1008.0 billion");
}

Test(model_params, a_model_without_vocabulary_has_neither_embedding_nor_head)
{
    ModelSpec spec = llama;
    spec.vocab = 0;
    ModelParams params = model_params_count(&spec);

    cr_expect(params.embedding == 0 && params.head == 0);
    cr_expect(params.total == 32 * model_layer_params(&llama, 0) + 4096);
}

Test(model_params, a_router_bias_and_expert_biases_follow_linear_bias)
{
    ModelSpec spec = mixtral;
    spec.linear_bias = true;

    int64_t expert_bias = 2 * 14336 + 4096;
    cr_expect(model_params_count(&spec).moe_layer ==
              model_params_count(&mixtral).moe_layer + 8 * expert_bias + 8);
}

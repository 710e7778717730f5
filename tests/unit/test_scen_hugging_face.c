/* Hugging Face configurations of released models, cut down to the keys that carry shapes, against
 * the parameters of their checkpoints: the exact count where the checkpoint is public (the header
 * of its safetensors, a tied head counted once), else the figure that its authors print, to half of
 * its last digit. What the model leaves out of a checkpoint is worked out by hand beside it.  The
 * checkpoints of GLM-4.5 hold an MTP module: one more layer of experts, a projection of two hidden
 * vectors, three norms and copies of embedding and head, and a routing bias an expert everywhere.
 * Of Llama 4 Scout what sees is 0.87 billion (34
 * layers of 1408 and 5632). */
#include "model_params.h"
#include "scen_bind.h"
#include "scen_fields.h"
#include "scen_hugging_face.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define J(...) "{" #__VA_ARGS__ "}"

/* clang-format off */
static const struct {
    const char *name, *json;
    int64_t published; /* parameters of the checkpoint */
    int64_t left_out;  /* of them, what Orrery's model has not */
    double rounded;    /* published is rounded to this; 0: exact */
    const char *note;  /* one that must be said; NULL: none at all */
} models[] = {
    {"GPT-2", J("model_type": "gpt2", "n_layer": 12, "n_embd": 768, "n_head": 12, "n_ctx": 1024, "n_positions": 1024,
       "vocab_size": 50257), 124439808, 0, 0, NULL},
    {"GPT-2 XL", J("model_type": "gpt2", "n_layer": 48, "n_embd": 1600, "n_head": 25, "n_positions": 1024,
       "vocab_size": 50257), 1557611200, 0, 0, NULL},
    {"GPT-NeoX 20B", J("model_type": "gpt_neox", "num_hidden_layers": 44, "hidden_size": 6144,
       "num_attention_heads": 64, "intermediate_size": 24576, "vocab_size": 50432, "max_position_embeddings": 2048,
       "rotary_pct": 0.25, "tie_word_embeddings": false, "use_parallel_residual": true),
       20554567680, 0, 0, "use_parallel_residual: "},
    {"OPT 125M", J("model_type": "opt", "num_hidden_layers": 12, "hidden_size": 768, "num_attention_heads": 12,
       "ffn_dim": 3072, "vocab_size": 50272, "max_position_embeddings": 2048, "word_embed_proj_dim": 768),
       125239296, 2 * 768, 0, "position table"},
    {"BLOOM 560M", J("model_type": "bloom", "n_layer": 24, "n_embed": 1024, "num_attention_heads": 16,
       "vocab_size": 250880, "seq_length": 2048), 559214592, 0, 0, NULL},
    {"BLOOM 176B", J("model_type": "bloom", "n_layer": 70, "hidden_size": 14336, "n_head": 112, "vocab_size": 250880,
       "seq_length": 2048, "attention_softmax_in_fp32": true), 176247271424, 0, 0, NULL},
    {"Falcon 7B: one norm a layer", J("model_type": "falcon", "num_hidden_layers": 32, "hidden_size": 4544,
       "num_attention_heads": 71, "multi_query": true, "new_decoder_architecture": false, "parallel_attn": true,
       "bias": false, "alibi": false, "vocab_size": 65024), 6921720704, -32 * 2 * 4544, 0, "parallel_attn: "},
    {"Falcon 40B", J("model_type": "falcon", "num_hidden_layers": 60, "hidden_size": 8192, "num_attention_heads": 128,
       "num_kv_heads": 8, "new_decoder_architecture": true, "parallel_attn": true, "bias": false,
       "vocab_size": 65024), 41303293952, 0, 0, "parallel_attn: "},
    {"Llama 2 7B", J("model_type": "llama", "num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32,
       "num_key_value_heads": 32, "intermediate_size": 11008, "vocab_size": 32000, "rope_scaling": null,
       "pretraining_tp": 1), 6738415616, 0, 0, NULL},
    {"Llama 2 70B", J("model_type": "llama", "num_hidden_layers": 80, "hidden_size": 8192, "num_attention_heads": 64,
       "num_key_value_heads": 8, "intermediate_size": 28672, "vocab_size": 32000), 68976648192, 0, 0, NULL},
    {"Llama 3.1 405B", J("model_type": "llama", "num_hidden_layers": 126, "hidden_size": 16384,
       "num_attention_heads": 128, "num_key_value_heads": 8, "intermediate_size": 53248, "vocab_size": 128256,
       "rope_scaling": {"factor": 8.0, "rope_type": "llama3"}), 405853388800, 0, 0, NULL},
    {"Llama 3.2 1B", J("model_type": "llama", "num_hidden_layers": 16, "hidden_size": 2048, "num_attention_heads": 32,
       "num_key_value_heads": 8, "head_dim": 64, "intermediate_size": 8192, "vocab_size": 128256,
       "tie_word_embeddings": true), 1235814400, 0, 0, NULL},
    {"Llama 4 Scout, without what sees", J("model_type": "llama4", "vision_config": {"hidden_size": 1408},
       "text_config": {"model_type": "llama4_text", "num_hidden_layers": 48, "hidden_size": 5120,
       "num_attention_heads": 40, "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 8192,
       "intermediate_size_mlp": 16384, "num_local_experts": 16, "num_experts_per_tok": 1,
       "interleave_moe_layer_step": 1, "attention_chunk_size": 8192, "vocab_size": 202048}),
       INT64_C(109000000000), INT64_C(870000000), 1e9, "vision_config: "},
    {"Mistral 7B", J("model_type": "mistral", "num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32,
       "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 32000, "sliding_window": 4096),
       7241732096, 0, 0, "sliding_window: "},
    {"Mixtral 8x7B", J("model_type": "mixtral", "num_hidden_layers": 32, "hidden_size": 4096,
       "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336, "num_local_experts": 8,
       "num_experts_per_tok": 2, "vocab_size": 32000, "sliding_window": null), 46702792704, 0, 0, NULL},
    {"Mixtral 8x22B", J("model_type": "mixtral", "num_hidden_layers": 56, "hidden_size": 6144,
       "num_attention_heads": 48, "num_key_value_heads": 8, "intermediate_size": 16384, "num_local_experts": 8,
       "num_experts_per_tok": 2, "vocab_size": 32000), 140620634112, 0, 0, NULL},
    {"Qwen2.5 7B", J("model_type": "qwen2", "num_hidden_layers": 28, "hidden_size": 3584, "num_attention_heads": 28,
       "num_key_value_heads": 4, "intermediate_size": 18944, "vocab_size": 152064, "sliding_window": 131072,
       "use_sliding_window": false, "max_window_layers": 28), 7615616512, 0, 0, NULL},
    {"Qwen2 57B-A14B", J("model_type": "qwen2_moe", "num_hidden_layers": 28, "hidden_size": 3584,
       "num_attention_heads": 28, "num_key_value_heads": 4, "intermediate_size": 18944, "num_experts": 64,
       "num_experts_per_tok": 8, "moe_intermediate_size": 2560, "shared_expert_intermediate_size": 20480,
       "decoder_sparse_step": 1, "vocab_size": 151936), INT64_C(57410000000), 28 * 3584, 1e7, "gate on shared experts"},
    {"Qwen3 0.6B", J("model_type": "qwen3", "num_hidden_layers": 28, "hidden_size": 1024, "num_attention_heads": 16,
       "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 3072, "vocab_size": 151936,
       "tie_word_embeddings": true), 596049920, 0, 0, NULL},
    {"Qwen3 30B-A3B", J("model_type": "qwen3_moe", "num_hidden_layers": 48, "hidden_size": 2048,
       "num_attention_heads": 32, "num_key_value_heads": 4, "head_dim": 128, "intermediate_size": 6144,
       "num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768, "mlp_only_layers": [],
       "decoder_sparse_step": 1, "vocab_size": 151936, "norm_topk_prob": true), 30532122624, 0, 0, NULL},
    {"DeepSeek-V2-Lite", J("model_type": "deepseek_v2", "num_hidden_layers": 27, "hidden_size": 2048,
       "num_attention_heads": 16, "num_key_value_heads": 16, "intermediate_size": 10944, "q_lora_rank": null,
       "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
       "n_routed_experts": 64, "n_shared_experts": 2, "num_experts_per_tok": 6, "moe_intermediate_size": 1408,
       "first_k_dense_replace": 1, "moe_layer_freq": 1, "n_group": 1, "topk_group": 1, "vocab_size": 102400),
       15706484224, 0, 0, NULL},
    {"DeepSeek-V3 (and R1), without MTP", J("model_type": "deepseek_v3", "num_hidden_layers": 61,
       "hidden_size": 7168, "num_attention_heads": 128, "num_key_value_heads": 128, "intermediate_size": 18432,
       "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
       "n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 8, "moe_intermediate_size": 2048,
       "first_k_dense_replace": 3, "moe_layer_freq": 1, "topk_group": 4, "num_nextn_predict_layers": 1,
       "vocab_size": 129280), 671026419200, 58 * 256, 0, "num_nextn_predict_layers: "},
    {"Kimi K2", J("model_type": "kimi_k2", "num_hidden_layers": 61, "hidden_size": 7168, "num_attention_heads": 64,
       "num_key_value_heads": 64, "intermediate_size": 18432, "q_lora_rank": 1536, "kv_lora_rank": 512,
       "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "n_routed_experts": 384,
       "n_shared_experts": 1, "num_experts_per_tok": 8, "moe_intermediate_size": 2048, "first_k_dense_replace": 1,
       "topk_group": 1, "vocab_size": 163840), INT64_C(1000000000000), 0, 1e11, NULL},
    {"GLM-4.5", J("model_type": "glm4_moe", "num_hidden_layers": 92, "hidden_size": 5120, "num_attention_heads": 96,
       "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 12288, "attention_bias": true,
       "n_routed_experts": 160, "n_shared_experts": 1, "num_experts_per_tok": 8, "moe_intermediate_size": 1536,
       "first_k_dense_replace": 3, "use_qk_norm": true, "vocab_size": 151552), 358337791296,
       INT64_C(3935625472) + 2 * 5120 * 5120 + INT64_C(2) * 151552 * 5120 + 3 * 5120 + 90 * 160, 0, NULL},
    {"GLM-4.5-Air", J("model_type": "glm4_moe", "num_hidden_layers": 46, "hidden_size": 4096, "num_attention_heads": 96,
       "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 10944, "attention_bias": true,
       "n_routed_experts": 128, "n_shared_experts": 1, "num_experts_per_tok": 8, "moe_intermediate_size": 1408,
       "first_k_dense_replace": 1, "use_qk_norm": false, "vocab_size": 151552), 110468824832,
       INT64_C(2341492736) + 2 * 4096 * 4096 + INT64_C(2) * 151552 * 4096 + 3 * 4096 + 46 * 128, 0, NULL},
    {"gpt-oss 20B", J("model_type": "gpt_oss", "num_hidden_layers": 24, "hidden_size": 2880,
       "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 64, "intermediate_size": 2880,
       "num_local_experts": 32, "num_experts_per_tok": 4, "attention_bias": true, "sliding_window": 128,
       "vocab_size": 201088, "tie_word_embeddings": false), 20914757184, 24 * 64, 0, "sinks"},
    {"gpt-oss 120B", J("model_type": "gpt_oss", "num_hidden_layers": 36, "hidden_size": 2880,
       "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 64, "intermediate_size": 2880,
       "num_local_experts": 128, "experts_per_token": 4, "attention_bias": true, "vocab_size": 201088),
       116829156672, 36 * 64, 0, "sinks"},
    {"Gemma 7B", J("model_type": "gemma", "num_hidden_layers": 28, "hidden_size": 3072, "num_attention_heads": 16,
       "num_key_value_heads": 16, "head_dim": 256, "intermediate_size": 24576, "vocab_size": 256000),
       8537680896, 0, 0, NULL},
    {"Gemma 2 9B", J("model_type": "gemma2", "num_hidden_layers": 42, "hidden_size": 3584, "num_attention_heads": 16,
       "num_key_value_heads": 8, "head_dim": 256, "intermediate_size": 14336, "vocab_size": 256000,
       "attn_logit_softcapping": 50.0), 9241705984, 42 * 2 * 3584, 0, "norms behind"},
    {"Gemma 2 27B", J("model_type": "gemma2", "num_hidden_layers": 46, "hidden_size": 4608, "num_attention_heads": 32,
       "num_key_value_heads": 16, "head_dim": 128, "intermediate_size": 36864, "vocab_size": 256000),
       27227128320, 46 * 2 * 4608, 0, "norms behind"},
    {"Gemma 3 1B", J("model_type": "gemma3_text", "num_hidden_layers": 26, "hidden_size": 1152,
       "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256, "intermediate_size": 6912,
       "vocab_size": 262144), 999885952, 26 * 2 * 1152, 0, "norms behind"},
    {"Gemma 3 4B, whose heads are defaults", J("model_type": "gemma3", "vision_config": {"hidden_size": 1152},
       "text_config": {"model_type": "gemma3_text", "num_hidden_layers": 34, "hidden_size": 2560,
       "intermediate_size": 10240, "sliding_window": 1024}), INT64_C(3880000000), 34 * 2 * 2560, 1e7, "norms behind"},
    {"Phi-3 mini", J("model_type": "phi3", "num_hidden_layers": 32, "hidden_size": 3072, "num_attention_heads": 32,
       "num_key_value_heads": 32, "intermediate_size": 8192, "vocab_size": 32064), 3821079552, 0, 0, NULL},
    {"Phi-4", J("model_type": "phi3", "num_hidden_layers": 40, "hidden_size": 5120, "num_attention_heads": 40,
       "num_key_value_heads": 10, "intermediate_size": 17920, "vocab_size": 100352), 14659507200, 0, 0, NULL},
};
/* clang-format on */

/* The model of @json; its notes, joined, go to @said. */
static bool read(const char *json, ModelSpec *spec, char **said, GError **error)
{
    g_autoptr(ScenPool) pool = scen_pool_new();
    g_autoptr(ScenErrors) errors = scen_errors_new();
    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GStringChunk) strings = g_string_chunk_new(256);
    g_autoptr(GString) path = g_string_new(NULL);
    const ScenNode *map =
        scen_hugging_face_parse(pool, errors, "config.json", json, strlen(json), notes);
    ScenBinder binder = {.errors = errors, .strings = strings, .folder = ".", .path = path};
    if (map)
        scen_bind(&binder, &scen_model_table, map, spec);
    g_ptr_array_add(notes, NULL);
    *said = g_strjoinv("\n", (char **)notes->pdata);
    return scen_errors_report(errors, error);
}

Test(scen_hugging_face, parameters_are_those_of_the_checkpoints)
{
    for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
        ModelSpec spec = {0};
        g_autofree char *said = NULL;
        g_autoptr(GError) error = NULL;
        bool done = read(models[i].json, &spec, &said, &error);
        cr_expect(done, "%s: %s", models[i].name, error ? error->message : "");
        if (!done)
            continue;
        int64_t counted = model_params_count(&spec).total;
        int64_t want = models[i].published - models[i].left_out;
        cr_expect(fabs((double)(counted - want)) <= 0.5 * models[i].rounded,
                  "%s: %" PRId64 " parameters, not %" PRId64 ": %" PRId64 " off", models[i].name,
                  counted, want, counted - want);
        const char *note = models[i].note;
        cr_expect(note ? strstr(said, note) != NULL : *said == '\0', "%s says: %s", models[i].name,
                  said);
    }
}

/* clang-format off */
static const struct {
    const char *json, *error;
} faults[] = {
    {"{\n  \"model_type\": \"lama\"}", "config.json:2:17: unknown model_type 'lama', did you mean 'llama'? Known: gpt2, "},
    {"{}", "config.json:1:1: no model_type"},
    {"[1]", "config.json:1:1: a configuration must be a JSON object"},
    {"{\"model_type\": \"llama\",\n \"num_hidden_layers\": \"8\"}", "config.json:2:23: 'num_hidden_layers' must be a whole number"},
    {"{\"model_type\": \"qwen3_moe\",\n\"decoder_sparse_step\": 2}", "config.json:2:24: layers that alternate"},
    {"{\"model_type\": \"llama4\", \"text_config\":\n{\"model_type\": \"llama4_text\", \"interleave_moe_layer_step\": 2}}",
     "config.json:2:60: layers that alternate"},
    {"{\"model_type\": \"qwen2_moe\", \"moe_intermediate_size\": 3,\n \"shared_expert_intermediate_size\": 7}",
     "config.json:2:37: 'shared_expert_intermediate_size' must be a multiple"},
    {"{\"model_type\": \"llama\", \"num_hidden_layers\": 99999999999999999999}", "must be a whole number"},
};
/* clang-format on */

Test(scen_hugging_face, faults_name_their_line_and_column)
{
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
        ModelSpec spec = {0};
        g_autofree char *said = NULL;
        g_autoptr(GError) error = NULL;
        cr_expect_not(read(faults[i].json, &spec, &said, &error));
        cr_expect(error && strstr(error->message, faults[i].error), "%s: %s", faults[i].json,
                  error ? error->message : "read");
    }
}

Test(scen_hugging_face, a_key_that_nobody_knows_is_said)
{
    ModelSpec spec = {0};
    g_autofree char *said = NULL;
    read("{\"model_type\": \"llama\", \"residual_streams\": 4, \"rope_theta\": 1e4}", &spec, &said,
         NULL);
    cr_expect_str_eq(said, "'residual_streams' is not known to Orrery, which may matter");
}

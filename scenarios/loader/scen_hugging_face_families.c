/* What Hugging Face configurations call things, and what their families do.
 *
 * Structure is that of the transformers library, src/transformers/models/<family>/modeling_<family>.py,
 * and the defaults of configuration_<family>.py where released configurations rely on them (Gemma 3
 * of 4B leaves out its heads). tied_embeddings is the family's default of tie_word_embeddings.
 *
 * Keys stand in one of three tables: numbers that a model is made of, notes on what is not
 * modelled, and keys that say nothing about cost. A key in none of them is reported by the
 * importer, so that nothing is lost unsaid. */
#include "scen_hugging_face_private.h"

#define POST_NORMS                                                                                 \
    "Gemma's norms behind attention and MLP are left out: two more a layer, of one number a "      \
    "channel"
#define PARALLEL_BLOCK                                                                             \
    "attention and MLP run side by side on the same input there, one after the other here"

/* clang-format off */
static const ScenHfFamily families[] = {
    {.type = "gpt2", .tied_embeddings = true, .bias = "all", .position = "learned", .norm = "layernorm"},
    {.type = "opt", .tied_embeddings = true, .bias = "all", .position = "learned", .norm = "layernorm",
     .note = "OPT's position table has two more rows, which are left out"},
    {.type = "bloom", .tied_embeddings = true, .embedding_norm = true, .bias = "all", .position = "alibi",
     .norm = "layernorm"},
    {.type = "gpt_neox", .bias = "all", .position = "rotary", .norm = "layernorm"},
    {.type = "falcon", .tied_embeddings = true, .bias = "none", .position = "rotary", .norm = "layernorm",
     .own_kv_heads = true},
    {.type = "llama", .gated_mlp = true, .bias = "none", .position = "rotary", .norm = "rmsnorm"},
    {.type = "llama4_text", .gated_mlp = true, .experts = true, .bias = "none", .position = "rotary",
     .norm = "rmsnorm", .shared_experts = 1, .dense_ffn = "intermediate_size_mlp"},
    {.type = "mistral", .gated_mlp = true, .bias = "none", .position = "rotary", .norm = "rmsnorm"},
    {.type = "mixtral", .gated_mlp = true, .experts = true, .bias = "none", .position = "rotary",
     .norm = "rmsnorm"},
    {.type = "qwen2", .gated_mlp = true, .bias = "qkv", .position = "rotary", .norm = "rmsnorm"},
    {.type = "qwen2_vl", .gated_mlp = true, .bias = "qkv", .position = "rotary", .norm = "rmsnorm"},
    {.type = "qwen2_5_vl", .gated_mlp = true, .bias = "qkv", .position = "rotary", .norm = "rmsnorm"},
    {.type = "qwen2_5_vl_text", .gated_mlp = true, .bias = "qkv", .position = "rotary", .norm = "rmsnorm"},
    {.type = "qwen2_moe", .gated_mlp = true, .experts = true, .bias = "qkv", .position = "rotary",
     .norm = "rmsnorm", .note = "the gate on shared experts is left out: one number a channel"},
    {.type = "qwen3", .gated_mlp = true, .qk_norm = true, .bias = "none", .position = "rotary",
     .norm = "rmsnorm"},
    {.type = "qwen3_vl_text", .gated_mlp = true, .qk_norm = true, .bias = "none", .position = "rotary",
     .norm = "rmsnorm"},
    {.type = "qwen3_moe", .gated_mlp = true, .qk_norm = true, .experts = true, .bias = "none",
     .position = "rotary", .norm = "rmsnorm"},
    {.type = "qwen3_vl_moe_text", .gated_mlp = true, .qk_norm = true, .experts = true, .bias = "none",
     .position = "rotary", .norm = "rmsnorm"},
    {.type = "nemotron", .bias = "none", .position = "rotary", .norm = "layernorm"},
    {.type = "deepseek_v2", .gated_mlp = true, .experts = true, .bias = "none", .position = "rotary",
     .norm = "rmsnorm"},
    {.type = "deepseek_v3", .gated_mlp = true, .experts = true, .bias = "none", .position = "rotary",
     .norm = "rmsnorm"},
    {.type = "kimi_k2", .gated_mlp = true, .experts = true, .bias = "none", .position = "rotary",
     .norm = "rmsnorm"},
    {.type = "glm4_moe", .gated_mlp = true, .experts = true, .bias = "none", .position = "rotary",
     .norm = "rmsnorm", .qk_norm_key = "use_qk_norm"},
    {.type = "gpt_oss", .gated_mlp = true, .experts = true, .bias = "all", .position = "rotary",
     .norm = "rmsnorm", .note = "attention sinks are left out: one number a head"},
    {.type = "gemma", .gated_mlp = true, .tied_embeddings = true, .bias = "none", .position = "rotary",
     .norm = "rmsnorm", .defaults = {{"head_dim", 256}}},
    {.type = "gemma2", .gated_mlp = true, .tied_embeddings = true, .bias = "none", .position = "rotary",
     .norm = "rmsnorm", .note = POST_NORMS, .defaults = {{"head_dim", 256}}},
    {.type = "gemma3_text", .gated_mlp = true, .tied_embeddings = true, .qk_norm = true, .bias = "none",
     .position = "rotary", .norm = "rmsnorm", .note = POST_NORMS,
     .defaults = {{"head_dim", 256}, {"num_attention_heads", 8}, {"num_key_value_heads", 4},
                  {"vocab_size", 262208}}},
    {.type = "phi3", .gated_mlp = true, .bias = "none", .position = "rotary", .norm = "rmsnorm"},
};

static const ScenHfNumber numbers[] = {
    {"layers",            {"num_hidden_layers", "n_layer"},                                  false},
    {"hidden",            {"hidden_size", "n_embd", "n_embed"},                              false},
    {"heads",             {"num_attention_heads", "n_head"},                                 false},
    {"kv_heads",          {"num_key_value_heads"},                                           false},
    {"head_dim",          {"qk_nope_head_dim", "head_dim"},                                  false},
    {"ffn",               {"intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size"},    false},
    {"vocab",             {"vocab_size"},                                                    false},
    {"max_sequence",      {"max_position_embeddings", "n_positions", "seq_length"},          false},
    {"q_lora_rank",       {"q_lora_rank"},                                                   false},
    {"kv_lora_rank",      {"kv_lora_rank"},                                                  false},
    {"rope_head_dim",     {"qk_rope_head_dim"},                                              false},
    {"value_head_dim",    {"v_head_dim"},                                                    false},
    {"experts",           {"num_local_experts", "n_routed_experts", "num_experts"},          true },
    {"experts_per_token", {"num_experts_per_tok", "experts_per_token"},                      true },
    {"expert_ffn",        {"moe_intermediate_size", "intermediate_size"},                    true },
    {"shared_experts",    {"n_shared_experts"},                                              true },
    {"dense_layers",      {"first_k_dense_replace"},                                         true },
};

#define WINDOWS "attention looks at a window in some layers there, at the whole context in all here"
#define BESIDE "only the language model is here: what sees or hears stands beside it"

static const ScenHfNote notes[] = {
    {.key = "sliding_window", .unless = "use_sliding_window", .note = WINDOWS},
    {.key = "attention_chunk_size", .note = WINDOWS},
    {.key = "num_nextn_predict_layers", .note = "modules that predict several tokens ahead (MTP) are left out"},
    {.key = "vision_config", .note = BESIDE},
    {.key = "audio_config", .note = BESIDE},
    {.key = "attn_logit_softcapping", .note = "soft caps on scores and logits cost nothing here"},
    {.key = "final_logit_softcapping", .note = "soft caps on scores and logits cost nothing here"},
    {.key = "quantization_config",
     .note = "its weights are quantised; shapes say nothing of it: serve.weights, or plan.precision and plan.quantise"},
    {.key = "use_parallel_residual", .note = PARALLEL_BLOCK},
    {.key = "parallel_attn", .note = PARALLEL_BLOCK},
    {.key = "topk_group", .when = SCEN_HF_WHEN_ABOVE_1,
     .note = "a token's experts lie in topk_group groups; with groups as nodes: plan.expert_nodes"},
};

/* Read one by one, or of no consequence for shapes and time. */
static const char *const known[] = {
    "model_type", "text_config", "llm_config", "language_config", "tie_word_embeddings", "attention_bias", "bias",
    "alibi", "multi_query", "new_decoder_architecture", "num_kv_heads", "use_qk_norm",
    "shared_expert_intermediate_size", "mlp_only_layers", "decoder_sparse_step", "moe_layer_freq",
    "interleave_moe_layer_step", "moe_layers", "intermediate_size_mlp", "word_embed_proj_dim", "use_sliding_window",
    "architectures", "auto_map", "torch_dtype", "dtype", "transformers_version", "use_cache", "name",
    "bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id", "sep_token_id", "decoder_start_token_id",
    "image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id", "vision_token_id",
    "image_token_index", "boi_token_index", "eoi_token_index", "mm_tokens_per_image", "spatial_merge_size",
    "multimodal_projector_bias", "projector_hidden_act", "vision_feature_layer",
    "initializer_range", "initializer_factor", "init_std", "layer_norm_epsilon", "layer_norm_eps", "rms_norm_eps",
    "norm_eps", "hidden_act", "hidden_activation", "activation_function", "hidden_dropout", "attention_dropout",
    "attn_pdrop", "embd_pdrop", "resid_pdrop", "resid_dropout", "dropout", "activation_dropout", "layerdrop",
    "classifier_dropout", "summary_activation", "summary_first_dropout", "summary_proj_to_labels",
    "summary_type", "summary_use_proj", "task_specific_params", "n_ctx", "reorder_and_upcast_attn",
    "scale_attn_weights", "scale_attn_by_inverse_layer_idx", "attention_softmax_in_fp32",
    "apply_residual_connection_post_layernorm", "masked_softmax_fusion", "offset_alibi", "skip_bias_add",
    "skip_bias_add_qkv", "slow_but_exact", "unk_token", "bias_dropout_fusion", "do_layer_norm_before",
    "enable_bias", "layer_norm_elementwise_affine", "_remove_final_layer_norm", "prefix",
    "rope_theta", "rope_scaling", "rope_parameters", "rope_local_base_freq", "rotary_pct", "rotary_emb_base", "partial_rotary_factor",
    "rope_interleave", "no_rope_layers", "no_rope_layer_interval", "attn_temperature_tuning", "attn_scale", "floor_scale",
    "original_max_position_embeddings", "query_pre_attn_scalar", "max_window_layers", "layer_types", "sliding_window_pattern",
    "sliding_window_size", "cache_implementation", "pretraining_tp", "mlp_bias", "ep_size", "for_llm_compressor",
    "norm_topk_prob", "scoring_func", "topk_method", "n_group", "seq_aux", "aux_loss_alpha", "routed_scaling_factor",
    "moe_router_enable_expert_bias", "output_router_logits", "router_aux_loss_coef", "router_jitter_noise",
    "swiglu_limit", "initial_context_length", "rope_ntk_alpha", "rope_ntk_beta",
    "qk_head_dim", "tokenizer_class", "gradient_checkpointing", "temperature_tuning",
    "embd_layer_norm", "resid_pdrop_prob", "chunk_size_feed_forward", "return_dict", "output_attentions",
    "output_hidden_states", "is_encoder_decoder", "id2label", "label2id", "problem_type", "is_decoder",
    "add_cross_attention", "max_length", "min_length", "top_k", "top_p", "do_sample", "_name_or_path",
    "_attn_implementation", "_commit_hash", "_num_labels", "num_experts_group",
};
/* clang-format on */

const ScenHfFamily *scen_hf_families(size_t *count)
{
    *count = G_N_ELEMENTS(families);
    return families;
}

const ScenHfNumber *scen_hf_numbers(size_t *count)
{
    *count = G_N_ELEMENTS(numbers);
    return numbers;
}

const ScenHfNote *scen_hf_notes(size_t *count)
{
    *count = G_N_ELEMENTS(notes);
    return notes;
}

bool scen_hf_key_is_known(const char *key)
{
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (g_str_equal(known[i], key))
            return true;
    for (size_t i = 0; i < G_N_ELEMENTS(notes); i++)
        if (g_str_equal(notes[i].key, key))
            return true;
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        for (size_t n = 0; n < G_N_ELEMENTS(numbers[i].names) && numbers[i].names[n]; n++)
            if (g_str_equal(numbers[i].names[n], key))
                return true;
    return false;
}

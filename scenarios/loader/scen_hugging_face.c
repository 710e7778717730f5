/* Models from a Hugging Face config.json.
 *
 * A configuration gives numbers under names that differ between families, and leaves the structure
 * (gated MLP, kind of norm, biases) to the code that `model_type` selects. So there are two tables:
 * one from our keys to the names that carry the number, the other from families to structure, as
 * in the transformers library (modeling_<family>.py). The result is a map of model keys like one
 * written by hand, bound by the same table and refined by keys beside `hugging_face:`.
 *
 * Left out, with an error where a configuration uses it: layers that alternate between dense and
 * experts other than leading dense ones. Left out silently: sliding windows, partial rotary,
 * rope scaling, the two extra rows of OPT's position table. */
#include "scen_hugging_face.h"

#include "scen_doc.h"
#include "scen_names.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define JSON_DEPTH_MAX 64

typedef struct Family {
    const char *type; /* model_type */
    bool gated_mlp, tied_embeddings, qk_norm, embedding_norm, experts;
    const char *bias;
    const char *position;
    const char *norm;
} Family;

static const Family families[] = {
    {"gpt2",        false, true,  false, false, false, "all",  "learned", "layernorm"},
    {"opt",         false, true,  false, false, false, "all",  "learned", "layernorm"},
    {"bloom",       false, true,  false, true,  false, "all",  "alibi",   "layernorm"},
    {"llama",       true,  false, false, false, false, "none", "rotary",  "rmsnorm"  },
    {"mistral",     true,  false, false, false, false, "none", "rotary",  "rmsnorm"  },
    {"mixtral",     true,  false, false, false, true,  "none", "rotary",  "rmsnorm"  },
    {"qwen2",       true,  false, false, false, false, "qkv",  "rotary",  "rmsnorm"  },
    {"qwen3",       true,  false, true,  false, false, "none", "rotary",  "rmsnorm"  },
    {"qwen2_moe",   true,  false, false, false, true,  "qkv",  "rotary",  "rmsnorm"  },
    {"qwen3_moe",   true,  false, true,  false, true,  "none", "rotary",  "rmsnorm"  },
    {"nemotron",    false, false, false, false, false, "none", "rotary",  "layernorm"},
    {"deepseek_v2", true,  false, false, false, true,  "none", "rotary",  "rmsnorm"  },
    {"deepseek_v3", true,  false, false, false, true,  "none", "rotary",  "rmsnorm"  },
};

/** One of our keys and the names that carry its number; the first that is there counts. */
typedef struct Number {
    const char *key;
    const char *names[4];
    bool experts; /* only of families that have experts */
} Number;

static const Number numbers[] = {
    {"layers",            {"num_hidden_layers", "n_layer"},                         false},
    {"hidden",            {"hidden_size", "n_embd", "n_embed"},                     false},
    {"heads",             {"num_attention_heads", "n_head"},                        false},
    {"kv_heads",          {"num_key_value_heads"},                                  false},
    {"head_dim",          {"qk_nope_head_dim", "head_dim"},                         false},
    {"ffn",               {"intermediate_size", "n_inner", "ffn_dim"},              false},
    {"vocab",             {"vocab_size"},                                           false},
    {"max_sequence",      {"max_position_embeddings", "n_positions", "seq_length"}, false},
    {"q_lora_rank",       {"q_lora_rank"},                                          false},
    {"kv_lora_rank",      {"kv_lora_rank"},                                         false},
    {"rope_head_dim",     {"qk_rope_head_dim"},                                     false},
    {"value_head_dim",    {"v_head_dim"},                                           false},
    {"experts",           {"num_local_experts", "n_routed_experts", "num_experts"}, true },
    {"experts_per_token", {"num_experts_per_tok"},                                  true },
    {"expert_ffn",        {"moe_intermediate_size", "intermediate_size"},           true },
    {"shared_experts",    {"n_shared_experts"},                                     true },
    {"dense_layers",      {"first_k_dense_replace"},                                true },
};

typedef struct Config {
    ScenPool *pool;
    ScenErrors *errors;
    ScenMark mark; /* the file as a whole: json-glib keeps no marks */
    JsonObject *json;
    ScenNode *map;
} Config;

static void put(Config *config, const char *key, const char *text)
{
    scen_node_add(config->map, key, config->mark, scen_node_text(config->pool, config->mark, text));
}

/** The member @name when it is there and not null. */
static JsonNode *member(const Config *config, const char *name)
{
    JsonNode *node = json_object_get_member(config->json, name);
    return node && !JSON_NODE_HOLDS_NULL(node) ? node : NULL;
}

static bool is_integer(JsonNode *node)
{
    return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64;
}

static int64_t integer_or(const Config *config, const char *name, int64_t otherwise)
{
    JsonNode *node = member(config, name);
    return node && is_integer(node) ? json_node_get_int(node) : otherwise;
}

static bool flag_or(const Config *config, const char *name, bool otherwise)
{
    JsonNode *node = member(config, name);
    bool boolean =
        node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_BOOLEAN;
    return boolean ? json_node_get_boolean(node) : otherwise;
}

static void put_number(Config *config, const Number *number)
{
    for (size_t i = 0; i < G_N_ELEMENTS(number->names) && number->names[i]; i++) {
        JsonNode *node = member(config, number->names[i]);
        if (!node)
            continue;
        if (!is_integer(node)) {
            scen_errors_add(config->errors, config->mark, "'%s' must be a whole number",
                            number->names[i]);
            return;
        }
        g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
        put(config, number->key, text);
        return;
    }
}

/** Qwen2-MoE gives the width of all shared experts together. */
static void put_shared_experts(Config *config)
{
    int64_t together = integer_or(config, "shared_expert_intermediate_size", 0);
    int64_t each = integer_or(config, "moe_intermediate_size", 0);
    if (together <= 0 || scen_node_get(config->map, "shared_experts"))
        return;
    if (each <= 0 || together % each != 0) {
        scen_errors_add(config->errors, config->mark,
                        "'shared_expert_intermediate_size' must be a multiple of "
                        "'moe_intermediate_size'");
        return;
    }
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, together / each);
    put(config, "shared_experts", text);
}

static void refuse_mixed_layers(Config *config)
{
    JsonNode *only = member(config, "mlp_only_layers");
    bool some =
        only && JSON_NODE_HOLDS_ARRAY(only) && json_array_get_length(json_node_get_array(only)) > 0;
    if (some || integer_or(config, "decoder_sparse_step", 1) != 1 ||
        integer_or(config, "moe_layer_freq", 1) != 1)
        scen_errors_add(config->errors, config->mark,
                        "layers that alternate between dense and experts are not modelled");
}

static const Family *find_family(Config *config)
{
    JsonNode *type = member(config, "model_type");
    const char *name = type && JSON_NODE_HOLDS_VALUE(type) ? json_node_get_string(type) : NULL;
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
        if (g_strcmp0(families[i].type, name) == 0)
            return &families[i];
        g_ptr_array_add(known, (void *)families[i].type);
    }
    g_autofree char *quoted = scen_quote(name ? name : "");
    g_autofree char *advice = scen_names_advice(name ? name : "", known);
    scen_errors_add(config->errors, config->mark, "%s %s%s",
                    name ? "unknown model_type" : "no model_type, or an empty one", quoted, advice);
    return NULL;
}

static bool put_all(Config *config)
{
    const Family *family = find_family(config);
    if (!family)
        return false;
    bool attention_bias = flag_or(config, "attention_bias", false);
    bool tied = flag_or(config, "tie_word_embeddings", family->tied_embeddings);
    g_autofree char *source = g_strdup_printf("Hugging Face config.json, %s", family->type);
    put(config, "name", config->mark.file);
    put(config, "source", source);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (family->experts || !numbers[i].experts)
            put_number(config, &numbers[i]);
    if (family->experts) {
        put_shared_experts(config);
        refuse_mixed_layers(config);
    }
    put(config, "gated_mlp", family->gated_mlp ? "true" : "false");
    put(config, "tied_embeddings", tied ? "true" : "false");
    put(config, "qk_norm", family->qk_norm ? "true" : "false");
    put(config, "embedding_norm", family->embedding_norm ? "true" : "false");
    put(config, "bias", attention_bias && g_str_equal(family->bias, "none") ? "qkv" : family->bias);
    put(config, "position", family->position);
    put(config, "norm", family->norm);
    return true;
}

/** json-glib recurses into what it reads, so the depth is bounded beforehand. */
static bool is_shallow(const char *text)
{
    int depth = 0;
    bool quoted = false;
    for (const char *at = text; *at; at++) {
        if (*at == '\\' && at[1])
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (!quoted && (*at == '{' || *at == '['))
            depth++;
        else if (!quoted && (*at == '}' || *at == ']'))
            depth--;
        if (depth > JSON_DEPTH_MAX)
            return false;
    }
    return true;
}

static bool parse_json(JsonParser *parser, const char *path, GError **error)
{
    size_t length = 0;
    g_autofree char *text = scen_file_read(path, &length, error);
    if (!text)
        return false;
    if (!is_shallow(text)) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "nested deeper than %d levels",
                    JSON_DEPTH_MAX);
        return false;
    }
    return json_parser_load_from_data(parser, text, (gssize)length, error);
}

const ScenNode *scen_hugging_face_read(ScenBinder *binder, const ScenNode *path)
{
    ScenPool *pool = scen_catalogs_pool(binder->catalogs);
    g_autofree char *file = g_path_is_absolute(path->text)
                                ? g_strdup(path->text)
                                : g_build_filename(binder->folder, path->text, NULL);
    ScenMark mark = {.file = scen_pool_text(pool, file), .origin = SCEN_ORIGIN_DOCUMENT};
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    g_autoptr(GError) error = NULL;
    if (!parse_json(parser, file, &error)) {
        g_autofree char *quoted = scen_quote(file);
        scen_errors_add(binder->errors, path->mark, "the configuration %s: %s", quoted,
                        error->message);
        return NULL;
    }
    JsonNode *root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        scen_errors_add(binder->errors, mark, "a configuration must be a JSON object");
        return NULL;
    }
    Config config = {
        .pool = pool,
        .errors = binder->errors,
        .mark = mark,
        .json = json_node_get_object(root),
        .map = scen_node_group(pool, SCEN_NODE_MAP, mark),
    };
    return put_all(&config) ? config.map : NULL;
}

/* Models from a Hugging Face config.json.
 *
 * A configuration gives numbers under names that differ between families, and leaves the structure
 * (gated MLP, kind of norm, biases) to the code that `model_type` selects. So there are tables
 * (scen_hugging_face_families.c): our keys to the names that carry the number, families to
 * structure, keys to what is not modelled of them. The result is a map of model keys like one
 * written by hand, bound by the same table and refined by keys beside `hugging_face:`.
 *
 * JSON is read as YAML, of which it is a part, so that faults have their line and column. Of a
 * model that also sees or hears the language model is taken: what text_config, llm_config or
 * language_config holds.
 *
 * Left out, with an error where a configuration uses it: layers that alternate between dense and
 * experts other than leading dense ones. Left out with a note: see the table of notes. Rotary
 * angles and their scaling cost nothing and are left out silently. */
#include "scen_hugging_face.h"

#include "scen_doc.h"
#include "scen_hugging_face_private.h"
#include "scen_names.h"
#include "scen_note.h"

#include <string.h>

typedef struct Config {
    ScenPool *pool;
    ScenErrors *errors;
    const ScenNode *json;  /* of the language model */
    const ScenNode *outer; /* around it, or the same */
    ScenNode *map;
    const ScenHfFamily *family;
    GPtrArray *notes; /* of char *, may be NULL */
} Config;

static void put(Config *config, const char *key, ScenMark mark, const char *text)
{
    scen_node_add(config->map, key, mark, scen_node_text(config->pool, mark, text));
}

static void put_integer(Config *config, const char *key, ScenMark mark, int64_t number)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);
    put(config, key, mark, text);
}

static bool is_plain(const ScenNode *node, const char *text)
{
    return node->kind == SCEN_NODE_TEXT && !node->quoted && g_str_equal(node->text, text);
}

/* The member @name of @map when it is there and not null. */
static const ScenNode *member_of(const ScenNode *map, const char *name)
{
    const ScenNode *node = scen_node_get(map, name);
    return node && !is_plain(node, "null") ? node : NULL;
}

static const ScenNode *member(const Config *config, const char *name)
{
    return member_of(config->json, name);
}

static bool integer_of(const ScenNode *node, int64_t *value)
{
    if (node->kind != SCEN_NODE_TEXT || node->quoted || node->text[0] == '\0')
        return false;
    char *end = NULL;
    *value = g_ascii_strtoll(node->text, &end, 10);
    return *end == '\0' && *value != G_MAXINT64 && *value != G_MININT64;
}

static int64_t integer_or(const Config *config, const char *name, int64_t otherwise)
{
    const ScenNode *node = member(config, name);
    int64_t value;
    return node && integer_of(node, &value) ? value : otherwise;
}

static bool flag_or(const ScenNode *map, const char *name, bool otherwise)
{
    const ScenNode *node = member_of(map, name);
    return node && is_plain(node, "true")    ? true
           : node && is_plain(node, "false") ? false
                                             : otherwise;
}

/* The default of the family for @name, 0 when it has none. */
static int64_t default_of(const ScenHfFamily *family, const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(family->defaults) && family->defaults[i].name; i++)
        if (g_str_equal(family->defaults[i].name, name))
            return family->defaults[i].value;
    return 0;
}

static void put_number(Config *config, const ScenHfNumber *number)
{
    for (size_t i = 0; i < G_N_ELEMENTS(number->names) && number->names[i]; i++) {
        const ScenNode *node = member(config, number->names[i]);
        int64_t value = node ? 0 : default_of(config->family, number->names[i]);
        if (!node && value == 0)
            continue;
        ScenMark mark = node ? node->mark : config->json->mark;
        if (node && !integer_of(node, &value))
            scen_errors_add(config->errors, mark, "'%s' must be a whole number", number->names[i]);
        else
            put_integer(config, number->key, mark, value);
        return;
    }
}

static void put_numbers(Config *config)
{
    size_t count = 0;
    const ScenHfNumber *numbers = scen_hf_numbers(&count);
    for (size_t i = 0; i < count; i++) {
        const ScenHfNumber *number = &numbers[i];
        if (number->experts && !config->family->experts)
            continue;
        const ScenHfNumber dense = {.key = number->key, .names = {config->family->dense_ffn}};
        bool other = config->family->dense_ffn && g_str_equal(number->key, "ffn");
        put_number(config, other ? &dense : number);
    }
}

/* Falcon: as many key and value heads as num_kv_heads, one, or as query heads. */
static void put_kv_heads(Config *config)
{
    int64_t said = integer_or(config, "num_kv_heads", 0);
    bool grouped = flag_or(config->json, "new_decoder_architecture", false);
    if (grouped && said > 0)
        put_integer(config, "kv_heads", member(config, "num_kv_heads")->mark, said);
    else if (!grouped && flag_or(config->json, "multi_query", true))
        put_integer(config, "kv_heads", config->json->mark, 1);
}

/* Qwen2-MoE gives the width of all shared experts together; of Llama 4 every layer has one. */
static void put_shared_experts(Config *config)
{
    const ScenNode *width = member(config, "shared_expert_intermediate_size");
    int64_t together = integer_or(config, "shared_expert_intermediate_size", 0);
    int64_t each = integer_or(config, "moe_intermediate_size", 0);
    if (scen_node_get(config->map, "shared_experts"))
        return;
    if (config->family->shared_experts > 0)
        put_integer(config, "shared_experts", config->json->mark, config->family->shared_experts);
    else if (together > 0 && each > 0 && together % each == 0)
        put_integer(config, "shared_experts", width->mark, together / each);
    else if (together > 0)
        scen_errors_add(config->errors, width->mark,
                        "'shared_expert_intermediate_size' must be a multiple of "
                        "'moe_intermediate_size'");
}

static void refuse_mixed_layers(Config *config)
{
    static const char *const steps[] = {"decoder_sparse_step", "moe_layer_freq",
                                        "interleave_moe_layer_step"};
    const ScenNode *wrong = member(config, "mlp_only_layers");
    if (wrong && (wrong->kind != SCEN_NODE_LIST || wrong->items->len == 0))
        wrong = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(steps) && !wrong; i++)
        if (integer_or(config, steps[i], 1) != 1)
            wrong = member(config, steps[i]);
    if (wrong)
        scen_errors_add(config->errors, wrong->mark,
                        "layers that alternate between dense and experts are not modelled, leading "
                        "dense layers alone are");
}

static const ScenHfFamily *find_family(Config *config)
{
    const ScenNode *type = member(config, "model_type");
    const char *name = type && type->kind == SCEN_NODE_TEXT ? type->text : NULL;
    size_t count = 0;
    const ScenHfFamily *families = scen_hf_families(&count);
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    for (size_t i = 0; i < count; i++) {
        if (g_strcmp0(families[i].type, name) == 0)
            return &families[i];
        g_ptr_array_add(known, (void *)families[i].type);
    }
    g_autofree char *quoted = scen_quote(name ? name : "");
    g_autofree char *advice = scen_names_advice(name ? name : "", known);
    scen_errors_add(config->errors, type ? type->mark : config->json->mark, "%s %s%s",
                    name ? "unknown model_type" : "no model_type, or an empty one", quoted, advice);
    return NULL;
}

static const char *bias_of(const Config *config)
{
    const ScenNode *json = config->json;
    if (flag_or(json, "bias", false) || flag_or(json, "mlp_bias", false))
        return "all";
    if (!flag_or(json, "enable_bias", true))
        return "none";
    bool attention = flag_or(json, "attention_bias", false);
    return attention && g_str_equal(config->family->bias, "none") ? "qkv" : config->family->bias;
}

static void put_structure(Config *config)
{
    const ScenHfFamily *family = config->family;
    ScenMark mark = config->json->mark;
    bool tied = flag_or(config->outer, "tie_word_embeddings", family->tied_embeddings);
    tied = flag_or(config->json, "tie_word_embeddings", tied);
    bool norms =
        family->qk_norm_key ? flag_or(config->json, family->qk_norm_key, false) : family->qk_norm;
    put(config, "gated_mlp", mark, family->gated_mlp ? "true" : "false");
    put(config, "tied_embeddings", mark, tied ? "true" : "false");
    put(config, "qk_norm", mark, norms ? "true" : "false");
    put(config, "embedding_norm", mark, family->embedding_norm ? "true" : "false");
    put(config, "bias", mark, bias_of(config));
    put(config, "position", mark,
        flag_or(config->json, "alibi", false) ? "alibi" : family->position);
    put(config, "norm", mark, family->norm);
}

/* Does @node say something? */
static bool is_set(const ScenNode *node, ScenHfWhen when)
{
    int64_t value = 0;
    if (when == SCEN_HF_WHEN_ABOVE_1)
        return integer_of(node, &value) && value > 1;
    if (node->kind != SCEN_NODE_TEXT)
        return node->items->len > 0;
    return !is_plain(node, "false") && !is_plain(node, "0");
}

static void take_notes(Config *config, const ScenNode *map)
{
    size_t count = 0;
    const ScenHfNote *notes = scen_hf_notes(&count);
    for (size_t i = 0; i < count; i++) {
        const ScenNode *node = member_of(map, notes[i].key);
        bool off = notes[i].unless && !flag_or(map, notes[i].unless, true);
        if (node && !off && is_set(node, notes[i].when))
            scen_note(config->notes, "%s: %s", notes[i].key, notes[i].note);
    }
    for (guint i = 0; i < map->items->len; i++) {
        const ScenItem *item = &g_array_index(map->items, ScenItem, i);
        if (!scen_hf_key_is_known(item->key) && !is_plain(item->value, "null")) {
            g_autofree char *key = scen_quote(item->key);
            scen_note(config->notes, "%s is not known to Orrery, which may matter", key);
        }
    }
}

static void note_all(Config *config)
{
    int64_t embedded = integer_or(config, "word_embed_proj_dim", 0);
    if (config->family->note)
        scen_note(config->notes, "%s", config->family->note);
    if (embedded > 0 && embedded != integer_or(config, "hidden_size", embedded))
        scen_note(config->notes,
                  "word_embed_proj_dim: the embedding is narrower than the layers there, and "
                  "the projections between are left out");
    take_notes(config, config->json);
    if (config->outer != config->json)
        take_notes(config, config->outer);
}

static bool put_all(Config *config)
{
    config->family = find_family(config);
    if (!config->family)
        return false;
    ScenMark mark = config->json->mark;
    g_autofree char *source = g_strdup_printf("Hugging Face config.json, %s", config->family->type);
    put(config, "name", mark, mark.file);
    put(config, "source", mark, source);
    put_numbers(config);
    if (config->family->own_kv_heads)
        put_kv_heads(config);
    if (config->family->experts) {
        put_shared_experts(config);
        refuse_mixed_layers(config);
    }
    put_structure(config);
    note_all(config);
    return true;
}

/* The language model of @json, which may be one of several parts. */
static const ScenNode *language_model(const ScenNode *json)
{
    static const char *const parts[] = {"text_config", "llm_config", "language_config"};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        const ScenNode *part = member_of(json, parts[i]);
        if (part && part->kind == SCEN_NODE_MAP)
            return part;
    }
    return json;
}

const ScenNode *scen_hugging_face_parse(ScenPool *pool, ScenErrors *errors, const char *name,
                                        const char *text, size_t length, GPtrArray *notes)
{
    const char *file = scen_pool_text(pool, name);
    const ScenNode *json = scen_doc_parse(pool, file, SCEN_ORIGIN_DOCUMENT, text, length, errors);
    if (!json)
        return NULL;
    if (json->kind != SCEN_NODE_MAP) {
        scen_errors_add(errors, json->mark, "a configuration must be a JSON object");
        return NULL;
    }
    Config config = {
        .pool = pool,
        .errors = errors,
        .json = language_model(json),
        .outer = json,
        .map = scen_node_group(pool, SCEN_NODE_MAP, json->mark),
        .notes = notes,
    };
    return put_all(&config) ? config.map : NULL;
}

const ScenNode *scen_hugging_face_read(ScenBinder *binder, const ScenNode *path)
{
    g_autofree char *file = g_path_is_absolute(path->text)
                                ? g_strdup(path->text)
                                : g_build_filename(binder->folder, path->text, NULL);
    g_autoptr(GError) error = NULL;
    size_t length = 0;
    g_autofree char *text = scen_file_read(file, &length, &error);
    if (!text) {
        g_autofree char *quoted = scen_quote(file);
        scen_errors_add(binder->errors, path->mark, "the configuration %s: %s", quoted,
                        error->message);
        return NULL;
    }
    return scen_hugging_face_parse(scen_catalogs_pool(binder->catalogs), binder->errors, file, text,
                                   length, NULL);
}

/* A Hugging Face configuration as the model of a scenario; with a node also the cluster, and a plan
 * that any model allows: weights sharded over its GPUs (PyTorch's FSDP), or, with experts, experts
 * dealt out to as many GPUs as their number and the GPUs' can both be divided by. */
#include "scen_import.h"

#include "model_params.h"
#include "scen_bind.h"
#include "scen_doc.h"
#include "scen_fields.h"
#include "scen_hugging_face.h"

#include <string.h>

#define I64 "%" G_GINT64_FORMAT

enum { SEQUENCE_MAX = 4096 };

/* The name of the folder of a config.json, else of the file without its end. */
static char *name_of(const char *file)
{
    g_autofree char *whole = g_canonicalize_filename(file, NULL);
    char *name = g_path_get_basename(whole);
    if (g_str_equal(name, "config.json")) {
        g_autofree char *folder = g_path_get_dirname(whole);
        g_free(name);
        name = g_path_get_basename(folder);
    }
    char *dot = strrchr(name, '.');
    if (dot && dot != name && g_str_equal(dot, ".json"))
        *dot = '\0';
    return g_strcanon(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.", '-');
}

static void write_model(const ScenNode *map, const char *name, GString *out)
{
    g_string_append_printf(out, "model:\n  name: %s\n", name);
    for (guint i = 0; i < map->items->len; i++) {
        const ScenItem *item = &g_array_index(map->items, ScenItem, i);
        bool words = g_str_equal(item->key, "source");
        if (!g_str_equal(item->key, "name"))
            g_string_append_printf(out, words ? "  %s: \"%s\"\n" : "  %s: %s\n", item->key,
                                   item->value->text);
    }
}

static int64_t common_divisor(int64_t a, int64_t b)
{
    return b == 0 ? a : common_divisor(b, a % b);
}

static void write_rest(const ScenImportRequest *request, const ModelSpec *model, ScenImport *import)
{
    int64_t gpus = request->gpus > 0 ? request->gpus : 8;
    int64_t longest = model->max_sequence > 0 ? model->max_sequence : SEQUENCE_MAX;
    const char *base = model->experts > 0 ? "megatron-core-2024" : "torchtitan-2024";
    import->is_whole = true;
    g_string_append_printf(import->yaml,
                           "cluster: {node: %s, gpus: " I64
                           "}\nplan:\n  base: %s\n  zero_stage: %d\n"
                           "  global_batch: " I64 "\n  sequence_length: " I64 "\n",
                           request->node, gpus, request->base ? request->base : base,
                           model->experts > 0 ? 1 : 3, gpus, MIN(longest, SEQUENCE_MAX));
    if (model->experts > 0)
        g_string_append_printf(import->yaml, "  expert: " I64 "\n",
                               common_divisor(model->experts, gpus));
}

bool scen_import_hugging_face(const ScenImportRequest *request, ScenImport *import, GError **error)
{
    const char *file = request->files[0];
    size_t length = 0;
    g_autofree char *text = scen_file_read(file, &length, error);
    if (!text) {
        g_prefix_error(error, "%s: ", file);
        return false;
    }
    g_autoptr(ScenPool) pool = scen_pool_new();
    g_autoptr(ScenErrors) errors = scen_errors_new();
    g_autoptr(GStringChunk) strings = g_string_chunk_new(256);
    g_autoptr(GString) path = g_string_new(NULL);
    ScenBinder binder = {.errors = errors, .strings = strings, .folder = ".", .path = path};
    ModelSpec model = {0};
    const ScenNode *map = scen_hugging_face_parse(pool, errors, file, text, length, import->notes);
    if (map)
        scen_bind(&binder, &scen_model_table, map, &model);
    if (!scen_errors_report(errors, error))
        return false;
    g_autofree char *name = name_of(file);
    ModelParams params = model_params_count(&model);
    g_string_append_printf(import->yaml,
                           "# %" G_GINT64_FORMAT " parameters, %" G_GINT64_FORMAT
                           " of them met by a token\n",
                           params.total, params.active);
    write_model(map, name, import->yaml);
    if (request->node)
        write_rest(request, &model, import);
    return true;
}

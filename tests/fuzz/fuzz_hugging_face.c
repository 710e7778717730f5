/* Fuzzes the way from a Hugging Face configuration to a model: reader, families, binder. Whatever
 * comes in, the answer is a model with layers, or an error with a message; never a crash, a leak or
 * a hang. */
#include "model_spec.h"
#include "scen_fields.h"
#include "scen_hugging_face.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(ScenPool) pool = scen_pool_new();
    g_autoptr(ScenErrors) errors = scen_errors_new();
    g_autoptr(GStringChunk) strings = g_string_chunk_new(256);
    g_autoptr(GString) path = g_string_new(NULL);
    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    ScenBinder binder = {.errors = errors, .strings = strings, .folder = ".", .path = path};
    ModelSpec model = {0};
    const ScenNode *map =
        scen_hugging_face_parse(pool, errors, "fuzz.json", (const char *)data, size, notes);
    bool bound = map && scen_bind(&binder, &scen_model_table, map, &model);
    bool sound = scen_errors_report(errors, &error);
    g_assert(sound ? bound : error->message[0] != '\0');
    g_assert(!sound || (model.layers > 0 && model.heads > 0 && model.head_dim > 0));
    return 0;
}

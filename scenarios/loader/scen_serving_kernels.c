/* The all-reduces that an engine brings along are measured for some GPUs: the row "vllm-h100" is
 * vLLM's for every GPU whose name starts with h100. For other GPUs the collective library stands
 * in. */
#include "scen_serving_kernels.h"

#include "scen_fields.h"
#include "scen_section.h"

#include <string.h>

void scen_serving_find_kernels(ScenBinder *binder, const ScenNode *map, const TopoGpu *gpu,
                               ScenServingEngine *engine)
{
    if (!engine->all_reduce || !gpu->name)
        return;
    g_autofree char *family = g_strndup(gpu->name, strcspn(gpu->name, "- "));
    g_autofree char *name = g_strdup_printf("%s-%s", engine->all_reduce, family);
    const GArray *rows =
        scen_catalogs_rows(binder->catalogs, SCEN_CATALOG_ENGINE_KERNELS, binder->errors);
    for (guint i = 0; i < rows->len; i++) {
        if (!g_str_equal(g_array_index(rows, ScenRow, i).name, name))
            continue;
        const ScenNode *text =
            scen_node_text(scen_catalogs_pool(binder->catalogs), map->mark, name);
        const ScenNode *row = scen_section_resolve(binder, &scen_engine_table, text);
        if (row)
            scen_bind(binder, &scen_engine_table, row, &engine->reduce);
    }
}

/* Catalog rows without a scenario around them. */
#include "scen_named.h"

#include "scen_fields.h"
#include "scen_section.h"

bool scen_named_bind(ScenCatalogKind kind, const char *name, const char *data_dir,
                     GStringChunk *strings, void *out, GError **error)
{
    g_autoptr(ScenPool) pool = scen_pool_new();
    g_autoptr(ScenErrors) errors = scen_errors_new();
    g_autoptr(ScenCatalogs) catalogs = scen_catalogs_new(data_dir, NULL, pool);
    g_autoptr(GString) path = g_string_new(NULL);
    ScenBinder binder = {.errors = errors, .strings = strings, .catalogs = catalogs, .path = path};
    const ScenTable *table = scen_catalog_table(kind);
    ScenNode text = {.kind = SCEN_NODE_TEXT, .mark = {.file = name}, .text = name};
    const ScenNode *row = scen_section_resolve(&binder, table, &text);
    if (row)
        scen_bind(&binder, table, row, out);
    return scen_errors_report(errors, error);
}

/* The source of a row, or of the row it is based on. */
static const char *source_of(ScenCatalogs *catalogs, ScenCatalogKind kind, const ScenRow *row,
                             ScenErrors *errors)
{
    for (int i = 0; i < 8 && row && !row->source; i++) {
        const ScenNode *base = scen_node_get(row->node, "base");
        row = base ? scen_catalogs_find(catalogs, kind, base->text, base->mark, errors) : NULL;
    }
    return row ? row->source : NULL;
}

bool scen_named_foreach(ScenCatalogKind kind, const char *data_dir, ScenNamedFunc func, void *data,
                        GError **error)
{
    g_autoptr(ScenPool) pool = scen_pool_new();
    g_autoptr(ScenErrors) errors = scen_errors_new();
    g_autoptr(ScenCatalogs) catalogs = scen_catalogs_new(data_dir, NULL, pool);
    const GArray *rows = scen_catalogs_rows(catalogs, kind, errors);
    for (guint i = 0; rows && i < rows->len; i++) {
        const ScenRow *row = &g_array_index(rows, ScenRow, i);
        const char *source = source_of(catalogs, kind, row, errors);
        func(row->name, source ? source : "", data);
    }
    return scen_errors_report(errors, error);
}

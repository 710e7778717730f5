/* The catalogs by themselves.
 *
 * What a scenario does to a section, done to one row: resolve its bases, bind it by its table. The
 * library owns what the rows point to. */
#include "scen_library.h"

#include "scen_fields.h"
#include "scen_section.h"

struct ScenLibrary {
    ScenPool *pool;
    ScenCatalogs *catalogs;
    GStringChunk *strings;
};

ScenLibrary *scen_library_new(const char *data_dir)
{
    ScenLibrary *library = g_new0(ScenLibrary, 1);
    library->pool = scen_pool_new();
    library->catalogs = scen_catalogs_new(data_dir, library->pool);
    library->strings = g_string_chunk_new(1024);
    return library;
}

void scen_library_free(ScenLibrary *library)
{
    if (!library)
        return;
    scen_catalogs_free(library->catalogs);
    scen_pool_free(library->pool);
    g_string_chunk_free(library->strings);
    g_free(library);
}

const GArray *scen_library_rows(ScenLibrary *library, ScenCatalogKind kind, GError **error)
{
    g_autoptr(ScenErrors) errors = scen_errors_new();
    const GArray *rows = scen_catalogs_rows(library->catalogs, kind, errors);
    return scen_errors_report(errors, error) ? rows : NULL;
}

bool scen_library_fill(ScenLibrary *library, ScenCatalogKind kind, const char *name, void *out,
                       GError **error)
{
    g_autoptr(ScenErrors) errors = scen_errors_new();
    g_autoptr(GString) path = g_string_new(NULL);
    ScenBinder binder = {
        .errors = errors,
        .strings = library->strings,
        .catalogs = library->catalogs,
        .folder = ".",
        .path = path,
    };
    const ScenTable *table = scen_catalog_table(kind);
    ScenNode *node = scen_node_text(library->pool, (ScenMark){.file = NULL}, name);
    const ScenNode *map = scen_section_resolve(&binder, table, node);
    if (map)
        scen_bind(&binder, table, map, out);
    return scen_errors_report(errors, error);
}

/* Many scenarios that differ in a few values.
 *
 * Of what a load costs, most is reading: the catalogs' YAML, then the scenario's. Nodes are constant
 * once built, so both are read once and lent to every load, on any thread; a load makes only the
 * maps that its overrides change and the structs. The section `sweep:` is left out, because a point
 * is one scenario, and binding all the values of a sweep for each of its points would cost their
 * square. */
#include "scen_variants.h"

#include "scen_bind.h"
#include "scen_doc.h"
#include "scen_fields.h"
#include "scen_load.h"
#include "scen_override.h"

struct ScenVariants {
    char *path;
    ScenPool *pool;
    ScenShelf *shelf;
    const ScenNode *root, *bare; /* with and without the sweep */
    ScenScenario *base;
};

ScenVariants *scen_variants_new(const char *path, const char *const *sets, GError **error)
{
    g_autoptr(ScenVariants) variants = g_new0(ScenVariants, 1);
    g_autoptr(ScenErrors) errors = scen_errors_new();
    variants->path = g_strdup(path);
    variants->pool = scen_pool_new();
    variants->shelf = scen_shelf_new(NULL);
    const ScenLoadOptions options = {.shelf = variants->shelf};
    const ScenNode *root = scen_doc_read(variants->pool, path, SCEN_ORIGIN_DOCUMENT, errors);
    bool map = root && root->kind == SCEN_NODE_MAP;
    for (size_t i = 0; map && sets && sets[i]; i++)
        root = scen_override_apply(variants->pool, &scen_scenario_table, root, sets[i], errors);
    variants->base = scen_scenario_load_tree(path, variants->pool, root, &options, errors, error);
    if (!variants->base)
        return NULL;
    variants->root = root;
    variants->bare = scen_node_with(variants->pool, root, "sweep", root->mark, NULL);
    return g_steal_pointer(&variants);
}

void scen_variants_free(ScenVariants *variants)
{
    if (!variants)
        return;
    scen_scenario_free(variants->base);
    scen_shelf_free(variants->shelf);
    scen_pool_free(variants->pool);
    g_free(variants->path);
    g_free(variants);
}

const ScenScenario *scen_variants_base(const ScenVariants *variants)
{
    return variants->base;
}

ScenScenario *scen_variants_load(const ScenVariants *variants, const char *const *overrides,
                                 char **digest, GError **error)
{
    g_autoptr(ScenPool) pool = scen_pool_new();
    g_autoptr(ScenErrors) errors = scen_errors_new();
    const ScenLoadOptions options = {.shelf = variants->shelf};
    const ScenNode *root = variants->bare;
    for (size_t i = 0; overrides && overrides[i]; i++)
        root = scen_override_apply(pool, &scen_scenario_table, root, overrides[i], errors);
    if (digest) {
        g_autofree char *text = scen_node_flow(root);
        *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    }
    return scen_scenario_load_tree(variants->path, pool, root, &options, errors, error);
}

char *scen_variants_text(const ScenVariants *variants)
{
    return scen_node_flow(variants->root);
}

/* Sections by name, in full, or refined.
 *
 * `base: NAME` means: the row NAME, with the keys beside it laid over. Laying over goes down into
 * maps and nested sections (`cluster: {base: selene, node: {gpus: 4}}` keeps Selene's node apart
 * from its GPUs), while a value, a list, or a map with a `base:` of its own replaces what was
 * there. Rows may have bases themselves; a chain is at most BASES_MAX long and may not go round.
 *
 * A row that was changed no longer deserves its name in a report, so the map that comes out is
 * named "NAME (changed)" unless its author names it. */
#include "scen_section.h"

#include "scen_hugging_face.h"

#define BASES_MAX 8

static ScenPool *pool_of(ScenBinder *binder)
{
    return scen_catalogs_pool(binder->catalogs);
}

/** Is @map complete in itself, rather than a change to whatever it is laid over? */
static bool has_own_base(const ScenNode *map)
{
    return scen_node_get(map, "base") || scen_node_get(map, "hugging_face");
}

static const ScenNode *lay_over(ScenPool *pool, const ScenTable *table, const ScenNode *base,
                                const ScenNode *over);

/** What key @item of the upper map makes of the value @below that the lower one has. */
static const ScenNode *lay_item(ScenPool *pool, const ScenTable *table, const ScenNode *below,
                                const ScenItem *item)
{
    const ScenField *field = scen_table_field(table, item->key);
    const ScenNode *above = item->value;
    if (!below || !field || !field->table || above->kind != SCEN_NODE_MAP || has_own_base(above))
        return above;
    if (below->kind == SCEN_NODE_MAP)
        return lay_over(pool, field->table, below, above);
    if (below->kind == SCEN_NODE_TEXT && field->kind == SCEN_SECTION)
        return scen_node_with(pool, above, "base", below->mark, below);
    return above;
}

static const ScenNode *lay_over(ScenPool *pool, const ScenTable *table, const ScenNode *base,
                                const ScenNode *over)
{
    ScenNode *merged = scen_node_group(pool, SCEN_NODE_MAP, over->mark);
    for (size_t i = 0; i < base->items->len; i++) {
        const ScenItem *below = &g_array_index(base->items, ScenItem, i);
        const ScenItem *above = scen_node_item(over, below->key);
        if (above)
            scen_node_add(merged, above->key, above->key_mark,
                          lay_item(pool, table, below->value, above));
        else
            scen_node_add(merged, below->key, below->key_mark, below->value);
    }
    for (size_t i = 0; i < over->items->len; i++) {
        const ScenItem *above = &g_array_index(over->items, ScenItem, i);
        if (!scen_node_item(base, above->key))
            scen_node_add(merged, above->key, above->key_mark, above->value);
    }
    return merged;
}

static const ScenNode *named(ScenPool *pool, const ScenNode *map, const char *name)
{
    ScenNode *text = scen_node_text(pool, map->mark, name);
    return scen_node_with(pool, map, "name", map->mark, text);
}

/** May row @name be looked up, after the rows of @chain? */
static bool extend_chain(ScenBinder *binder, GPtrArray *chain, const char *name, ScenMark mark)
{
    bool round = g_ptr_array_find_with_equal_func(chain, name, g_str_equal, NULL);
    g_ptr_array_add(chain, (void *)name);
    if (!round && chain->len <= BASES_MAX)
        return true;
    g_autoptr(GString) steps = g_string_new(NULL);
    for (size_t i = 0; i < chain->len; i++)
        g_string_append_printf(steps, "%s%s", i ? " -> " : "", (const char *)chain->pdata[i]);
    if (round)
        scen_errors_add(binder->errors, mark, "bases go round: %s", steps->str);
    else
        scen_errors_add(binder->errors, mark, "more than %d bases: %s", BASES_MAX, steps->str);
    return false;
}

static const ScenNode *resolve_map(ScenBinder *binder, const ScenTable *table, const ScenNode *map,
                                   GPtrArray *chain);

static const ScenNode *resolve_row(ScenBinder *binder, const ScenTable *table, const ScenNode *name,
                                   GPtrArray *chain)
{
    if (!extend_chain(binder, chain, name->text, name->mark))
        return NULL;
    const ScenRow *row = scen_catalogs_find(binder->catalogs, table->catalog, name->text,
                                            name->mark, binder->errors);
    const ScenNode *map = row ? resolve_map(binder, table, row->node, chain) : NULL;
    return map ? named(pool_of(binder), map, row->name) : NULL;
}

static const ScenNode *resolve_map(ScenBinder *binder, const ScenTable *table, const ScenNode *map,
                                   GPtrArray *chain)
{
    const char *keys[] = {"base", "hugging_face"};
    bool models = table->catalog == SCEN_CATALOG_MODEL;
    for (size_t i = 0; i < (models ? 2 : 1); i++) {
        const ScenNode *value = scen_node_get(map, keys[i]);
        if (!value)
            continue;
        if (value->kind != SCEN_NODE_TEXT || value->text[0] == '\0') {
            scen_errors_add(binder->errors, value->mark, "'%s' must be a %s", keys[i],
                            i == 0 ? "catalog name" : "path");
            return NULL;
        }
        const ScenNode *below = i == 0 ? resolve_row(binder, table, value, chain)
                                       : scen_hugging_face_read(binder, value);
        const ScenNode *rest = scen_node_with(pool_of(binder), map, keys[i], value->mark, NULL);
        return below ? lay_over(pool_of(binder), table, below, rest) : NULL;
    }
    return map;
}

const ScenNode *scen_section_resolve(ScenBinder *binder, const ScenTable *table,
                                     const ScenNode *node)
{
    const ScenNode *base = node->kind == SCEN_NODE_TEXT ? node : scen_node_get(node, "base");
    if (!binder->catalogs) {
        if (node->kind == SCEN_NODE_MAP && !has_own_base(node))
            return node;
        scen_errors_add(binder->errors, node->mark, "%s must be written out here", table->what);
        return NULL;
    }
    g_autoptr(GPtrArray) chain = g_ptr_array_new();
    if (node->kind == SCEN_NODE_TEXT)
        return resolve_row(binder, table, node, chain);
    const ScenNode *map = resolve_map(binder, table, node, chain);
    if (!map || !base || node->items->len == 1 || scen_node_get(node, "name"))
        return map;
    g_autofree char *name = g_strdup_printf("%s (changed)", base->text);
    return named(pool_of(binder), map, name);
}

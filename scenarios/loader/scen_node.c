/* Constant trees of scalars, lists and maps.
 *
 * A pool owns every node of a load: the scenario's, the overrides', the catalogs' and those that
 * merging them makes. So a node may hang in several trees (an alias, a catalog row refined by a
 * scenario), nothing is reference-counted, and editing means copying the one map that changes.
 * Maps keep their order and are small, so a look-up walks them. */
#include "scen_node.h"

struct ScenPool {
    GPtrArray *nodes;
    GStringChunk *strings;
};

static void node_free(void *data)
{
    ScenNode *node = data;
    if (node->items)
        g_array_unref(node->items);
    g_free(node);
}

ScenPool *scen_pool_new(void)
{
    ScenPool *pool = g_new0(ScenPool, 1);
    pool->nodes = g_ptr_array_new_with_free_func(node_free);
    pool->strings = g_string_chunk_new(4096);
    return pool;
}

void scen_pool_free(ScenPool *pool)
{
    if (!pool)
        return;
    g_ptr_array_unref(pool->nodes);
    g_string_chunk_free(pool->strings);
    g_free(pool);
}

const char *scen_pool_text(ScenPool *pool, const char *text)
{
    return g_string_chunk_insert_const(pool->strings, text);
}

static ScenNode *node_new(ScenPool *pool, ScenNodeKind kind, ScenMark mark)
{
    ScenNode *node = g_new0(ScenNode, 1);
    node->kind = kind;
    node->mark = mark;
    node->size = 1;
    g_ptr_array_add(pool->nodes, node);
    return node;
}

ScenNode *scen_node_text(ScenPool *pool, ScenMark mark, const char *text)
{
    ScenNode *node = node_new(pool, SCEN_NODE_TEXT, mark);
    node->text = scen_pool_text(pool, text);
    return node;
}

ScenNode *scen_node_group(ScenPool *pool, ScenNodeKind kind, ScenMark mark)
{
    ScenNode *node = node_new(pool, kind, mark);
    node->items = g_array_new(FALSE, FALSE, sizeof(ScenItem));
    return node;
}

void scen_node_add(ScenNode *group, const char *key, ScenMark key_mark, const ScenNode *value)
{
    ScenItem item = {.key = key, .key_mark = key_mark, .value = value};
    g_array_append_val(group->items, item);
    group->size += value->size;
    group->height = MAX(group->height, value->height + 1);
}

const ScenItem *scen_node_item(const ScenNode *map, const char *key)
{
    if (!map || map->kind != SCEN_NODE_MAP)
        return NULL;
    for (size_t i = 0; i < map->items->len; i++) {
        const ScenItem *item = &g_array_index(map->items, ScenItem, i);
        if (g_str_equal(item->key, key))
            return item;
    }
    return NULL;
}

const ScenNode *scen_node_get(const ScenNode *map, const char *key)
{
    const ScenItem *item = scen_node_item(map, key);
    return item ? item->value : NULL;
}

const ScenNode *scen_node_with(ScenPool *pool, const ScenNode *map, const char *key,
                               ScenMark key_mark, const ScenNode *value)
{
    ScenNode *copy = scen_node_group(pool, SCEN_NODE_MAP, map->mark);
    bool found = false;
    for (size_t i = 0; i < map->items->len; i++) {
        const ScenItem *item = &g_array_index(map->items, ScenItem, i);
        bool same = g_str_equal(item->key, key);
        found = found || same;
        if (!same)
            scen_node_add(copy, item->key, item->key_mark, item->value);
        else if (value)
            scen_node_add(copy, item->key, key_mark, value);
    }
    if (!found && value)
        scen_node_add(copy, scen_pool_text(pool, key), key_mark, value);
    return copy;
}

char *scen_node_describe(const ScenNode *node)
{
    if (node->kind == SCEN_NODE_LIST)
        return g_strdup("a list");
    if (node->kind == SCEN_NODE_MAP)
        return g_strdup("a map");
    if (node->text[0] == '\0')
        return g_strdup("nothing");
    return scen_quote(node->text);
}

/* Walks a JSON document in the order in which it was written, so that the same scenario gives the
 * same figures in the same order. */
#include "scen_leaves.h"

#include <json-glib/json-glib.h>

static void add_node(GArray *leaves, GString *path, JsonNode *node);

static void add_member(GArray *leaves, GString *path, const char *key, JsonNode *node)
{
    gsize before = path->len;
    if (before > 0)
        g_string_append_c(path, '.');
    g_string_append(path, key);
    add_node(leaves, path, node);
    g_string_truncate(path, before);
}

static void add_object(GArray *leaves, GString *path, JsonObject *object)
{
    g_autoptr(GList) keys = json_object_get_members(object);
    for (const GList *key = keys; key; key = key->next)
        if (path->len > 0 || !g_str_equal(key->data, "schema"))
            add_member(leaves, path, key->data, json_object_get_member(object, key->data));
}

static void add_array(GArray *leaves, GString *path, JsonArray *array)
{
    for (guint i = 0; i < json_array_get_length(array); i++) {
        char place[16];
        g_snprintf(place, sizeof(place), "%u", i);
        add_member(leaves, path, place, json_array_get_element(array, i));
    }
}

static void add_node(GArray *leaves, GString *path, JsonNode *node)
{
    if (JSON_NODE_HOLDS_OBJECT(node)) {
        add_object(leaves, path, json_node_get_object(node));
    } else if (JSON_NODE_HOLDS_ARRAY(node)) {
        add_array(leaves, path, json_node_get_array(node));
    } else if (JSON_NODE_HOLDS_VALUE(node)) {
        GType type = json_node_get_value_type(node);
        if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE)
            return;
        ScenLeaf leaf = {g_strdup(path->str), json_node_get_double(node)};
        g_array_append_val(leaves, leaf);
    }
}

static void clear_leaf(void *leaf)
{
    g_free(((ScenLeaf *)leaf)->path);
}

GArray *scen_leaves_of(const char *json, GError **error)
{
    g_autoptr(JsonNode) root = json_from_string(json, error);
    if (!root)
        return NULL;
    GArray *leaves = g_array_new(FALSE, FALSE, sizeof(ScenLeaf));
    g_array_set_clear_func(leaves, clear_leaf);
    g_autoptr(GString) path = g_string_new(NULL);
    add_node(leaves, path, root);
    return leaves;
}

const ScenLeaf *scen_leaves_find(const GArray *leaves, const char *path)
{
    for (guint i = 0; i < leaves->len; i++) {
        const ScenLeaf *leaf = &g_array_index(leaves, ScenLeaf, i);
        if (g_str_equal(leaf->path, path))
            return leaf;
    }
    return NULL;
}

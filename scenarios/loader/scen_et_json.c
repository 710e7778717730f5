/* The JSON form of execution traces, as Chakra's feeder reads it (src/feeder, JSONNode):
 *
 *   {"workload_graph": [{"Id": 0, "Name": "f", "NodeType": 4, "is_cpu_op": false, "runtime": 5,
 *                        "data_deps": [], "ctrl_deps": [], "comm_type": 0, "comm_size": 1048576}]}
 *
 * with the numbers of the protobuf schema, runtimes in microseconds, and every attribute under its
 * own name. And process groups, which are JSON in either form of a trace. */
#include "scen_et.h"

#include "scen_errors.h"

#include <json-glib/json-glib.h>

/* A whole number that is not negative, or a boolean. */
static bool whole(JsonNode *node, uint64_t *value)
{
    GType type = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;
    double real = type == G_TYPE_DOUBLE ? json_node_get_double(node) : 0.0;
    gint64 number = type == G_TYPE_INT64 ? json_node_get_int(node) : 0;
    *value = 0;
    if (number < 0 || !(real >= 0.0 && real < 0x1p63))
        return false;
    *value = type == G_TYPE_DOUBLE    ? (uint64_t)real
             : type == G_TYPE_BOOLEAN ? json_node_get_boolean(node) != 0
                                      : (uint64_t)number;
    return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE || type == G_TYPE_BOOLEAN;
}

static const char *text_of(JsonNode *node)
{
    bool is_text =
        node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
    return is_text ? json_node_get_string(node) : NULL;
}

/* A node of the graph while its members are taken. */
typedef struct Taking {
    StratEtRank *rank;
    ScenEtRaw raw;
    char group[24];
    const char *bad; /* the member that makes no sense; NULL: all do */
} Taking;

static bool take_deps(Taking *taking, JsonNode *value)
{
    JsonArray *list = JSON_NODE_HOLDS_ARRAY(value) ? json_node_get_array(value) : NULL;
    for (guint i = 0; list && i < json_array_get_length(list); i++, taking->raw.dep_count++) {
        uint64_t id;
        if (!whole(json_array_get_element(list, i), &id))
            return false;
        g_array_append_val(taking->rank->dep_ids, id);
    }
    return list != NULL;
}

static bool take_group(Taking *taking, JsonNode *value)
{
    uint64_t id;
    taking->raw.group = text_of(value);
    if (taking->raw.group)
        return true;
    if (!whole(value, &id))
        return false;
    g_snprintf(taking->group, sizeof taking->group, "%" G_GUINT64_FORMAT, id);
    taking->raw.group = taking->group;
    return true;
}

static void take_member(JsonObject *object, const gchar *name, JsonNode *value, gpointer data)
{
    (void)object;
    Taking *taking = data;
    ScenEtRaw *raw = &taking->raw;
    ScenEtNumber number = scen_et_number(name);
    bool is_fine = true;
    if (g_str_equal(name, "Id"))
        is_fine = whole(value, &raw->id);
    else if (g_str_equal(name, "Name"))
        is_fine = (raw->name = text_of(value)) != NULL;
    else if (g_str_equal(name, "NodeType"))
        is_fine = whole(value, &raw->type);
    else if (g_str_equal(name, "runtime"))
        is_fine = whole(value, &raw->duration_us);
    else if (g_str_equal(name, "data_deps") || g_str_equal(name, "ctrl_deps"))
        is_fine = take_deps(taking, value);
    else if (g_str_equal(name, "pg_name") || g_str_equal(name, "comm_group"))
        is_fine = take_group(taking, value);
    else if (number < SCEN_ET_NUMBERS)
        is_fine = raw->is_given[number] = whole(value, &raw->number[number]);
    if (!is_fine)
        taking->bad = name;
}

static bool take_node(StratEt *et, uint32_t rank, JsonNode *node, guint index, GError **error)
{
    Taking taking = {.rank = g_ptr_array_index(et->ranks, rank), .raw = {.name = ""}};
    const char *path = taking.rank->path;
    if (!JSON_NODE_HOLDS_OBJECT(node))
        return scen_wrong(error, "%s: workload_graph[%u]: a node is a map", path, index);
    json_object_foreach_member(json_node_get_object(node), take_member, &taking);
    if (!taking.bad)
        return scen_et_add_node(et, rank, &taking.raw, error);
    return scen_wrong(error,
                      "%s: workload_graph[%u], node %" G_GUINT64_FORMAT ": %s makes no sense", path,
                      index, taking.raw.id, taking.bad);
}

bool scen_et_read_json(StratEt *et, uint32_t rank, const char *bytes, gsize length, GError **error)
{
    const StratEtRank *of = g_ptr_array_index(et->ranks, rank);
    g_autoptr(JsonParser) parser = json_parser_new();
    if (!json_parser_load_from_data(parser, bytes, (gssize)length, error)) {
        g_prefix_error(error, "%s: ", of->path);
        return false;
    }
    JsonNode *root = json_parser_get_root(parser);
    JsonNode *graph = root && JSON_NODE_HOLDS_OBJECT(root)
                          ? json_object_get_member(json_node_get_object(root), "workload_graph")
                          : NULL;
    if (!graph || !JSON_NODE_HOLDS_ARRAY(graph))
        return scen_wrong(error, "%s: a trace in JSON is a map with a list workload_graph",
                          of->path);
    JsonArray *nodes = json_node_get_array(graph);
    for (guint i = 0; i < json_array_get_length(nodes); i++)
        if (!take_node(et, rank, json_array_get_element(nodes, i), i, error))
            return false;
    return true;
}

/* Ranks of the group @name into @groups; false when @list is no list of them. */
static bool add_group(GHashTable *groups, const char *name, JsonNode *list)
{
    if (!list || !JSON_NODE_HOLDS_ARRAY(list))
        return false;
    JsonArray *from = json_node_get_array(list);
    g_autoptr(GArray) ranks = g_array_new(FALSE, FALSE, sizeof(int64_t));
    for (guint i = 0; i < json_array_get_length(from); i++) {
        uint64_t rank;
        if (!whole(json_array_get_element(from, i), &rank) || rank > UINT32_MAX)
            return false;
        int64_t number = (int64_t)rank;
        g_array_append_val(ranks, number);
    }
    g_hash_table_replace(groups, g_strdup(name), g_steal_pointer(&ranks));
    return true;
}

bool scen_et_read_groups(const char *text, GHashTable *groups, GError **error)
{
    const char *start = strstr(text, "[{"), *end = start ? g_strrstr(start, "}]") : NULL;
    if (!start || !strstr(text, "pg_name"))
        return true;
    g_autoptr(JsonParser) parser = json_parser_new();
    if (!end || !json_parser_load_from_data(parser, start, end + 2 - start, NULL))
        return scen_wrong(error, "its process groups are no JSON list");
    JsonArray *list = json_node_get_array(json_parser_get_root(parser));
    for (guint i = 0; i < json_array_get_length(list); i++) {
        JsonNode *item = json_array_get_element(list, i);
        JsonObject *map = JSON_NODE_HOLDS_OBJECT(item) ? json_node_get_object(item) : NULL;
        JsonNode *name = map ? json_object_get_member(map, "pg_name") : NULL;
        uint64_t id = 0;
        g_autofree char *text_name = text_of(name) ? g_strdup(text_of(name))
                                     : name && whole(name, &id)
                                         ? g_strdup_printf("%" G_GUINT64_FORMAT, id)
                                         : NULL;
        if (!text_name || !add_group(groups, text_name, json_object_get_member(map, "ranks")))
            return scen_wrong(error, "process group %u needs a pg_name and a list of ranks", i);
    }
    return true;
}

GHashTable *scen_et_read_group_file(const char *path, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GHashTable) groups = strat_et_group_table_new();
    if (!json_parser_load_from_file(parser, path, error)) {
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    JsonNode *root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        scen_wrong(error, "%s: a file of groups is a map from names to lists of ranks", path);
        return NULL;
    }
    JsonObjectIter iter;
    const char *name;
    JsonNode *list;
    json_object_iter_init_ordered(&iter, json_node_get_object(root));
    while (json_object_iter_next_ordered(&iter, &name, &list))
        if (!add_group(groups, name, list)) {
            scen_wrong(error, "%s: group '%s' is no list of ranks", path, name);
            return NULL;
        }
    return g_steal_pointer(&groups);
}

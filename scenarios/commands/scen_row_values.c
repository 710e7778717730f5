/* Values of a JSON row. json-glib's getters complain on stderr and convert in silence when a type
 * is not what was asked for, so the type is looked at first. A whole number may be written 8.0. */
#include "scen_row_values.h"

#include <math.h>

/* Doubles beyond this are not all whole numbers. */
static const double WHOLE_MAX = 9007199254740992.0;

bool scen_row_has(JsonObject *object, const char *key)
{
    JsonNode *node = object ? json_object_get_member(object, key) : NULL;
    return node && !JSON_NODE_HOLDS_NULL(node);
}

static JsonNode *value_of(JsonObject *object, const char *key)
{
    JsonNode *node = scen_row_has(object, key) ? json_object_get_member(object, key) : NULL;
    return node && JSON_NODE_HOLDS_VALUE(node) ? node : NULL;
}

static void note(char **fault, const char *key, const char *expected)
{
    if (!*fault)
        *fault = g_strdup_printf("'%s' must be %s", key, expected);
}

double scen_row_number(JsonObject *object, const char *key, double fallback, char **fault)
{
    if (!scen_row_has(object, key))
        return fallback;
    JsonNode *node = value_of(object, key);
    GType type = node ? json_node_get_value_type(node) : G_TYPE_NONE;
    if (type == G_TYPE_INT64)
        return (double)json_node_get_int(node);
    if (type == G_TYPE_DOUBLE && isfinite(json_node_get_double(node)))
        return json_node_get_double(node);
    note(fault, key, "a number");
    return fallback;
}

int64_t scen_row_integer(JsonObject *object, const char *key, int64_t fallback, char **fault)
{
    if (!scen_row_has(object, key))
        return fallback;
    JsonNode *node = value_of(object, key);
    GType type = node ? json_node_get_value_type(node) : G_TYPE_NONE;
    if (type == G_TYPE_INT64)
        return json_node_get_int(node);
    double value = type == G_TYPE_DOUBLE ? json_node_get_double(node) : NAN;
    if (fabs(value) <= WHOLE_MAX && fabs(value - nearbyint(value)) <= 0.0)
        return (int64_t)value;
    note(fault, key, "a whole number");
    return fallback;
}

bool scen_row_flag(JsonObject *object, const char *key, bool fallback, char **fault)
{
    if (!scen_row_has(object, key))
        return fallback;
    JsonNode *node = value_of(object, key);
    if (node && json_node_get_value_type(node) == G_TYPE_BOOLEAN)
        return json_node_get_boolean(node);
    note(fault, key, "true or false");
    return fallback;
}

const char *scen_row_text(JsonObject *object, const char *key, const char *fallback, char **fault)
{
    if (!scen_row_has(object, key))
        return fallback;
    JsonNode *node = value_of(object, key);
    if (node && json_node_get_value_type(node) == G_TYPE_STRING)
        return json_node_get_string(node);
    note(fault, key, "a text");
    return fallback;
}

JsonObject *scen_row_object(JsonObject *object, const char *key, char **fault)
{
    if (!scen_row_has(object, key))
        return NULL;
    JsonNode *node = json_object_get_member(object, key);
    if (JSON_NODE_HOLDS_OBJECT(node))
        return json_node_get_object(node);
    note(fault, key, "an object");
    return NULL;
}

int64_t scen_row_nics(const char *said, int64_t gpus)
{
    for (const char *x = strchr(said, 'x'); x; x = strchr(x + 1, 'x')) {
        int64_t nics = x > said ? g_ascii_digit_value(x[-1]) : 0;
        if (x[1] == ' ' && nics > 0 && gpus % nics == 0)
            return nics;
    }
    return gpus;
}

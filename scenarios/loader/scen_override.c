/* Overrides: `--set a.b=VALUE`.
 *
 * An override edits the tree before it is bound, so it obeys the tables like the file does: an
 * unknown key, a missing unit or a value out of range gets the same message, with the override as
 * its place. The tree is constant; the maps along the path are copied, which keeps an aliased map
 * elsewhere in the file as it was. */
#include "scen_override.h"

#include "scen_doc.h"

#include <string.h>

#define KEYS_MAX 16

typedef struct Edit {
    ScenPool *pool;
    ScenErrors *errors;
    ScenMark mark;
    const ScenNode *value;
} Edit;

/** The map that @node, a value of @field, stands for; NULL when it can have no keys. */
static const ScenNode *as_map(const Edit *edit, const ScenField *field, const ScenNode *node)
{
    bool empty = !node || (node->kind == SCEN_NODE_TEXT && node->text[0] == '\0');
    if (!empty && node->kind == SCEN_NODE_MAP)
        return node;
    ScenNode *map = scen_node_group(edit->pool, SCEN_NODE_MAP, edit->mark);
    if (empty)
        return map;
    if (node->kind != SCEN_NODE_TEXT || !field || field->kind != SCEN_SECTION)
        return NULL;
    scen_node_add(map, "base", node->mark, node);
    return map;
}

/** The copy of @node, a value of @field, in which the path @keys is the new value. */
static const ScenNode *set(const Edit *edit, const ScenTable *table, const ScenField *field,
                           const ScenNode *node, char **keys)
{
    if (!keys[0])
        return edit->value;
    const ScenNode *map = as_map(edit, field, node);
    if (!map) {
        g_autofree char *found = scen_node_describe(node);
        scen_errors_add(edit->errors, edit->mark, "there is no key '%s' to set in %s", keys[0],
                        found);
        return NULL;
    }
    const ScenField *inner = table ? scen_table_field(table, keys[0]) : NULL;
    const ScenNode *value =
        set(edit, inner ? inner->table : NULL, inner, scen_node_get(map, keys[0]), keys + 1);
    return value ? scen_node_with(edit->pool, map, keys[0], edit->mark, value) : NULL;
}

static bool are_keys(char **keys)
{
    size_t count = g_strv_length(keys);
    for (size_t i = 0; i < count; i++)
        if (keys[i][0] == '\0')
            return false;
    return count > 0 && count <= KEYS_MAX;
}

const ScenNode *scen_override_apply(ScenPool *pool, const ScenTable *table, const ScenNode *root,
                                    const char *text, ScenErrors *errors)
{
    g_autofree char *quoted = scen_quote(text);
    g_autofree char *shown = g_strndup(quoted + 1, strlen(quoted) - 2);
    g_autofree char *place = g_strconcat("--set ", shown, NULL);
    Edit edit = {
        .pool = pool,
        .errors = errors,
        .mark = {.file = scen_pool_text(pool, place), .origin = SCEN_ORIGIN_OVERRIDE},
    };
    const char *equals = strchr(text, '=');
    g_autofree char *path = g_strndup(text, equals ? (size_t)(equals - text) : 0);
    g_auto(GStrv) keys = g_strsplit(g_strstrip(path), ".", KEYS_MAX + 1);
    if (!equals || !are_keys(keys) || !g_utf8_validate(text, -1, NULL)) {
        scen_errors_add(errors, edit.mark,
                        "an override is KEY=VALUE, with dots between keys, as in plan.tensor=4");
        return root;
    }
    edit.value =
        scen_doc_parse(pool, place, SCEN_ORIGIN_OVERRIDE, equals + 1, strlen(equals + 1), errors);
    const ScenNode *edited = edit.value ? set(&edit, table, NULL, root, keys) : NULL;
    return edited ? edited : root;
}

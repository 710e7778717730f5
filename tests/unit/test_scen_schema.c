/* The schema of a scenario: it is JSON, says something of every key, and leaves none open. */
#include "scen_fields.h"
#include "scen_schema.h"

#include <criterion/criterion.h>
#include <json-glib/json-glib.h>

/* Walks the tables that can be reached from @table. */
static void walk(const ScenTable *table, GPtrArray *seen)
{
    if (!table || g_ptr_array_find(seen, table, NULL))
        return;
    g_ptr_array_add(seen, (void *)table);
    for (size_t i = 0; i < table->count; i++) {
        const ScenField *field = &table->fields[i];
        bool custom = field->kind == SCEN_CUSTOM;
        cr_expect(!custom || field->forms || field->names,
                  "%s of %s says to no program what it takes", field->key, table->what);
        cr_expect(field->help, "%s of %s has no help", field->key, table->what);
        walk(field->table, seen);
        for (const ScenForm *form = field->forms; form && form->value.help; form++)
            walk(form->value.table, seen);
    }
}

Test(scen_schema, each_key_says_what_it_takes)
{
    g_autoptr(GPtrArray) seen = g_ptr_array_new();
    walk(&scen_scenario_table, seen);
    for (int kind = SCEN_CATALOG_NONE + 1; kind < SCEN_CATALOG_COUNT; kind++)
        walk(scen_catalog_table((ScenCatalogKind)kind), seen);
    cr_expect(seen->len > 60, "%u tables", seen->len);
}

/* Every map of properties is closed, every property has a description and a keyword that limits it. */
static void check_open(JsonNode *node, guint *properties)
{
    static const char *const limits[] = {"type", "enum", "anyOf", "$ref"};
    if (JSON_NODE_HOLDS_ARRAY(node))
        for (guint i = 0; i < json_array_get_length(json_node_get_array(node)); i++)
            check_open(json_array_get_element(json_node_get_array(node), i), properties);
    if (!JSON_NODE_HOLDS_OBJECT(node))
        return;
    JsonObject *object = json_node_get_object(node);
    g_autoptr(GList) members = json_object_get_members(object);
    if (json_object_has_member(object, "properties") && json_object_has_member(object, "title")) {
        cr_expect(
            !json_object_get_boolean_member_with_default(object, "additionalProperties", TRUE));
        JsonObject *map = json_object_get_object_member(object, "properties");
        g_autoptr(GList) keys = json_object_get_members(map);
        for (GList *key = keys; key; key = key->next, (*properties)++) {
            JsonObject *field = json_object_get_object_member(map, key->data);
            bool limited = false;
            for (size_t i = 0; i < G_N_ELEMENTS(limits); i++)
                limited = limited || json_object_has_member(field, limits[i]);
            cr_expect(limited && json_object_has_member(field, "description"), "%s",
                      (char *)key->data);
        }
    }
    for (GList *member = members; member; member = member->next)
        check_open(json_object_get_member(object, member->data), properties);
}

Test(scen_schema, is_json_and_closed)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = scen_schema_text(NULL, false, &error);
    cr_assert(text, "%s", error->message);
    g_autoptr(JsonParser) parser = json_parser_new();
    cr_assert(json_parser_load_from_data(parser, text, -1, &error), "%s", error->message);
    guint properties = 0;
    check_open(json_parser_get_root(parser), &properties);
    cr_expect(properties > 500, "%u properties", properties);
}

Test(scen_schema, of_what_is_no_catalog_is_an_error)
{
    g_autoptr(GError) error = NULL;
    cr_expect(!scen_schema_text("schedules", false, &error));
    cr_expect(error);
}

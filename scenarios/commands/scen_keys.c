/* Dotted keys, found in the tables that the loader reads.
 *
 * A path goes from map to map: plan.overlap.data. A section that is a name takes keys, too, for an
 * override lays them over its row (scen_override.c), and so does a custom value one of whose forms
 * is a map. Lists end a path. */
#include "scen_keys.h"

#include "scen_fields.h"
#include "scen_list.h"

#include <string.h>

const ScenTable *scen_key_table(const ScenField *field)
{
    if (field->kind == SCEN_ROWS)
        return NULL;
    for (const ScenForm *form = field->forms; form && form->value.help; form++)
        if (form->most == 0 && form->value.table)
            return form->value.table;
    return field->table;
}

/* The table whose keys the last word of @path is one of; NULL when a word before is no map. */
static const ScenTable *table_around(char **words)
{
    const ScenTable *table = &scen_scenario_table;
    for (; table && words[0] && words[1]; words++) {
        const ScenField *field = scen_table_field(table, words[0]);
        table = field ? scen_key_table(field) : NULL;
    }
    return table;
}

bool scen_key_find(const char *path, ScenKey *setting)
{
    g_auto(GStrv) words = g_strsplit(path, ".", -1);
    guint count = g_strv_length(words);
    const ScenTable *table = count > 0 ? table_around(words) : NULL;
    if (!table)
        return false;
    const char *key = words[count - 1];
    *setting = (ScenKey){.field = scen_table_field(table, key), .within = table};
    return setting->field || (table->catalog != SCEN_CATALOG_NONE && g_str_equal(key, "base"));
}

static void add_names(GPtrArray *values, const ScenName *names)
{
    for (; names && names->text; names++)
        g_ptr_array_add(values, g_strdup(names->text));
}

static void add_rows(GPtrArray *values, const char *kind)
{
    g_autoptr(GPtrArray) rows = kind ? scen_list_names(kind, NULL) : NULL;
    for (guint i = 0; rows && i < rows->len; i++)
        g_ptr_array_add(values, g_strdup(rows->pdata[i]));
}

static void add_values(GPtrArray *values, const ScenField *field)
{
    g_autofree char *told = scen_list_told_in(field->help);
    add_names(values, field->names);
    if (field->kind == SCEN_BOOL) {
        g_ptr_array_add(values, g_strdup("true"));
        g_ptr_array_add(values, g_strdup("false"));
    } else if (field->kind == SCEN_SECTION) {
        add_rows(values, scen_list_kind_of(field->table->catalog));
    } else if (field->kind == SCEN_TEXT && !field->names) {
        add_rows(values, told);
    }
}

GPtrArray *scen_key_values(const ScenField *field)
{
    GPtrArray *values = g_ptr_array_new_with_free_func(g_free);
    add_values(values, field);
    for (const ScenForm *form = field->forms; form && form->value.help; form++)
        if (form->most == 0)
            add_values(values, &form->value);
    return values;
}

GPtrArray *scen_key_siblings(const char *path)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    const char *dot = strrchr(path, '.');
    g_autofree char *prefix = dot ? g_strndup(path, (gsize)(dot - path) + 1) : g_strdup("");
    g_auto(GStrv) words = g_strsplit(path, ".", -1);
    const ScenTable *table = table_around(words);
    for (size_t i = 0; table && i < table->count; i++) {
        const ScenField *field = &table->fields[i];
        bool has_keys = scen_key_table(field);
        if (!has_keys || field->kind != SCEN_MAP)
            g_ptr_array_add(keys, g_strconcat(prefix, field->key, "=", NULL));
        if (has_keys)
            g_ptr_array_add(keys, g_strconcat(prefix, field->key, ".", NULL));
    }
    return g_steal_pointer(&keys);
}

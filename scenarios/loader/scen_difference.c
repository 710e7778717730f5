/* Scenarios held against each other by the tables that bind them, so that a key added to a table is
 * known here without a word.
 *
 * The walk goes over the bound structs, not over the files: a value that comes from a catalog row,
 * a default or a check is compared like one that was written. A custom value is compared where its
 * field has a text for it, which not every one has (lists of recoveries, heights of outages). */
#include "scen_difference.h"

#include "scen_fields.h"

enum { DIFFERENT_MOST = 64 }; /* scenarios */

typedef struct Walk {
    guint count;
    GArray *out;
} Walk;

static void difference_clear(ScenDifference *difference)
{
    g_free(difference->key);
    g_ptr_array_unref(difference->values);
}

static void compare_texts(Walk *walk, const char *key, GPtrArray *values)
{
    bool differs = false;
    for (guint i = 1; i < values->len; i++)
        differs = differs || g_strcmp0(values->pdata[i], values->pdata[0]) != 0;
    if (!differs)
        return;
    ScenDifference difference = {.key = g_strdup(key), .values = g_ptr_array_ref(values)};
    g_array_append_val(walk->out, difference);
}

/* Words about a scenario, and what is no part of the simulation. */
static bool is_left_out(const char *key)
{
    static const char *const keys[] = {"name", "description", "fold", "expect", "search", NULL};
    return g_strv_contains(keys, key) || g_str_has_suffix(key, ".source");
}

/* Fitted coefficients mean nothing one by one, where all of them are others. */
static bool is_coefficients(const ScenTable *table)
{
    return table == &scen_profile_table || table == &scen_protocol_table ||
           table == &scen_errors_table;
}

static void walk_table(Walk *walk, const char *prefix, const ScenTable *table,
                       const char *const *structs);

/* Whether the names of sections say all there is to say: they differ, and name catalog rows. */
static bool names_say_all(Walk *walk, const char *prefix, const ScenTable *table,
                          const char *const *structs)
{
    const ScenField *field = scen_table_field(table, "name");
    if (!is_coefficients(table) || !field)
        return false;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < walk->count; i++)
        g_ptr_array_add(names, scen_field_text(field, structs[i] + field->offset));
    guint before = walk->out->len;
    compare_texts(walk, prefix, names);
    return walk->out->len > before;
}

static void walk_rows(Walk *walk, const char *key, const ScenTable *table, const char *const *slots)
{
    g_autoptr(GPtrArray) counts = g_ptr_array_new_with_free_func(g_free);
    guint least = G_MAXUINT;
    for (guint i = 0; i < walk->count; i++) {
        const GArray *rows = *(GArray *const *)(const void *)slots[i];
        guint count = rows ? rows->len : 0;
        least = MIN(least, count);
        g_ptr_array_add(counts, g_strdup_printf("%u rows", count));
    }
    compare_texts(walk, key, counts);
    for (guint row = 0; row < least; row++) {
        const char *structs[DIFFERENT_MOST];
        g_autofree char *inner = g_strdup_printf("%s[%u]", key, row);
        for (guint i = 0; i < walk->count; i++) {
            const GArray *rows = *(GArray *const *)(const void *)slots[i];
            structs[i] = rows->data + row * table->size;
        }
        walk_table(walk, inner, table, structs);
    }
}

static void walk_field(Walk *walk, const char *key, const ScenField *field,
                       const char *const *slots)
{
    if (field->kind == SCEN_MAP || field->kind == SCEN_SECTION) {
        if (!names_say_all(walk, key, field->table, slots))
            walk_table(walk, key, field->table, slots);
        return;
    }
    if (field->kind == SCEN_ROWS) {
        walk_rows(walk, key, field->table, slots);
        return;
    }
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < walk->count; i++)
        g_ptr_array_add(values, scen_field_text(field, slots[i]));
    compare_texts(walk, key, values);
}

static void walk_table(Walk *walk, const char *prefix, const ScenTable *table,
                       const char *const *structs)
{
    for (size_t f = 0; f < table->count; f++) {
        const ScenField *field = &table->fields[f];
        const char *slots[DIFFERENT_MOST];
        g_autofree char *key = g_strdup_printf("%s%s%s", prefix, *prefix ? "." : "", field->key);
        if (is_left_out(key))
            continue;
        for (guint i = 0; i < walk->count; i++)
            slots[i] = structs[i] + field->offset;
        walk_field(walk, key, field, slots);
    }
}

GArray *scen_differences(const ScenScenario *const *scenarios, guint count)
{
    g_assert(count <= DIFFERENT_MOST);
    Walk walk = {.count = count, .out = g_array_new(FALSE, FALSE, sizeof(ScenDifference))};
    g_array_set_clear_func(walk.out, (GDestroyNotify)difference_clear);
    const char *structs[DIFFERENT_MOST];
    for (guint i = 0; i < count; i++)
        structs[i] = (const char *)scenarios[i];
    walk_table(&walk, "", &scen_scenario_table, structs);
    return walk.out;
}

const char *scen_difference_value(const ScenDifference *difference, guint index)
{
    const char *value = difference->values->pdata[index];
    return value ? value : "none";
}

char *scen_differences_text(const GArray *differences, guint index)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < differences->len; i++) {
        const ScenDifference *d = &g_array_index(differences, ScenDifference, i);
        g_string_append_printf(text, "%s%s=%s", i > 0 ? " " : "", d->key,
                               scen_difference_value(d, index));
    }
    return g_string_free(text, FALSE);
}

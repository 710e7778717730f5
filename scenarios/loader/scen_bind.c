/* Structs from nodes, by tables.
 *
 * For each field of a table the binder looks its key up in the map, and the kind's function turns
 * the node into the C type of the slot. Keys that no field knows, absent keys and values that do
 * not fit are errors; all of them are found in one pass, because a refused value leaves its slot
 * alone and binding goes on. A fallback is bound as if it had been written, so that defaults obey
 * the same rules and can be read in the table.
 *
 * Scalars are strict: whole numbers are decimal without sign tricks or leading zeros (YAML 1.1 and
 * 1.2 disagree on 010), booleans are true and false only, a quoted number is a text. */
#include "scen_bind.h"

#include "scen_doc.h"
#include "scen_names.h"
#include "scen_section.h"

#include <math.h>
#include <string.h>

_Static_assert(sizeof(ScenKind) == sizeof(int), "enum slots are written as int");

const ScenField *scen_table_field(const ScenTable *table, const char *key)
{
    for (size_t i = 0; i < table->count; i++)
        if (g_str_equal(table->fields[i].key, key))
            return &table->fields[i];
    return NULL;
}

static char *join_names(const ScenName *names)
{
    GString *joined = g_string_new("one of");
    for (const ScenName *name = names; name->text; name++)
        g_string_append_printf(joined, "%s %s", name == names ? "" : ",", name->text);
    return g_string_free(joined, FALSE);
}

void scen_bind_path(ScenBinder *binder, const char **path)
{
    if (!*path || g_path_is_absolute(*path) || !binder->folder)
        return;
    g_autofree char *whole = g_build_filename(binder->folder, *path, NULL);
    *path = g_string_chunk_insert(binder->strings, whole);
}

char *scen_field_expected(const ScenField *field)
{
    switch (field->kind) {
    case SCEN_INT:
        return g_strdup_printf("a whole number from %.16g to %.16g", field->min, field->max);
    case SCEN_NUMBER:
        return g_strdup_printf("a number from %.16g to %.16g", field->min, field->max);
    case SCEN_BOOL:
        return g_strdup("true or false");
    case SCEN_TEXT:
    case SCEN_ENUM:
        return field->names ? join_names(field->names) : g_strdup("a text");
    case SCEN_QUANTITY:
        return g_strdup_printf(
            "%s with a unit of %s, as in '%s'", scen_dimension_name(field->dimension),
            scen_dimension_units(field->dimension), scen_dimension_example(field->dimension));
    case SCEN_MAP:
        return g_strdup("a map");
    case SCEN_SECTION:
        return g_strdup("a catalog name or a map");
    case SCEN_ROWS:
        return g_strdup("a list of maps");
    case SCEN_NUMBERS:
        return g_strdup_printf("a list of numbers from %.16g to %.16g", field->min, field->max);
    case SCEN_CUSTOM:
        break;
    }
    return g_strdup(field->expected ? field->expected : "another value");
}

/** Adds "'key' must be ..., not ..."; always false. */
static bool reject(ScenBinder *binder, const ScenField *field, const ScenNode *node)
{
    g_autofree char *expected = scen_field_expected(field);
    g_autofree char *found = scen_node_describe(node);
    g_autofree char *advice = NULL;
    if (field->names && node->kind == SCEN_NODE_TEXT) {
        g_autoptr(GPtrArray) known = g_ptr_array_new();
        for (const ScenName *name = field->names; name->text; name++)
            g_ptr_array_add(known, (void *)name->text);
        const char *nearest = scen_names_nearest(node->text, known);
        advice = nearest ? g_strdup_printf(", did you mean '%s'?", nearest) : NULL;
    }
    bool number = field->kind == SCEN_INT || field->kind == SCEN_NUMBER;
    bool quoted = number && node->kind == SCEN_NODE_TEXT && node->quoted;
    scen_errors_add(binder->errors, node->mark, "'%s' must be %s, not %s%s%s", field->key, expected,
                    quoted ? "the text " : "", found, advice ? advice : "");
    return false;
}

static bool is_plain(const ScenNode *node)
{
    return node->kind == SCEN_NODE_TEXT && !node->quoted && node->text[0] != '\0';
}

static bool bind_int(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    if (!is_plain(node))
        return reject(binder, field, node);
    const char *digits = node->text + (node->text[0] == '-' ? 1 : 0);
    bool leading_zero = digits[0] == '0' && digits[1] != '\0';
    if (leading_zero || digits[0] == '\0' || strspn(digits, "0123456789") != strlen(digits))
        return reject(binder, field, node);
    int64_t value = g_ascii_strtoll(node->text, NULL, 10); /* saturates, so stays out of range */
    if ((double)value < field->min || (double)value > field->max)
        return reject(binder, field, node);
    *(int64_t *)slot = value;
    return true;
}

static bool parse_number(const ScenField *field, const ScenNode *node, double *value)
{
    if (!is_plain(node) || strspn(node->text, "+-.0123456789eE") != strlen(node->text))
        return false;
    char *end = NULL;
    *value = g_ascii_strtod(node->text, &end);
    return *end == '\0' && isfinite(*value) && *value >= field->min && *value <= field->max;
}

static bool bind_number(ScenBinder *binder, const ScenField *field, const ScenNode *node,
                        void *slot)
{
    double value = 0.0;
    if (!parse_number(field, node, &value))
        return reject(binder, field, node);
    *(double *)slot = value;
    return true;
}

static bool bind_bool(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    bool yes = is_plain(node) && g_str_equal(node->text, "true");
    if (!yes && !(is_plain(node) && g_str_equal(node->text, "false")))
        return reject(binder, field, node);
    *(bool *)slot = yes;
    return true;
}

static const ScenName *find_name(const ScenField *field, const ScenNode *node)
{
    if (node->kind != SCEN_NODE_TEXT)
        return NULL;
    for (const ScenName *name = field->names; name->text; name++)
        if (g_str_equal(name->text, node->text))
            return name;
    return NULL;
}

static bool bind_text(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    if (node->kind != SCEN_NODE_TEXT || (node->text[0] == '\0' && !node->quoted))
        return reject(binder, field, node);
    if (field->names && !find_name(field, node))
        return reject(binder, field, node);
    *(const char **)slot = g_string_chunk_insert_const(binder->strings, node->text);
    return true;
}

static bool bind_enum(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    const ScenName *name = find_name(field, node);
    if (!name)
        return reject(binder, field, node);
    *(int *)slot = name->value;
    return true;
}

static bool bind_quantity(ScenBinder *binder, const ScenField *field, const ScenNode *node,
                          void *slot)
{
    if (node->kind != SCEN_NODE_TEXT || node->text[0] == '\0')
        return reject(binder, field, node);
    g_autoptr(GError) error = NULL;
    double value = 0.0;
    if (!scen_quantity_parse(node->text, field->dimension, &value, &error)) {
        scen_errors_add(binder->errors, node->mark, "'%s': %s", field->key, error->message);
        return false;
    }
    if (value == 0.0 && !field->zero) {
        g_autofree char *quoted = scen_quote(node->text);
        scen_errors_add(binder->errors, node->mark, "'%s' must be above zero, not %s", field->key,
                        quoted);
        return false;
    }
    *(double *)slot = value;
    return true;
}

static bool bind_map(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    if (node->kind != SCEN_NODE_MAP)
        return reject(binder, field, node);
    scen_bind(binder, field->table, node, slot); /* what it refuses has paths of its own */
    return true;
}

static bool bind_section(ScenBinder *binder, const ScenField *field, const ScenNode *node,
                         void *slot)
{
    if (node->kind == SCEN_NODE_LIST || (node->kind == SCEN_NODE_TEXT && node->text[0] == '\0'))
        return reject(binder, field, node);
    if (field->bind && field->bind(binder, field, node, slot))
        return true;
    const ScenNode *map = scen_section_resolve(binder, field->table, node);
    if (map)
        scen_bind(binder, field->table, map, slot);
    return map;
}

static bool bind_rows(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    if (node->kind != SCEN_NODE_LIST)
        return reject(binder, field, node);
    GArray *rows = g_array_sized_new(FALSE, TRUE, (guint)field->table->size, node->items->len);
    g_array_set_size(rows, node->items->len);
    bool sound = true;
    for (size_t i = 0; i < node->items->len; i++) {
        const ScenNode *row = g_array_index(node->items, ScenItem, i).value;
        void *out = rows->data + i * field->table->size;
        size_t length = binder->path->len;
        g_string_append_printf(binder->path, "[%zu]", i);
        scen_marks_set(binder->marks, binder->path->str, row->mark);
        if (row->kind != SCEN_NODE_MAP)
            sound = reject(binder, field, row);
        else
            sound = scen_bind(binder, field->table, row, out) && sound;
        g_string_truncate(binder->path, length);
    }
    *(GArray **)slot = rows;
    return sound;
}

static bool bind_numbers(ScenBinder *binder, const ScenField *field, const ScenNode *node,
                         void *slot)
{
    if (node->kind != SCEN_NODE_LIST)
        return reject(binder, field, node);
    GArray *numbers = g_array_new(FALSE, FALSE, sizeof(double));
    bool sound = true;
    for (size_t i = 0; i < node->items->len; i++) {
        const ScenNode *item = g_array_index(node->items, ScenItem, i).value;
        double value = 0.0;
        sound = (parse_number(field, item, &value) || reject(binder, field, item)) && sound;
        g_array_append_val(numbers, value);
    }
    *(GArray **)slot = numbers;
    return sound;
}

static bool bind_custom(ScenBinder *binder, const ScenField *field, const ScenNode *node,
                        void *slot)
{
    return field->bind(binder, field, node, slot) || reject(binder, field, node);
}

static const ScenBindFunc binders[] = {
    [SCEN_INT] = bind_int,         [SCEN_NUMBER] = bind_number,   [SCEN_BOOL] = bind_bool,
    [SCEN_TEXT] = bind_text,       [SCEN_ENUM] = bind_enum,       [SCEN_QUANTITY] = bind_quantity,
    [SCEN_MAP] = bind_map,         [SCEN_SECTION] = bind_section, [SCEN_ROWS] = bind_rows,
    [SCEN_NUMBERS] = bind_numbers, [SCEN_CUSTOM] = bind_custom,
};

void scen_bind_fail(ScenBinder *binder, const ScenNode *map, const char *key, const char *format,
                    ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    const ScenItem *item = scen_node_item(map, key);
    scen_errors_add(binder->errors, item ? item->key_mark : map->mark, "%s", message);
    g_autofree char *path = g_strconcat(binder->path->str, binder->path->len ? "." : "", key, NULL);
    scen_marks_refuse(binder->marks, path);
}

bool scen_bind_value(ScenBinder *binder, const ScenField *field, const ScenNode *node, void *slot)
{
    return binders[field->kind](binder, field, node, slot);
}

void scen_bind_unknown(ScenErrors *errors, const ScenTable *table, const char *key, ScenMark mark)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    for (size_t i = 0; i < table->count; i++)
        g_ptr_array_add(known, (void *)table->fields[i].key);
    if (table->catalog != SCEN_CATALOG_NONE)
        g_ptr_array_add(known, (void *)"base");
    g_autofree char *quoted = scen_quote(key);
    g_autofree char *advice = scen_names_advice(key, known);
    scen_errors_add(errors, mark, "unknown key %s in %s%s", quoted, table->what, advice);
}

static void bind_field(ScenBinder *binder, const ScenField *field, const ScenNode *map, void *out)
{
    const ScenItem *item = scen_node_item(map, field->key);
    if (!item && field->required)
        scen_bind_fail(binder, map, field->key, "missing key '%s' (%s)", field->key, field->help);
    if (!item && !field->fallback)
        return;
    ScenNode fallback = {.kind = SCEN_NODE_TEXT, .mark = map->mark, .text = field->fallback};
    const ScenNode *node = item ? item->value : &fallback;
    void *slot = (char *)out + field->offset;
    size_t length = binder->path->len;
    g_string_append_printf(binder->path, "%s%s", length ? "." : "", field->key);
    if (item)
        scen_marks_set(binder->marks, binder->path->str, item->key_mark);
    if (!scen_bind_value(binder, field, node, slot))
        scen_marks_refuse(binder->marks, binder->path->str);
    g_string_truncate(binder->path, length);
}

bool scen_bind(ScenBinder *binder, const ScenTable *table, const ScenNode *node, void *out)
{
    size_t before = scen_errors_count(binder->errors);
    if (node->kind != SCEN_NODE_MAP) {
        g_autofree char *found = scen_node_describe(node);
        scen_errors_add(binder->errors, node->mark, "%s must be a map, not %s", table->what, found);
        return false;
    }
    for (size_t i = 0; i < node->items->len; i++) {
        const ScenItem *item = &g_array_index(node->items, ScenItem, i);
        if (!scen_table_field(table, item->key))
            scen_bind_unknown(binder->errors, table, item->key, item->key_mark);
    }
    for (size_t i = 0; i < table->count; i++)
        bind_field(binder, &table->fields[i], node, out);
    if (table->finish)
        table->finish(binder, node, out);
    return scen_errors_count(binder->errors) == before;
}

bool scen_bind_file(const char *path, const ScenTable *table, GStringChunk *strings, void *out,
                    GError **error)
{
    g_autoptr(ScenPool) pool = scen_pool_new();
    g_autoptr(ScenErrors) errors = scen_errors_new();
    g_autoptr(GString) dotted = g_string_new(NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    ScenBinder binder = {.errors = errors, .strings = strings, .folder = folder, .path = dotted};
    const ScenNode *root = scen_doc_read(pool, path, SCEN_ORIGIN_DOCUMENT, errors);
    if (root)
        scen_bind(&binder, table, root, out);
    return scen_errors_report(errors, error);
}

/* JSON Schema from the tables.
 *
 * Draft-07, the version that the YAML language server of Red Hat handles in full
 * (https://github.com/redhat-developer/yaml-language-server, "Features"). Each ScenTable becomes one
 * or two definitions: NAME as it must stand when it is written out, and NAME.changes as it stands
 * where a `base:` of it or of a map around it fills in what is missing, so that nothing is required.
 * The latter holds all the way down, for changes are laid over the row map by map
 * (scen_section.c); lists replace, so their maps are whole again.
 *
 * Kinds of values become types, ranges, enums and, for quantities, the pattern of their spellings.
 * Names come from the catalogs at hand. A file under `devices:` may add GPUs, nodes and profiles,
 * so those names stay open.
 *
 * What a schema leaves to `orrery check`: faults between keys, plausible sizes of quantities, and
 * spellings that YAML reads as the same scalar (010 and 10, True and true, 4.0 and 4). */
#include "scen_schema.h"

#include "scen_fields.h"
#include "scen_json.h"
#include "scen_list.h"

#include <math.h>

/* A definition, written or waiting. */
typedef struct Part {
    const ScenTable *table;
    bool changes;
    char *name;
} Part;

typedef struct Schema {
    JsonBuilder *json;
    GArray *parts;    /* Part */
    GPtrArray *kinds; /* whose names were referred to */
    bool any_name;
    GError *error; /* the first */
} Schema;

static void part_clear(Part *part)
{
    g_free(part->name);
}

static void begin(Schema *schema, const char *key)
{
    if (key)
        json_builder_set_member_name(schema->json, key);
    json_builder_begin_object(schema->json);
}

static void end(Schema *schema)
{
    json_builder_end_object(schema->json);
}

static void begin_list(Schema *schema, const char *key)
{
    json_builder_set_member_name(schema->json, key);
    json_builder_begin_array(schema->json);
}

static void end_list(Schema *schema)
{
    json_builder_end_array(schema->json);
}

static void add_text(Schema *schema, const char *text)
{
    json_builder_add_string_value(schema->json, text);
}

/* Tables may share what they are called, definitions may not. */
static char *part_name(const Schema *schema, const ScenTable *table, bool changes)
{
    int twins = 0;
    for (guint i = 0; i < schema->parts->len; i++) {
        const Part *part = &g_array_index(schema->parts, Part, i);
        twins += part->changes == changes && g_str_equal(part->table->what, table->what);
    }
    g_autofree char *number = twins ? g_strdup_printf(".%d", twins + 1) : g_strdup("");
    char *name = g_strconcat(table->what, number, changes ? ".changes" : "", NULL);
    return g_strdelimit(name, " ", '-');
}

static void refer(Schema *schema, const ScenTable *table, bool changes)
{
    const Part *found = NULL;
    for (guint i = 0; i < schema->parts->len && !found; i++) {
        const Part *part = &g_array_index(schema->parts, Part, i);
        if (part->table == table && part->changes == changes)
            found = part;
    }
    if (!found) {
        Part part = {table, changes, part_name(schema, table, changes)};
        g_array_append_val(schema->parts, part);
        found = &g_array_index(schema->parts, Part, schema->parts->len - 1);
    }
    g_autofree char *path = g_strconcat("#/definitions/", found->name, NULL);
    scen_json_text(schema->json, "$ref", path);
}

/* A reference to the names of the rows of @kind. */
static void refer_rows(Schema *schema, const char *kind)
{
    if (!g_ptr_array_find_with_equal_func(schema->kinds, kind, g_str_equal, NULL))
        g_ptr_array_add(schema->kinds, g_strdup(kind));
    g_autofree char *path = g_strconcat("#/definitions/names.", kind, NULL);
    scen_json_text(schema->json, "$ref", path);
}

/* The names of the rows of @kind; devices: may add to some catalogs. */
static void write_rows(Schema *schema, const char *kind)
{
    ScenCatalogKind catalog = scen_list_catalog(kind);
    bool open = schema->any_name || catalog == SCEN_CATALOG_GPU || catalog == SCEN_CATALOG_NODE ||
                catalog == SCEN_CATALOG_PROFILE;
    g_autoptr(GPtrArray) names = scen_list_names(kind, schema->error ? NULL : &schema->error);
    begin_list(schema, "anyOf");
    begin(schema, NULL);
    begin_list(schema, "enum");
    for (guint i = 0; names && i < names->len; i++)
        add_text(schema, names->pdata[i]);
    end_list(schema);
    end(schema);
    if (open) {
        begin(schema, NULL);
        scen_json_text(schema->json, "type", "string");
        end(schema);
    }
    end_list(schema);
}

static void write_names(Schema *schema, const ScenName *names)
{
    begin_list(schema, "enum");
    for (; names->text; names++)
        add_text(schema, names->text);
    end_list(schema);
}

/* A text may look like a number or a truth value to YAML. */
static void write_free_text(Schema *schema)
{
    begin_list(schema, "type");
    add_text(schema, "string");
    add_text(schema, "number");
    add_text(schema, "boolean");
    end_list(schema);
}

static void write_range(Schema *schema, const ScenField *field, bool whole)
{
    scen_json_text(schema->json, "type", whole ? "integer" : "number");
    if (whole) {
        scen_json_integer(schema->json, "minimum", (gint64)field->min);
        scen_json_integer(schema->json, "maximum", (gint64)field->max);
    } else {
        scen_json_number(schema->json, "minimum", field->min);
        scen_json_number(schema->json, "maximum", field->max);
    }
}

static void write_quantity(Schema *schema, const ScenField *field)
{
    g_autofree char *pattern = scen_dimension_pattern(field->dimension, field->zero);
    g_autofree char *expected = scen_field_expected(field);
    g_autofree char *message = g_strconcat("must be ", expected, NULL);
    scen_json_text(schema->json, "type", "string");
    scen_json_text(schema->json, "pattern", pattern);
    scen_json_text(schema->json, "patternErrorMessage", message);
    begin_list(schema, "examples");
    add_text(schema, scen_dimension_example(field->dimension));
    end_list(schema);
}

static void write_value(Schema *schema, const ScenField *field, const char *kind, bool changes);

static const char *const setting_types[] = {"string", "number", "boolean", "array", "object"};

/* A map of dotted keys to what --set takes, or to several such values. */
static void write_settings(Schema *schema)
{
    scen_json_text(schema->json, "type", "object");
    begin(schema, "additionalProperties");
    begin_list(schema, "type");
    for (size_t i = 0; i < G_N_ELEMENTS(setting_types); i++)
        add_text(schema, setting_types[i]);
    end_list(schema);
    end(schema);
}

/* A map that needs to be whole unless it has a base. */
static void write_section_map(Schema *schema, const ScenTable *table)
{
    static const char *const bases[] = {"base", "hugging_face"};
    size_t count = table->catalog == SCEN_CATALOG_MODEL ? 2 : 1;
    begin(schema, "if");
    begin_list(schema, "anyOf");
    for (size_t i = 0; i < count; i++) {
        begin(schema, NULL);
        begin_list(schema, "required");
        add_text(schema, bases[i]);
        end_list(schema);
        end(schema);
    }
    end_list(schema);
    end(schema);
    begin(schema, "then");
    refer(schema, table, true);
    end(schema);
    begin(schema, "else");
    refer(schema, table, false);
    end(schema);
}

static void write_section(Schema *schema, const ScenField *field, bool changes)
{
    const ScenTable *table = field->table;
    const char *kind = scen_list_kind_of(table->catalog);
    begin_list(schema, "anyOf");
    if (kind) {
        begin(schema, NULL);
        refer_rows(schema, kind);
        end(schema);
    }
    begin(schema, NULL);
    scen_json_text(schema->json, "type", "object");
    if (changes || field->implied_base)
        refer(schema, table, true);
    else
        write_section_map(schema, table);
    end(schema);
    end_list(schema);
}

/* Forms that are lists of like length are one list, whose entries may have either form. */
static void write_forms(Schema *schema, const ScenField *field, const char *kind, bool changes)
{
    g_assert(field->forms); /* the table owes them */
    begin_list(schema, "anyOf");
    const ScenForm *lists = NULL;
    for (const ScenForm *form = field->forms; form->value.help; form++) {
        if (form->most > 0) {
            lists = lists ? lists : form;
            continue;
        }
        begin(schema, NULL);
        scen_json_text(schema->json, "title", form->value.help);
        write_value(schema, &form->value, kind, changes);
        end(schema);
    }
    if (lists) {
        begin(schema, NULL);
        scen_json_text(schema->json, "type", "array");
        scen_json_integer(schema->json, "minItems", lists->least);
        scen_json_integer(schema->json, "maxItems", lists->most);
        begin(schema, "items");
        begin_list(schema, "anyOf");
        for (const ScenForm *form = lists; form->value.help; form++) {
            begin(schema, NULL);
            write_value(schema, &form->value, kind, false);
            end(schema);
        }
        end_list(schema);
        end(schema);
        end(schema);
    }
    end_list(schema);
}

static void write_list(Schema *schema, const ScenField *field)
{
    scen_json_text(schema->json, "type", "array");
    begin(schema, "items");
    if (field->kind == SCEN_ROWS)
        refer(schema, field->table, false);
    else
        write_range(schema, field, false);
    end(schema);
}

static void write_text(Schema *schema, const ScenField *field, const char *kind)
{
    g_autofree char *own = scen_list_told_in(field->help);
    if (field->names)
        write_names(schema, field->names);
    else if (own || kind)
        refer_rows(schema, own ? own : kind);
    else
        write_free_text(schema);
}

/* The keywords that say what @field takes; names of texts are of @kind where its own help tells of
 * none. */
static void write_value(Schema *schema, const ScenField *field, const char *kind, bool changes)
{
    switch (field->kind) {
    case SCEN_INT:
    case SCEN_NUMBER:
        write_range(schema, field, field->kind == SCEN_INT);
        return;
    case SCEN_BOOL:
        scen_json_text(schema->json, "type", "boolean");
        return;
    case SCEN_TEXT:
    case SCEN_ENUM:
        write_text(schema, field, kind);
        return;
    case SCEN_QUANTITY:
        write_quantity(schema, field);
        return;
    case SCEN_MAP:
        if (field->table)
            refer(schema, field->table, changes);
        else
            write_settings(schema);
        return;
    case SCEN_SECTION:
        write_section(schema, field, changes);
        return;
    case SCEN_ROWS:
    case SCEN_NUMBERS:
        write_list(schema, field);
        return;
    case SCEN_CUSTOM:
        if (field->names)
            write_names(schema, field->names);
        else
            write_forms(schema, field, kind, changes);
        return;
    }
}

/* The fallback as JSON has it. */
static void write_default(Schema *schema, const ScenField *field)
{
    if (!field->fallback)
        return;
    if (field->kind == SCEN_BOOL)
        scen_json_boolean(schema->json, "default", g_str_equal(field->fallback, "true"));
    else if (field->kind == SCEN_INT)
        scen_json_integer(schema->json, "default", g_ascii_strtoll(field->fallback, NULL, 10));
    else if (field->kind == SCEN_NUMBER)
        scen_json_number(schema->json, "default", g_ascii_strtod(field->fallback, NULL));
    else
        scen_json_text(schema->json, "default", field->fallback);
}

static void write_field(Schema *schema, const ScenField *field, bool changes)
{
    g_autofree char *kind = scen_list_told_in(field->help);
    begin(schema, field->key);
    scen_json_text(schema->json, "description", field->help);
    write_default(schema, field);
    write_value(schema, field, kind, changes);
    end(schema);
}

/* Keys that stand in the place of a section's own. */
static void write_bases(Schema *schema, const ScenTable *table)
{
    const char *kind = scen_list_kind_of(table->catalog);
    if (!kind)
        return;
    g_autofree char *help =
        g_strdup_printf("the row that the keys beside it change (orrery list %s)", kind);
    begin(schema, "base");
    scen_json_text(schema->json, "description", help);
    refer_rows(schema, kind);
    end(schema);
    if (table->catalog != SCEN_CATALOG_MODEL)
        return;
    begin(schema, "hugging_face");
    scen_json_text(schema->json, "description",
                   "a config.json of Hugging Face, which the keys beside it change");
    scen_json_text(schema->json, "type", "string");
    end(schema);
}

/* The keywords of a table's map. */
static void write_table(Schema *schema, const ScenTable *table, bool changes)
{
    scen_json_text(schema->json, "title", table->what);
    scen_json_text(schema->json, "type", "object");
    begin(schema, "properties");
    write_bases(schema, table);
    for (size_t i = 0; i < table->count; i++)
        write_field(schema, &table->fields[i], changes);
    end(schema);
    scen_json_boolean(schema->json, "additionalProperties", FALSE);
    if (changes)
        return;
    begin_list(schema, "required");
    for (size_t i = 0; i < table->count; i++)
        if (table->fields[i].required)
            add_text(schema, table->fields[i].key);
    end_list(schema);
}

/* A catalog is a map from names to rows. Plans leave to the scenario what a software cannot know. */
static void write_catalog(Schema *schema, const ScenTable *table, const char *kind)
{
    g_autofree char *title = g_strdup_printf("Orrery catalog of %s", kind);
    scen_json_text(schema->json, "title", title);
    scen_json_text(schema->json, "type", "object");
    begin(schema, "additionalProperties");
    scen_json_text(schema->json, "type", "object");
    if (table->catalog == SCEN_CATALOG_PLAN)
        refer(schema, table, true);
    else
        write_section_map(schema, table);
    end(schema);
}

static void write_document(Schema *schema, const ScenTable *table, const char *kind)
{
    begin(schema, NULL);
    scen_json_text(schema->json, "$schema", "http://json-schema.org/draft-07/schema#");
    if (kind)
        write_catalog(schema, table, kind);
    else
        write_table(schema, table, false);
    begin(schema, "definitions");
    for (guint i = 0; i < schema->parts->len; i++) { /* which grows as definitions refer to more */
        Part part = g_array_index(schema->parts, Part, i);
        begin(schema, part.name);
        write_table(schema, part.table, part.changes);
        end(schema);
    }
    for (guint i = 0; i < schema->kinds->len; i++) {
        g_autofree char *name = g_strconcat("names.", schema->kinds->pdata[i], NULL);
        begin(schema, name);
        write_rows(schema, schema->kinds->pdata[i]);
        end(schema);
    }
    end(schema);
    end(schema);
}

char *scen_schema_text(const char *kind, bool any_name, GError **error)
{
    const ScenTable *table =
        kind ? scen_catalog_table(scen_list_catalog(kind)) : &scen_scenario_table;
    if (!table) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "'%s' is no catalog with files", kind);
        return NULL;
    }
    g_autoptr(JsonBuilder) json = json_builder_new();
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(Part));
    g_array_set_clear_func(parts, (GDestroyNotify)part_clear);
    g_autoptr(GPtrArray) kinds = g_ptr_array_new_with_free_func(g_free);
    Schema schema = {.json = json, .parts = parts, .kinds = kinds, .any_name = any_name};
    write_document(&schema, table, kind);
    if (schema.error) {
        g_propagate_error(error, schema.error);
        return NULL;
    }
    return scen_json_finish(json);
}

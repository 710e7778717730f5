/* Paths and values of a sweep, held to the tables before any point runs.
 *
 * A path walks the tables of the scenario key by key. A value is bound by its field alone, into a
 * place that is thrown away; of maps and sections key by key, because what must fit together within
 * them may be set by another path. How values fit together is a matter of each point: it is found
 * when the point is loaded, and recorded with it.
 *
 * Some texts are names that only a later step looks up (networks, policies, fabrics). Those are
 * tried: the scenario is loaded with that one value, and of its faults the ones that start with
 * `unknown` are the value's own. */
#include "scen_fields.h"
#include "scen_scenario.h"
#include "scen_section.h"
#include "scen_sweep_fields.h"

#include <string.h>

enum { PROBES_MAX = 64 };

/* The field that @keys lead to and its place in a scenario, -1 when that is not known. */
typedef struct Target {
    const ScenField *field;
    int64_t offset;
} Target;

static bool is_base(const ScenField *field, const char *key)
{
    return field && field->table && field->table->catalog != SCEN_CATALOG_NONE &&
           (g_str_equal(key, "base") || g_str_equal(key, "hugging_face"));
}

/* NULL field, and an error unless @errors is NULL, when a key is unknown. */
static Target target_of(const char *path, ScenMark mark, ScenErrors *errors)
{
    g_auto(GStrv) keys = g_strsplit(path, ".", -1);
    const ScenTable *table = &scen_scenario_table;
    Target at = {0};
    for (size_t i = 0; keys[i]; i++) {
        const ScenField *field = table ? scen_table_field(table, keys[i]) : NULL;
        if (!field && is_base(at.field, keys[i]) && !keys[i + 1])
            return at;
        if (!field && errors && table)
            scen_bind_unknown(errors, table, keys[i], mark);
        else if (!field && errors)
            scen_errors_add(errors, mark, "'%s' of '%s' has no keys within", keys[i - 1], path);
        if (!field)
            return (Target){0};
        at.field = field;
        at.offset += (int64_t)field->offset;
        table = field->kind == SCEN_ROWS ? NULL : field->table;
    }
    return at;
}

const ScenField *scen_sweep_field(const char *path, ScenMark mark, ScenErrors *errors)
{
    Target at = target_of(path, mark, errors);
    bool own = at.field && (g_str_equal(path, "sweep") || g_str_has_prefix(path, "sweep."));
    if (own && errors)
        scen_errors_add(errors, mark, "a sweep is over the scenario, not over itself");
    return own ? NULL : at.field;
}

static void check_value(ScenBinder *binder, Target target, const ScenNode *node);

static void check_map(ScenBinder *binder, const ScenField *around, const ScenNode *map)
{
    const ScenTable *table = around->table;
    for (guint i = 0; i < map->items->len; i++) {
        const ScenItem *item = &g_array_index(map->items, ScenItem, i);
        const ScenField *field = scen_table_field(table, item->key);
        if (field)
            check_value(binder, (Target){field, -1}, item->value);
        else if (!is_base(around, item->key))
            scen_bind_unknown(binder->errors, table, item->key, item->key_mark);
    }
    if (around->kind == SCEN_SECTION && scen_node_get(map, "base"))
        scen_section_resolve(binder, table, map);
}

/* A list is bound within a whole scenario, which frees what is made of it. */
static void check_leaf(ScenBinder *binder, Target target, const ScenNode *node)
{
    union {
        int64_t whole;
        double number;
        const char *text;
        int value;
        bool yes;
    } place = {0};
    const ScenField *field = target.field;
    if (field->kind != SCEN_CUSTOM && field->kind != SCEN_NUMBERS) {
        scen_bind_value(binder, field, node, &place);
    } else if (target.offset >= 0) {
        ScenScenario *scratch = g_new0(ScenScenario, 1);
        scen_bind_value(binder, field, node, (char *)scratch + target.offset);
        scen_scenario_free(scratch);
    }
}

static void check_value(ScenBinder *binder, Target target, const ScenNode *node)
{
    const ScenField *field = target.field;
    bool group = field->kind == SCEN_MAP || field->kind == SCEN_SECTION;
    if (group && node->kind == SCEN_NODE_MAP)
        check_map(binder, field, node);
    else if (field->kind == SCEN_SECTION && node->kind == SCEN_NODE_TEXT && node->text[0] != '\0')
        scen_section_resolve(binder, field->table, node);
    else if (field->kind != SCEN_ROWS || node->kind != SCEN_NODE_LIST)
        check_leaf(binder, target, node);
    else
        for (guint i = 0; i < node->items->len; i++) {
            const ScenNode *row = g_array_index(node->items, ScenItem, i).value;
            if (row->kind == SCEN_NODE_MAP)
                check_map(binder, field, row);
            else
                check_leaf(binder, target, row);
        }
}

void scen_sweep_check_value(ScenBinder *binder, const char *path, const ScenNode *node)
{
    Target target = target_of(path, node->mark, NULL);
    if (!target.field || g_str_has_suffix(path, ".hugging_face"))
        return;
    check_value(binder, target, node);
}

/* Tries one setting, if it is of the kind that is looked up later. */
static bool check_name(const ScenSetting *setting, ScenErrors *errors,
                       char *(*refused)(void *ctx, const char *override), void *ctx)
{
    const ScenField *field = scen_sweep_field(setting->path, setting->mark, NULL);
    if (!field || field->kind != SCEN_TEXT || field->names)
        return false;
    g_autofree char *override = g_strconcat(setting->path, "=", setting->value, NULL);
    g_autofree char *place = g_strconcat("--set ", override, ": ", NULL);
    g_autofree char *message = refused(ctx, override);
    g_auto(GStrv) lines = g_strsplit(message ? message : "", "\n", -1);
    for (size_t i = 0; lines[i]; i++)
        if (g_str_has_prefix(lines[i], place) &&
            g_str_has_prefix(lines[i] + strlen(place), "unknown "))
            scen_errors_add(errors, setting->mark, "%s", lines[i] + strlen(place));
    return true;
}

void scen_sweep_check_names(const ScenSweep *sweep, ScenErrors *errors,
                            char *(*refused)(void *ctx, const char *override), void *ctx)
{
    int probes = 0;
    for (guint i = 0; sweep->list && i < sweep->list->len; i++) {
        const GArray *row = g_array_index(sweep->list, GArray *, i);
        for (guint j = 0; j < row->len && probes < PROBES_MAX; j++)
            probes += check_name(&g_array_index(row, ScenSetting, j), errors, refused, ctx);
    }
    for (guint i = 0; sweep->grid && i < sweep->grid->len; i++) {
        const GArray *settings = g_array_index(sweep->grid, ScenSweepAxis, i).settings;
        for (guint j = 0; j < settings->len && probes < PROBES_MAX; j++)
            probes += check_name(&g_array_index(settings, ScenSetting, j), errors, refused, ctx);
    }
}

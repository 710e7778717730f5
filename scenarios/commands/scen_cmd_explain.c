/* `orrery explain`: what a figure is, where its inputs came from; what a key of a scenario takes.
 *
 * A figure may be told by its path in the JSON, by the end of that, or by its line in the report, as
 * long as it is clear. */
#include "scen_cmd.h"

#include "scen_answer.h"
#include "scen_explain.h"
#include "scen_fields.h"
#include "scen_keys.h"
#include "scen_leaves.h"
#include "scen_names.h"
#include "scen_options.h"
#include "scen_provenance.h"
#include "scen_text.h"

#include <stdio.h>
#include <string.h>

static const ScenUsage usage = {
    .command = "explain",
    .arguments = "[FIGURE] [SCENARIO.yaml]",
    .summary = "Says how a figure of a report is defined: formula, unit, source; with a scenario "
               "also its\n"
               "value and where its inputs came from. FIGURE is a path of the JSON "
               "(training.mfu_fraction),\n"
               "its end (mfu_fraction) or a line of the report (MFU); or a key of a scenario "
               "(plan.tensor),\n"
               "of which it says what it takes. Without a figure, lists them.",
};

enum { INDENT = 2, LABEL = 12, LISTED = 40 };

static void add_text(GString *out, const char *label, const char *text)
{
    if (!text)
        return;
    g_string_append_printf(out, "%*s%-*s", INDENT, "", LABEL - INDENT, label);
    scen_text_wrap(out, text, LABEL, LABEL);
}

/* Lists the figures whose paths start with @prefix. False when there are none. */
static bool list_figures(const char *prefix)
{
    g_autoptr(GString) out = g_string_new(NULL);
    size_t count = 0;
    const ScenExplainedTable *const *tables = scen_explain_tables(&count);
    for (size_t t = 0; t < count; t++) {
        bool first = true;
        for (size_t i = 0; i < tables[t]->count; i++) {
            const ScenExplained *row = &tables[t]->rows[i];
            if (!g_str_has_prefix(row->path, prefix))
                continue;
            if (first)
                g_string_append_printf(out, "%s%s\n", out->len ? "\n" : "", tables[t]->of);
            first = false;
            int width = MAX(LISTED, (int)strlen(row->path) + 2);
            g_string_append_printf(out, "  %-*s", width, row->path);
            scen_text_wrap(out, row->definition, width + 2, LISTED + 2);
        }
    }
    fputs(out->str, stdout);
    return out->len > 0;
}

/* The one figure whose path ends in @word, or whose line in the report it is; NULL when there is none
 * or more. */
static const char *clear_name(const char *word)
{
    const char *found = NULL;
    size_t count = 0;
    const ScenExplainedTable *const *tables = scen_explain_tables(&count);
    g_autofree char *end = g_strconcat(".", word, NULL);
    for (size_t t = 0; t < count; t++)
        for (size_t i = 0; i < tables[t]->count; i++) {
            const ScenExplained *row = &tables[t]->rows[i];
            bool line = row->line && g_ascii_strcasecmp(row->line, word) == 0;
            if (!line && !g_str_has_suffix(row->path, end))
                continue;
            if (found)
                return NULL;
            found = row->path;
        }
    return found;
}

/* Adds the numbers of @json that are the figure @path, or parts of it. */
static bool add_values(GString *out, const char *json, const char *path, GError **error)
{
    enum { VALUES_MOST = 12 };
    g_autoptr(GArray) leaves = scen_leaves_of(json, error);
    if (!leaves)
        return false;
    g_autofree char *inside = g_strconcat(path, ".", NULL);
    g_autoptr(GPatternSpec) pattern = g_pattern_spec_new(path);
    guint shown = 0, all = 0;
    for (guint i = 0; i < leaves->len; i++) {
        const ScenLeaf *leaf = &g_array_index(leaves, ScenLeaf, i);
        if (!g_pattern_spec_match_string(pattern, leaf->path) &&
            !g_str_has_prefix(leaf->path, inside))
            continue;
        all++;
        if (shown >= VALUES_MOST)
            continue;
        const char *rest = g_str_equal(leaf->path, path) ? "" : leaf->path;
        g_autofree char *text =
            g_strdup_printf("%.10g%s%s", leaf->value, rest[0] ? "  " : "", rest);
        add_text(out, shown++ ? "" : "value", text);
    }
    if (all > shown)
        g_string_append_printf(out, "%*s%u more: orrery run --json\n", LABEL, "", all - shown);
    if (all == 0)
        add_text(out, "value", "none: the answer of this scenario does not have it");
    return true;
}

static bool explain_in(GString *out, const char *path, const char *file, GError **error)
{
    g_autoptr(ScenScenario) scenario = scen_scenario_load(file, NULL, error);
    const ScenAnswerWants wants = {.json = true};
    g_autoptr(ScenAnswer) answer = scenario ? scen_answer_new(scenario, &wants, error) : NULL;
    if (!answer)
        return false;
    g_string_append_printf(out, "\nIn %s\n", file);
    if (!add_values(out, answer->json, path, error))
        return false;
    g_string_append_printf(out, "%*sfrom\n", INDENT, "");
    scen_provenance_append(out, scenario, path, answer->json);
    return true;
}

static void explain_figure(GString *out, const char *path, const ScenExplained *row,
                           const ScenExplainedTable *table, const char *aspect)
{
    g_autofree char *where = g_strdup_printf("%s; --json has it as %s%s%s%s", table->of, path,
                                             row->line ? ", the text under '" : "",
                                             row->line ? row->line : "", row->line ? "'" : "");
    g_string_append_printf(out, "%s\n", path);
    add_text(out, "is", row->definition);
    add_text(out, "of these", aspect);
    add_text(out, "formula", row->formula);
    add_text(out, "unit", scen_explain_unit(path));
    add_text(out, "source", row->source);
    add_text(out, "where", where);
}

/* The value of the key @path in @scenario, NULL where it has no text. The caller owns it. */
static char *key_value(const char *path, const ScenScenario *scenario)
{
    g_auto(GStrv) words = g_strsplit(path, ".", -1);
    const ScenTable *table = &scen_scenario_table;
    const char *slot = (const char *)scenario;
    for (char **word = words; table && *word; word++) {
        const ScenField *field = scen_table_field(table, *word);
        if (!field)
            return NULL;
        slot += field->offset;
        if (!word[1])
            return scen_field_text(field, slot);
        table = field->kind == SCEN_MAP || field->kind == SCEN_SECTION ? field->table : NULL;
    }
    return NULL;
}

static bool explain_key(GString *out, const char *path, const ScenKey *key, const char *file,
                        GError **error)
{
    g_string_append_printf(out, "%s\n", path);
    if (!key->field) {
        add_text(out, "is", "a key of scenarios: the row that the keys beside it change");
        return true;
    }
    g_autofree char *takes = scen_field_expected(key->field);
    g_autoptr(GPtrArray) names = scen_key_values(key->field);
    g_autofree char *is = g_strdup_printf("a key of scenarios: %s", key->field->help);
    g_ptr_array_add(names, NULL);
    g_autofree char *known = g_strjoinv(" ", (char **)names->pdata);
    add_text(out, "is", is);
    add_text(out, "takes", takes);
    add_text(out, "names", known[0] && !key->field->names ? known : NULL);
    add_text(out, "default", key->field->required ? "none: it is required" : key->field->fallback);
    if (!file)
        return true;
    g_autoptr(ScenScenario) scenario = scen_scenario_load(file, NULL, error);
    g_autofree char *value = scenario ? key_value(path, scenario) : NULL;
    g_string_append_printf(out, "\nIn %s\n", file);
    add_text(out, "value", value ? value : "no single value");
    return scenario;
}

static ScenExit unknown(const char *figure)
{
    g_autoptr(GPtrArray) known = scen_explain_names("");
    g_autoptr(GPtrArray) keys = scen_key_siblings(figure);
    for (guint i = 0; i < keys->len; i++)
        g_ptr_array_add(known, g_strndup(keys->pdata[i], strlen(keys->pdata[i]) - 1));
    const char *nearest = scen_names_nearest(figure, known);
    g_autofree char *advice =
        nearest ? g_strdup_printf(", did you mean '%s'?", nearest) : g_strdup("");
    return scen_options_wrong(&usage, "no figure and no key is called '%s'%s", figure, advice);
}

static ScenExit explain(const char *figure, const char *file)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *aspect = NULL;
    const ScenExplainedTable *table = NULL;
    const ScenExplained *row = scen_explain_find(figure, &table, &aspect);
    ScenKey key;
    bool is_key = !row && scen_key_find(figure, &key);
    const char *path = row || is_key ? figure : clear_name(figure);
    g_autofree char *group = g_strconcat(figure, ".", NULL);
    if (!path && !file && list_figures(group))
        return SCEN_EXIT_OK;
    if (!path)
        return unknown(figure);
    if (!row && !is_key)
        row = scen_explain_find(path, &table, &aspect);
    bool done = true;
    if (row)
        explain_figure(out, path, row, table, aspect);
    if (row && file)
        done = explain_in(out, path, file, &error);
    if (is_key)
        done = explain_key(out, path, &key, file, &error);
    if (!done)
        return scen_fail(error);
    fputs(out->str, stdout);
    return SCEN_EXIT_OK;
}

ScenExit scen_cmd_explain(int argc, char **argv)
{
    (void)argc;
    g_auto(GStrv) rest = NULL;
    const GOptionEntry entries[] = {
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL, NULL},
        {0                },
    };
    ScenExit status = SCEN_EXIT_OK;
    if (!scen_options_parse(&usage, entries, argv, &status))
        return status;
    guint count = rest ? g_strv_length(rest) : 0;
    if (count > 2)
        return scen_options_wrong(&usage, "takes a figure and a scenario, not %u words", count);
    if (count > 0)
        return explain(rest[0], rest[1]);
    list_figures("");
    return SCEN_EXIT_OK;
}

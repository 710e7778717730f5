/* A scenario in the making.
 *
 * A draft is a list of settings. Its YAML nests them by their dots, in the order in which groups
 * came first, and says beside each key what the loader's table says of it; so comments cannot be at
 * odds with what the key does. */
#include "scen_draft.h"

#include "scen_keys.h"
#include "scen_load.h"

#include <string.h>

enum { INDENT = 2, COMMENT_COLUMN = 34, LINE = 110 };

static void setting_clear(void *data)
{
    ScenDraftSetting *setting = data;
    g_free(setting->path);
    g_free(setting->value);
}

ScenDraft *scen_draft_new(void)
{
    ScenDraft *draft = g_new0(ScenDraft, 1);
    draft->settings = g_array_new(FALSE, FALSE, sizeof(ScenDraftSetting));
    g_array_set_clear_func(draft->settings, setting_clear);
    return draft;
}

void scen_draft_free(ScenDraft *draft)
{
    if (!draft)
        return;
    g_array_unref(draft->settings);
    g_free(draft);
}

ScenDraft *scen_draft_copy(const ScenDraft *draft)
{
    ScenDraft *copy = scen_draft_new();
    for (guint i = 0; i < draft->settings->len; i++) {
        const ScenDraftSetting *from = &g_array_index(draft->settings, ScenDraftSetting, i);
        ScenDraftSetting setting = {g_strdup(from->path), g_strdup(from->value)};
        g_array_append_val(copy->settings, setting);
    }
    return copy;
}

void scen_draft_put(ScenDraft *draft, const char *path, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *value = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    for (guint i = 0; i < draft->settings->len; i++) {
        ScenDraftSetting *setting = &g_array_index(draft->settings, ScenDraftSetting, i);
        if (g_str_equal(setting->path, path)) {
            g_free(setting->value);
            setting->value = value;
            return;
        }
    }
    ScenDraftSetting setting = {g_strdup(path), value};
    g_array_append_val(draft->settings, setting);
}

/* What the table says of @path, without the unit in which a quantity is kept: a draft has it with
 * the unit of its author. Empty when there is nothing to say. The caller owns it. */
static char *help_of(const char *path)
{
    ScenKey setting;
    if (!scen_key_find(path, &setting))
        return g_strdup("");
    if (!setting.field)
        return g_strdup("the row that the keys beside it change");
    if (setting.field->kind != SCEN_QUANTITY)
        return g_strdup(setting.field->help);
    g_autoptr(GRegex) unit =
        g_regex_new(",? ?\\bin (s|1/s|bytes(/s)?|Hz|W|m|USD.*)\\b", 0, 0, NULL);
    return g_regex_replace(unit, setting.field->help, -1, 0, "", 0, NULL);
}

/* Adds the line of @key, whose path is @path; @value is NULL of a group. A comment that makes it too
 * long goes above it. */
static void add_line(GString *text, int depth, const char *path, const char *key, const char *value)
{
    g_autofree char *help = help_of(path);
    g_autofree char *line = g_strdup_printf("%*s%s:%s%s", depth * INDENT, "", key, value ? " " : "",
                                            value ? value : "");
    int gap = MAX(2, COMMENT_COLUMN - (int)strlen(line));
    if (!help[0])
        g_string_append_printf(text, "%s\n", line);
    else if (strlen(line) + (gsize)gap + 2 + strlen(help) <= LINE)
        g_string_append_printf(text, "%s%*s# %s\n", line, gap, "", help);
    else
        g_string_append_printf(text, "%*s# %s\n%s\n", depth * INDENT, "", help, line);
}

/* The part of @path after @prefix and up to the next dot, NULL when it does not start so. */
static char *next_word(const char *path, const char *prefix)
{
    gsize length = strlen(prefix);
    if (strncmp(path, prefix, length) != 0)
        return NULL;
    return g_strndup(path + length, strcspn(path + length, "."));
}

static void add_group(const ScenDraft *draft, GString *text, const char *prefix, int depth)
{
    g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < draft->settings->len; i++) {
        const ScenDraftSetting *setting = &g_array_index(draft->settings, ScenDraftSetting, i);
        char *word = next_word(setting->path, prefix);
        if (!word || g_ptr_array_find_with_equal_func(done, word, g_str_equal, NULL)) {
            g_free(word);
            continue;
        }
        g_ptr_array_add(done, word);
        g_autofree char *path = g_strconcat(prefix, word, NULL);
        bool is_group = !g_str_equal(path, setting->path);
        add_line(text, depth, path, word, is_group ? NULL : setting->value);
        g_autofree char *inner = g_strconcat(path, ".", NULL);
        if (is_group)
            add_group(draft, text, inner, depth + 1);
    }
}

char *scen_draft_text(const ScenDraft *draft)
{
    GString *text = g_string_new(NULL);
    add_group(draft, text, "", 0);
    return g_string_free(text, FALSE);
}

char *scen_draft_offer(const char *key, const char *value)
{
    g_autoptr(GString) line = g_string_new(NULL);
    add_line(line, 0, key, key, value);
    g_auto(GStrv) lines = g_strsplit(g_strchomp(line->str), "\n", -1);
    g_autofree char *joined = g_strjoinv("\n# ", lines);
    return g_strdup_printf("# %s\n", joined);
}

ScenScenario *scen_draft_load(const ScenDraft *draft, GError **error)
{
    g_autofree char *text = scen_draft_text(draft);
    const ScenLoadOptions options = {0};
    return scen_scenario_parse("new.yaml", text, strlen(text), &options, error);
}

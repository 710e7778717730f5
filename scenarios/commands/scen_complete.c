/* Answers for the shells, from what the commands say of themselves.
 *
 * An option's value is told by its entry: a file or folder by the kind of the argument and its word
 * in the help (DIR), names by "orrery list KIND" in its description, alternatives by bars (on|off),
 * a setting by KEY=VALUE. An argument is told by the word of the usage at its place: SCENARIO.yaml,
 * [KIND], TRACE.csv. So a command needs nothing but its table. */
#include "scen_complete.h"

#include "scen_explain.h"
#include "scen_keys.h"
#include "scen_list.h"

#include <stdio.h>
#include <string.h>

/* Prints @prefix and each of @candidates if they start with @word. */
static void print_candidates(const GPtrArray *candidates, const char *prefix, const char *word)
{
    for (guint i = 0; i < candidates->len; i++) {
        g_autofree char *whole = g_strconcat(prefix, candidates->pdata[i], NULL);
        if (g_str_has_prefix(whole, word))
            puts(whole);
    }
}

static void print_split(const char *alternatives, const char *prefix, const char *word)
{
    g_auto(GStrv) parts = g_strsplit(alternatives, "|", -1);
    for (char **part = parts; *part; part++) {
        g_autofree char *whole = g_strconcat(prefix, *part, NULL);
        if (g_str_has_prefix(whole, word))
            puts(whole);
    }
}

/* KEY=VALUE: keys until there is a "=", then values. */
static void print_settings(const char *prefix, const char *word)
{
    const char *setting = word + strlen(prefix);
    const char *equals = strchr(setting, '=');
    if (!equals) {
        g_autoptr(GPtrArray) keys = scen_key_siblings(setting);
        print_candidates(keys, prefix, word);
        return;
    }
    g_autofree char *key = g_strndup(setting, (gsize)(equals - setting));
    g_autofree char *before = g_strconcat(prefix, key, "=", NULL);
    ScenKey found;
    if (!scen_key_find(key, &found) || !found.field)
        return;
    g_autoptr(GPtrArray) values = scen_key_values(found.field);
    print_candidates(values, before, word);
}

static void print_kind(const char *kind, const char *prefix, const char *word)
{
    g_autoptr(GPtrArray) names = scen_list_names(kind, NULL);
    if (names)
        print_candidates(names, prefix, word);
}

/* The value of @entry, which follows @prefix in @word. */
static void print_value(const GOptionEntry *entry, const char *prefix, const char *word)
{
    const char *shown = entry->arg_description ? entry->arg_description : "";
    bool files = entry->arg == G_OPTION_ARG_FILENAME || entry->arg == G_OPTION_ARG_FILENAME_ARRAY;
    g_autofree char *kind = scen_list_told_in(entry->description);
    if (g_str_equal(shown, "KEY=VALUE"))
        print_settings(prefix, word);
    else if (files && g_str_equal(shown, "DIR"))
        puts("@folders");
    else if (files)
        printf("@files%s\n", g_str_has_suffix(shown, ".json") ? " json" : "");
    else if (strchr(shown, '|'))
        print_split(shown, prefix, word);
    else if (kind)
        print_kind(kind, prefix, word);
}

static bool takes_value(const GOptionEntry *entry)
{
    return entry->arg != G_OPTION_ARG_NONE;
}

/* The entry that @word spells, up to a "=" in it; NULL when it is none. */
static const GOptionEntry *entry_of(const GOptionEntry *entries, const char *word)
{
    if (word[0] != '-' || word[1] == '\0')
        return NULL;
    g_autofree char *name = g_strndup(word + 2, strcspn(word + 2, "="));
    for (; entries->long_name; entries++) {
        bool is_long =
            word[1] == '-' && entries->long_name[0] && g_str_equal(entries->long_name, name);
        bool is_short = word[1] != '-' && word[1] == entries->short_name && word[2] == '\0';
        if (is_long || is_short)
            return entries;
    }
    return NULL;
}

static void print_options(const GOptionEntry *entries, const char *word)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (; entries->long_name; entries++)
        if (entries->long_name[0] && !(entries->flags & G_OPTION_FLAG_HIDDEN))
            g_ptr_array_add(names, g_strconcat("--", entries->long_name, NULL));
    g_ptr_array_add(names, g_strdup("--help"));
    print_candidates(names, "", word);
}

/* The word of @usage that stands for argument @place; the last one goes on. */
static char *usage_word(const ScenUsage *usage, guint place)
{
    g_auto(GStrv) words = g_strsplit(usage->arguments, " ", -1);
    guint count = g_strv_length(words);
    return g_strdup(count ? words[MIN(place, count - 1)] : "");
}

/* The ending of files that a word of usage asks for: "yaml" of "SCENARIO.yaml..."; or NULL. */
static char *ending_of(const char *shown)
{
    static const char small[] = "abcdefghijklmnopqrstuvwxyz";
    const char *dot = strchr(shown, '.');
    size_t length = dot ? strspn(dot + 1, small) : 0;
    if (length > 0)
        return g_strndup(dot + 1, length);
    return strstr(shown, "CSV") ? g_strdup("csv") : NULL;
}

/* Figures, and keys of scenarios. */
static GPtrArray *figures_and_keys(const char *word)
{
    GPtrArray *names = scen_explain_names(word);
    g_autoptr(GPtrArray) keys = scen_key_siblings(word);
    for (guint i = 0; i < keys->len; i++)
        g_ptr_array_add(names, g_strdelimit(g_strdup(keys->pdata[i]), "=", '\0'));
    return names;
}

static void print_argument(const ScenUsage *usage, guint place, const char *word)
{
    g_autofree char *shown = usage_word(usage, place);
    g_autofree char *ending = ending_of(shown);
    g_autoptr(GPtrArray) names = NULL;
    if (ending)
        printf("@files %s %s.gz\n", ending, ending);
    else if (strchr(shown, '|'))
        print_split(shown, "", word);
    else if (strstr(shown, "DIR"))
        puts("@folders");
    else if (strstr(shown, "KIND"))
        names = scen_list_kinds();
    else if (strstr(shown, "FIGURE"))
        names = figures_and_keys(word);
    if (names)
        print_candidates(names, "", word);
}

void scen_complete_command(const ScenUsage *usage, const GOptionEntry *entries, char *const *words)
{
    guint place = 0;
    const GOptionEntry *open = NULL; /* the option whose value comes next */
    bool plain = false;              /* after "--" */
    for (; words[1]; words++) {
        const GOptionEntry *entry = open || plain ? NULL : entry_of(entries, words[0]);
        bool is_dashes = !open && !plain && g_str_equal(words[0], "--");
        place += !open && !entry && !is_dashes && words[0][0] != '-';
        open = entry && takes_value(entry) && !strchr(words[0], '=') ? entry : NULL;
        plain = plain || is_dashes;
    }
    const char *word = words[0], *equals = strchr(word, '=');
    const GOptionEntry *own = plain || !equals ? NULL : entry_of(entries, word);
    g_autofree char *prefix = equals ? g_strndup(word, (gsize)(equals - word) + 1) : g_strdup("");
    if (open)
        print_value(open, "", word);
    else if (own && takes_value(own))
        print_value(own, prefix, word);
    else if (word[0] == '-' && !plain)
        print_options(entries, word);
    else
        print_argument(usage, place, word);
}

void scen_complete_name(const ScenCommand *commands, size_t count, const char *word)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (size_t i = 0; i < count; i++)
        g_ptr_array_add(names, (void *)commands[i].name);
    g_ptr_array_add(names, (void *)"help");
    if (word[0] == '-') {
        g_ptr_array_add(names, (void *)"--help");
        g_ptr_array_add(names, (void *)"--version");
    }
    print_candidates(names, "", word);
}

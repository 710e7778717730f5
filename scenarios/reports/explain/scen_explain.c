/* Finding the row of a figure.
 *
 * A path is looked up as it is; failing that its end may say which aspect of a figure it is (a
 * quantile, an end of an interval), which is taken off, and so on. A "*" of a row stands for one word,
 * or at its end for one and more: names of causes and stages, places in lists. */
#include "scen_explain.h"

#include <stdbool.h>
#include <string.h>

const ScenExplainedTable *const *scen_explain_tables(size_t *count)
{
    static const ScenExplainedTable *const tables[] = {
        &scen_explain_training, &scen_explain_memory, &scen_explain_serving, &scen_explain_failures,
        &scen_explain_campaign, &scen_explain_queue,  &scen_explain_replay,
    };
    *count = G_N_ELEMENTS(tables);
    return tables;
}

static bool matches(char **pattern, char **words)
{
    for (; *pattern && *words; pattern++, words++) {
        bool any = g_str_equal(*pattern, "*");
        bool part = !any && g_str_has_suffix(*pattern, "*") &&
                    strncmp(*pattern, *words, strlen(*pattern) - 1) == 0;
        if (any && !pattern[1])
            return true;
        if (!any && !part && !g_str_equal(*pattern, *words))
            return false;
    }
    return !*pattern && !*words;
}

/* The row of @words: one that spells them out before one with a "*". */
static const ScenExplained *find_row(char **words, const ScenExplainedTable **table)
{
    const ScenExplained *found = NULL;
    gsize most = 0;
    size_t count = 0;
    const ScenExplainedTable *const *tables = scen_explain_tables(&count);
    for (size_t t = 0; t < count; t++)
        for (size_t i = 0; i < tables[t]->count; i++) {
            const ScenExplained *row = &tables[t]->rows[i];
            g_auto(GStrv) pattern = g_strsplit(row->path, ".", -1);
            gsize spelled = strlen(row->path) + (strchr(row->path, '*') ? 0 : 1000);
            if (spelled > most && matches(pattern, words)) {
                most = spelled;
                found = row;
                *table = tables[t];
            }
        }
    return found;
}

/* What the last word of a path says beyond the figure, NULL when it is part of its name. */
static char *aspect_of(const char *word)
{
    static const struct {
        const char *word, *says;
    } aspects[] = {
        {"mean",     "the mean of them"                                                    },
        {"max",      "the largest of them"                                                 },
        {"low",      "lower end of the 90 % confidence interval of the mean over histories"},
        {"high",     "upper end of the 90 % confidence interval of the mean over histories"},
        {"interval", "90 % confidence interval of the mean over histories, [low, high]"    },
        {"range_95", "range that holds 95 % of the single histories, [low, high]"          },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(aspects); i++)
        if (g_str_equal(aspects[i].word, word))
            return g_strdup(aspects[i].says);
    if (g_str_has_suffix(word, "_interval"))
        return g_strdup_printf("[low, high] of %.*s, with 90 %% confidence for the error of "
                               "iteration times alone",
                               (int)(strlen(word) - strlen("_interval")), word);
    if (word[0] == 'p' && g_ascii_isdigit(word[1]))
        return g_strdup_printf("%s %% of them are no larger", word + 1);
    return word[0] == '0' || word[0] == '*' ? g_strdup("its lower end")
           : word[0] == '1'                 ? g_strdup("its upper end")
                                            : NULL;
}

const ScenExplained *scen_explain_find(const char *path, const ScenExplainedTable **table,
                                       char **aspect)
{
    g_auto(GStrv) words = g_strsplit(path, ".", -1);
    g_autofree char *said = NULL;
    const ScenExplainedTable *of = NULL;
    const ScenExplained *row = find_row(words, &of);
    for (guint last = g_strv_length(words); !row && last > 1; last--) {
        g_autofree char *more = aspect_of(words[last - 1]);
        if (!more)
            return NULL;
        char *both = said ? g_strdup_printf("%s; %s", more, said) : g_steal_pointer(&more);
        g_free(said);
        said = both;
        g_clear_pointer(&words[last - 1], g_free);
        row = find_row(words, &of);
    }
    if (row && table)
        *table = of;
    if (row && aspect)
        *aspect = g_steal_pointer(&said);
    return row;
}

const char *scen_explain_unit(const char *path)
{
    static const struct {
        const char *end, *unit;
    } units[] = {
        {"flop_per_s_per_gpu",   "FLOP/s a GPU"               },
        {"tokens_per_s_per_gpu", "tokens/s a GPU"             },
        {"tokens_per_s",         "tokens/s"                   },
        {"requests_per_s",       "requests/s"                 },
        {"bytes_per_s",          "bytes/s"                    },
        {"per_s",                "1/s"                        },
        {"gpu_s",                "GPU-seconds"                },
        {"gpu_hours",            "GPU-hours"                  },
        {"fraction",             "1 (a fraction)"             },
        {"bytes",                "bytes"                      },
        {"tokens",               "tokens"                     },
        {"kwh",                  "kWh"                        },
        {"usd_per_gpu_hour",     "US dollars a GPU-hour"      },
        {"usd_per_day",          "US dollars a day"           },
        {"_tokens_within_slo",   "US dollars a million tokens"},
        {"days",                 "days"                       },
        {"usd",                  "US dollars"                 },
        {"usd_total",            "US dollars"                 },
        {"usd_lost",             "US dollars"                 },
        {"usd_energy",           "US dollars"                 },
        {"_s",                   "seconds"                    },
    };
    g_auto(GStrv) words = g_strsplit(path, ".", -1);
    for (guint w = g_strv_length(words); w > 0; w--) {
        if (strstr(words[w - 1], "usd_per_million"))
            return "US dollars a million tokens";
        for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
            if (g_str_has_suffix(words[w - 1], units[i].end))
                return units[i].unit;
    }
    return "1 (a number)";
}

GPtrArray *scen_explain_names(const char *prefix)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    size_t count = 0;
    const ScenExplainedTable *const *tables = scen_explain_tables(&count);
    for (size_t t = 0; t < count; t++)
        for (size_t i = 0; i < tables[t]->count; i++)
            if (g_str_has_prefix(tables[t]->rows[i].path, prefix))
                g_ptr_array_add(names, g_strdup(tables[t]->rows[i].path));
    return names;
}

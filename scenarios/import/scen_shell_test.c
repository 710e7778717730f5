/* The conditions of a shell script: [ ... ], [[ ... ]] and test.
 *
 * Terms compare texts (= == !=) and whole numbers (-eq and its like), or ask whether a text is
 * empty (-z, -n); && || -a -o connect them from the left, ! turns them over. What else there is
 * (files, patterns) cannot be told without the machine. Three truths: unknown and no is no, unknown
 * or yes is yes, all else with unknown is unknown. */
#include "scen_shell_private.h"

#include <string.h>

ScenShellTruth scen_shell_not(ScenShellTruth truth)
{
    return truth == SCEN_SHELL_UNKNOWN ? SCEN_SHELL_UNKNOWN
           : truth == SCEN_SHELL_YES   ? SCEN_SHELL_NO
                                       : SCEN_SHELL_YES;
}

static ScenShellTruth compare(const char *left, const char *op, const char *right)
{
    static const char *const numeric[] = {"-eq", "-ne", "-gt", "-ge", "-lt", "-le"};
    gint64 a = g_ascii_strtoll(left, NULL, 10), b = g_ascii_strtoll(right, NULL, 10);
    bool holds[] = {a == b, a != b, a > b, a >= b, a < b, a <= b};
    if (g_str_equal(op, "=") || g_str_equal(op, "=="))
        return g_str_equal(left, right) ? SCEN_SHELL_YES : SCEN_SHELL_NO;
    if (g_str_equal(op, "!="))
        return g_str_equal(left, right) ? SCEN_SHELL_NO : SCEN_SHELL_YES;
    for (size_t i = 0; i < G_N_ELEMENTS(numeric); i++)
        if (g_str_equal(op, numeric[i]))
            return holds[i] ? SCEN_SHELL_YES : SCEN_SHELL_NO;
    return SCEN_SHELL_UNKNOWN;
}

/* One test of the words from @from to before @to. */
static ScenShellTruth test_term(char **words, guint from, guint to)
{
    bool negated = from < to && g_str_equal(words[from], "!");
    from += negated;
    ScenShellTruth truth = SCEN_SHELL_UNKNOWN;
    if (to - from == 1)
        truth = *words[from] ? SCEN_SHELL_YES : SCEN_SHELL_NO;
    else if (to - from == 2 && g_str_equal(words[from], "-n"))
        truth = *words[from + 1] ? SCEN_SHELL_YES : SCEN_SHELL_NO;
    else if (to - from == 2 && g_str_equal(words[from], "-z"))
        truth = *words[from + 1] ? SCEN_SHELL_NO : SCEN_SHELL_YES;
    else if (to - from == 3)
        truth = compare(words[from], words[from + 1], words[from + 2]);
    return negated ? scen_shell_not(truth) : truth;
}

ScenShellTruth scen_shell_test(ScenShellVars *vars, const GArray *raw, bool *failed)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < raw->len; i++) {
        char *text = scen_shell_expand_one(vars, &g_array_index(raw, ScenShellWord, i));
        *failed = *failed || !text;
        g_ptr_array_add(words, text ? text : g_strdup(""));
    }
    char **list = (char **)words->pdata;
    guint end = words->len;
    if (end > 1 && list[end - 1][0] == ']')
        end--;
    ScenShellTruth so_far = SCEN_SHELL_YES;
    bool either = false;
    for (guint from = 1, to = 1; to <= end; to++) {
        bool is_and = to < end && (g_str_equal(list[to], "&&") || g_str_equal(list[to], "-a"));
        bool is_or = to < end && (g_str_equal(list[to], "||") || g_str_equal(list[to], "-o"));
        if (to < end && !is_and && !is_or)
            continue;
        ScenShellTruth term = test_term(list, from, to);
        if (either)
            so_far = so_far == SCEN_SHELL_YES || term == SCEN_SHELL_YES ? SCEN_SHELL_YES
                     : so_far == SCEN_SHELL_NO                          ? term
                                                                        : so_far;
        else
            so_far = so_far == SCEN_SHELL_NO || term == SCEN_SHELL_NO ? SCEN_SHELL_NO
                     : so_far == SCEN_SHELL_YES                       ? term
                                                                      : so_far;
        either = is_or;
        from = to + 1;
    }
    return so_far;
}

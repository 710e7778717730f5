/* The screen and the JSON of `orrery compare`: a column a scenario, and behind each but the first
 * its difference to that. */
#include "scen_compare_report.h"

#include "scen_difference.h"
#include "scen_json.h"
#include "scen_text.h"

#include <math.h>

enum { LABEL = 34 };

static void add_value(GString *out, double value)
{
    if (isnan(value))
        g_string_append_printf(out, "%12s", "-");
    else
        g_string_append_printf(out, "%12.*f", fabs(value) < 100.0 ? 3 : 1, value);
}

static void add_figures(GString *out, const ScenComparison *c)
{
    for (guint f = 0; f < c->figures->len; f++) {
        const ScenComparedFigure *figure = &g_array_index(c->figures, ScenComparedFigure, f);
        g_string_append_printf(out, "%-*s", LABEL, figure->text);
        for (guint i = 0; i < c->count; i++) {
            double value = figure->values[i] * figure->scale;
            double first = figure->values[0] * figure->scale;
            add_value(out, value);
            if (i > 0 && first > 0.0 && !isnan(value))
                g_string_append_printf(out, " %+8.2f %%", 100.0 * (value / first - 1.0));
            else if (i > 0)
                g_string_append_printf(out, " %10s", "-");
        }
        g_string_append_c(out, '\n');
    }
}

/* GPU-seconds that take more digits than a column has are printed as hours. */
static bool is_long(const ScenComparison *c)
{
    return c->total_gpu_s[0] > 1e7;
}

static void add_account(GString *out, const ScenComparison *c, const char *text,
                        const double *gpu_s)
{
    double unit_s = is_long(c) ? 3600.0 : 1.0;
    int decimals = c->total_gpu_s[0] > 1e5 ? 0 : 3;
    g_string_append_printf(out, "%-*s", LABEL, text);
    for (guint i = 0; i < c->count; i++) {
        g_string_append_printf(out, "%12.*f %5.1f %%", decimals, gpu_s[i] / unit_s,
                               100.0 * gpu_s[i] / c->total_gpu_s[i]);
        if (i > 0)
            g_string_append_printf(out, " %+12.*f", decimals, (gpu_s[i] - gpu_s[0]) / unit_s);
    }
    g_string_append_c(out, '\n');
}

static bool is_empty(const ScenComparison *c, const ScenComparedAccount *account)
{
    for (guint i = 0; i < c->count; i++)
        if (account->gpu_s[i] > 0.0)
            return false;
    return true;
}

static void add_accounts(GString *out, const ScenComparison *c)
{
    g_string_append_printf(out, "\nGPU-%s, share, and difference to the first\n",
                           is_long(c) ? "hours" : "seconds");
    for (guint a = 0; a < c->accounts->len; a++) {
        const ScenComparedAccount *account = &g_array_index(c->accounts, ScenComparedAccount, a);
        if (!is_empty(c, account))
            add_account(out, c, account->text, account->gpu_s);
    }
    add_account(out, c, "all", c->total_gpu_s);
}

static void add_differences(GString *out, const ScenComparison *c)
{
    g_string_append(out, c->differences->len > 0 ? "\nWhat differs\n" : "\nNothing differs\n");
    for (guint d = 0; d < c->differences->len; d++) {
        const ScenDifference *row = &g_array_index(c->differences, ScenDifference, d);
        g_autoptr(GString) line = g_string_new(row->key);
        for (guint i = 0; i < c->count; i++)
            g_string_append_printf(line, "%s%s", i == 0 ? ": " : " | ",
                                   scen_difference_value(row, i));
        g_string_append(out, "  ");
        scen_text_wrap(out, line->str, 2, 4);
    }
}

char *scen_compare_text(const ScenComparison *c)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < c->count; i++)
        g_string_append_printf(out, "%c  %s\n", 'A' + (int)i, c->names[i]);
    g_string_append_printf(out, "\n%-*s", LABEL, c->kind);
    for (guint i = 0; i < c->count; i++)
        g_string_append_printf(out, "%12c%s", 'A' + (int)i, i > 0 ? "     to A  " : "");
    while (out->str[out->len - 1] == ' ')
        g_string_truncate(out, out->len - 1);
    g_string_append_c(out, '\n');
    add_figures(out, c);
    add_accounts(out, c);
    add_differences(out, c);
    for (guint i = 0; i < c->verdicts->len; i++) {
        g_string_append_c(out, '\n');
        scen_text_wrap(out, c->verdicts->pdata[i], 0, 0);
    }
    return g_string_free(out, FALSE);
}

/* NaN is null. */
static void add_list(JsonBuilder *json, const char *key, const double *values, guint count)
{
    json_builder_set_member_name(json, key);
    json_builder_begin_array(json);
    for (guint i = 0; i < count; i++) {
        if (isfinite(values[i]))
            json_builder_add_double_value(json, values[i]);
        else
            json_builder_add_null_value(json);
    }
    json_builder_end_array(json);
}

static void add_texts(JsonBuilder *json, const char *key, const ScenDifference *row, guint count)
{
    json_builder_set_member_name(json, key);
    json_builder_begin_array(json);
    for (guint i = 0; i < count; i++)
        json_builder_add_string_value(json, scen_difference_value(row, i));
    json_builder_end_array(json);
}

static void open_object(JsonBuilder *json, const char *key)
{
    json_builder_set_member_name(json, key);
    json_builder_begin_object(json);
}

char *scen_compare_json(const ScenComparison *c)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    scen_json_integer(json, "schema", 1);
    scen_json_text(json, "kind", c->kind);
    json_builder_set_member_name(json, "scenarios");
    json_builder_begin_array(json);
    for (guint i = 0; i < c->count; i++)
        json_builder_add_string_value(json, c->names[i]);
    json_builder_end_array(json);
    open_object(json, "figures");
    for (guint f = 0; f < c->figures->len; f++) {
        const ScenComparedFigure *figure = &g_array_index(c->figures, ScenComparedFigure, f);
        add_list(json, figure->key, figure->values, c->count);
    }
    json_builder_end_object(json);
    open_object(json, "ledger_gpu_s");
    for (guint a = 0; a < c->accounts->len; a++) {
        const ScenComparedAccount *account = &g_array_index(c->accounts, ScenComparedAccount, a);
        add_list(json, account->key, account->gpu_s, c->count);
    }
    json_builder_end_object(json);
    add_list(json, "total_gpu_s", c->total_gpu_s, c->count);
    open_object(json, "differences");
    for (guint d = 0; d < c->differences->len; d++) {
        const ScenDifference *row = &g_array_index(c->differences, ScenDifference, d);
        add_texts(json, row->key, row, c->count);
    }
    json_builder_end_object(json);
    json_builder_set_member_name(json, "verdicts");
    json_builder_begin_array(json);
    for (guint i = 0; i < c->verdicts->len; i++)
        json_builder_add_string_value(json, c->verdicts->pdata[i]);
    json_builder_end_array(json);
    json_builder_end_object(json);
    return scen_json_finish(json);
}

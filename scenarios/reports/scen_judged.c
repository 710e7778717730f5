/* Figures of failures: a line each, with what was published, what was simulated, how near is met,
 * and what the figure hangs on. A row (a scenario) is within when all its figures are. Figures that
 * only come out as they went in are told apart, for they say nothing but that the arithmetic holds.
 */
#include "scen_judged.h"

#include "scen_json.h"
#include "scen_text.h"

#include <math.h>
#include <string.h>

enum { LEAST_WIDTH = 16, MOST_WIDTH = 26, FIGURE_MOST = 46, LABEL = 13 };

static void row_clear(void *data)
{
    ScenJudgedRow *row = data;
    char *texts[] = {row->id,        row->source,    row->note, row->figure,
                     row->published, row->tolerance, row->said};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
}

GArray *scen_judged_rows_new(void)
{
    GArray *rows = g_array_new(FALSE, TRUE, sizeof(ScenJudgedRow));
    g_array_set_clear_func(rows, row_clear);
    return rows;
}

static char *figure_text(const ScenFigure *figure)
{
    return g_strconcat(scen_figure_key(figure->kind), figure->of ? " of " : "",
                       figure->of ? figure->of : "", figure->name ? ", " : "",
                       figure->name ? figure->name : "", NULL);
}

static char *published_text(const ScenFigure *figure)
{
    if (figure->published_text)
        return g_strdup(figure->published_text);
    if (figure->least_text && figure->most_text)
        return g_strdup_printf("%s to %s", figure->least_text, figure->most_text);
    return figure->least_text ? g_strdup_printf(">= %s", figure->least_text)
                              : g_strdup_printf("<= %s", figure->most_text);
}

/* @value in the unit in which the source has it. */
static char *simulated_text(const ScenFigure *figure, double value)
{
    const char *written = figure->published_text ? figure->published_text
                          : figure->least_text   ? figure->least_text
                                                 : figure->most_text;
    const char *unit = written + strspn(written, "0123456789.eE+- ");
    double scale = 1.0;
    g_autofree char *one = g_strconcat("1 ", unit, NULL);
    if (!scen_figure_is_time(figure) || !scen_quantity_parse(one, SCEN_TIME_S, &scale, NULL))
        return g_strdup_printf("%.5g", value);
    return g_strdup_printf("%.4g %s", value / scale, unit);
}

static char *tolerance_text(const ScenFigure *figure)
{
    if (!figure->tolerance_text)
        return g_strdup("");
    bool is_number = g_ascii_isdigit(figure->tolerance_text[0]);
    return g_strconcat(is_number ? "+-" : "", figure->tolerance_text, NULL);
}

void scen_judged_rows_add(GArray *rows, const ScenScenario *scenario, const GArray *judgements)
{
    const ScenExpect *expect = &scenario->expect;
    for (guint i = 0; i < judgements->len; i++) {
        const ScenJudgement *judgement = &g_array_index(judgements, ScenJudgement, i);
        const ScenFigure *figure = judgement->figure;
        ScenJudgedRow row = {
            .id = g_strdup(scenario->name),
            .source = g_strdup(expect->source ? expect->source : "unknown"),
            .note = g_strdup(scenario->description),
            .figure = figure_text(figure),
            .published = published_text(figure),
            .tolerance = tolerance_text(figure),
            .said = simulated_text(figure, judgement->simulated),
            .kind = figure->kind,
            .basis = figure->basis,
            .simulated = judgement->simulated,
            .least = figure->least,
            .most = figure->most,
            .is_within = judgement->is_within,
            .own_tolerance = figure->own_tolerance,
        };
        g_array_append_val(rows, row);
    }
}

static const ScenJudgedRow *row_of(const GArray *rows, guint i)
{
    return &g_array_index(rows, ScenJudgedRow, i);
}

/* Does a row of a scenario begin at @i? */
static bool begins(const GArray *rows, guint i)
{
    return i == 0 || !g_str_equal(row_of(rows, i)->id, row_of(rows, i - 1)->id);
}

static bool is_row_within(const GArray *rows, guint first)
{
    bool within = row_of(rows, first)->is_within;
    for (guint i = first + 1; i < rows->len && !begins(rows, i); i++)
        within = within && row_of(rows, i)->is_within;
    return within;
}

/* Rows of scenarios, or figures of @basis; *@within of them are. */
static guint count_rows(const GArray *rows, guint *within)
{
    guint count = 0;
    *within = 0;
    for (guint i = 0; i < rows->len; i++) {
        count += begins(rows, i);
        *within += begins(rows, i) && is_row_within(rows, i);
    }
    return count;
}

static guint count_figures(const GArray *rows, int basis, guint *within)
{
    guint count = 0;
    *within = 0;
    for (guint i = 0; i < rows->len; i++) {
        const ScenJudgedRow *row = row_of(rows, i);
        bool counts = basis == SCEN_BASIS_COUNT || (int)row->basis == basis;
        count += counts;
        *within += counts && row->is_within;
    }
    return count;
}

static void add_totals(GString *out, const GArray *rows)
{
    guint within, count = count_rows(rows, &within);
    g_string_append_printf(out, "\nwithin tolerance: %u of %u rows", within, count);
    count = count_figures(rows, SCEN_BASIS_COUNT, &within);
    g_string_append_printf(out, ", %u of %u figures", within, count);
    for (int b = 0; b < SCEN_BASIS_COUNT; b++) {
        count = count_figures(rows, b, &within);
        g_string_append_printf(out, "%s %s %u of %u", b == 0 ? ":" : ",",
                               scen_basis_name((ScenBasis)b), within, count);
    }
    g_string_append_c(out, '\n');
    scen_text_wrap(out,
                   "* outside; o the source states no tolerance, so this one is the scenario's. "
                   "predicted: from published inputs or another fleet's; assumed: hangs on what "
                   "the scenario says that it assumes; input: goes in and comes out again",
                   0, 0);
}

void scen_judged_text(GString *out, const GArray *rows, bool verbose)
{
    size_t width = LEAST_WIDTH, figures = LEAST_WIDTH;
    if (rows->len == 0)
        return;
    for (guint i = 0; i < rows->len; i++) {
        width = MAX(width, strlen(row_of(rows, i)->id));
        figures = MAX(figures, strlen(row_of(rows, i)->figure));
    }
    int column = (int)MIN(width, MOST_WIDTH), middle = (int)MIN(figures, FIGURE_MOST);
    g_string_append_printf(out, "%-*s %-*s %12s %11s  %-9s basis\n", column, "failures", middle,
                           "figure", "published", "simulated", "tolerance");
    for (guint i = 0; i < rows->len; i++) {
        const ScenJudgedRow *row = row_of(rows, i);
        g_autofree char *tolerance =
            g_strconcat(row->tolerance, row->own_tolerance ? " o" : "", NULL);
        g_string_append_printf(out, "%-*s %-*s %12s %11s%s %-9s %s\n", column,
                               begins(rows, i) ? row->id : "", middle, row->figure, row->published,
                               row->said, row->is_within ? " " : "*", tolerance,
                               scen_basis_name(row->basis));
        if (verbose && begins(rows, i) && row->note) {
            g_string_append(out, "    ");
            scen_text_wrap(out, row->note, 4, 4);
        }
    }
    add_totals(out, rows);
}

void scen_judged_run_text(GString *out, const GArray *rows)
{
    for (guint i = 0; i < rows->len; i++) {
        const ScenJudgedRow *row = row_of(rows, i);
        g_autofree char *text =
            g_strdup_printf("%s %s%s%s: here %s, %s (%s)", row->figure, row->published,
                            row->tolerance[0] ? ", tolerance " : "", row->tolerance, row->said,
                            row->is_within ? "within" : "outside", scen_basis_name(row->basis));
        g_string_append_printf(out, "%-*s", LABEL, i == 0 ? "Published" : "");
        scen_text_wrap(out, text, LABEL, LABEL);
    }
    if (rows->len > 0) {
        g_string_append_printf(out, "%-*s", LABEL, "");
        scen_text_wrap(out, row_of(rows, 0)->source, LABEL, LABEL);
    }
}

void scen_judged_definitions(GString *out, const GArray *rows)
{
    for (int k = 0; k < SCEN_FIGURE_COUNT; k++) {
        bool is_used = false;
        for (guint i = 0; i < rows->len; i++)
            is_used = is_used || (int)row_of(rows, i)->kind == k;
        g_autofree char *text = g_strdup_printf("%s: %s", scen_figure_key((ScenFigureKind)k),
                                                scen_figure_definition((ScenFigureKind)k));
        if (is_used)
            scen_text_wrap(out, text, 0, 4);
    }
}

void scen_judged_json(JsonBuilder *json, const GArray *rows)
{
    for (guint i = 0; i < rows->len; i++) {
        const ScenJudgedRow *row = row_of(rows, i);
        json_builder_begin_object(json);
        scen_json_text(json, "id", row->id);
        scen_json_text(json, "source", row->source);
        scen_json_text(json, "metric", scen_figure_key(row->kind));
        scen_json_text(json, "figure", row->figure);
        scen_json_number(json, "predicted", row->simulated);
        scen_json_text(json, "published", row->published);
        scen_json_text(json, "tolerance", row->tolerance);
        scen_json_number(json, "least", row->least);
        scen_json_number(json, "most", row->most);
        scen_json_boolean(json, "within", row->is_within);
        scen_json_boolean(json, "own_tolerance", row->own_tolerance);
        scen_json_text(json, "basis", scen_basis_name(row->basis));
        scen_json_text(json, "assumptions", row->note ? row->note : "");
        json_builder_end_object(json);
    }
}

void scen_judged_member_json(JsonBuilder *json, const GArray *rows)
{
    if (!rows)
        return;
    json_builder_set_member_name(json, "published");
    json_builder_begin_array(json);
    scen_judged_json(json, rows);
    json_builder_end_array(json);
}

void scen_judged_summary_json(JsonBuilder *json, const GArray *rows)
{
    if (rows->len == 0)
        return;
    guint within, count = count_rows(rows, &within);
    json_builder_set_member_name(json, "failures");
    json_builder_begin_object(json);
    scen_json_integer(json, "rows", count);
    scen_json_integer(json, "rows_within", within);
    for (int b = 0; b <= SCEN_BASIS_COUNT; b++) {
        const char *of = b < SCEN_BASIS_COUNT ? scen_basis_name((ScenBasis)b) : "all";
        g_autofree char *all = g_strconcat("figures_", of, NULL);
        g_autofree char *met = g_strconcat("figures_", of, "_within", NULL);
        count = count_figures(rows, b, &within);
        scen_json_integer(json, all, count);
        scen_json_integer(json, met, within);
    }
    json_builder_end_object(json);
}

/* Which rows a long figure keeps, so that a page stays a page: at most SCEN_PAGE_ROWS_MAX.
 *   lines, steps, areas, scatter: every k-th row and the last one, k = ceil(rows / most);
 *   spans: the longest ones, as those are what a reader can see; what goes is said with its share
 *     of the time;
 *   others: the first rows, which the writer of the figure has put in order of weight.
 * What the chart shows and what the table shows are the same rows.
 */
#include "scen_page_private.h"

#include <stdlib.h>

typedef struct Span {
    guint row;
    double length;
} Span;

static double number_of(const ScenPageFigure *figure, int column, guint row)
{
    const ScenPageColumn *c = figure->columns->pdata[column];
    return g_array_index(c->numbers, double, row);
}

static int compare_lengths(const void *left, const void *right)
{
    const Span *a = left, *b = right;
    if (a->length != b->length)
        return a->length > b->length ? -1 : 1;
    return a->row < b->row ? -1 : 1;
}

static int compare_rows(const void *left, const void *right)
{
    const guint *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

static void keep_longest(const ScenPageFigure *figure, guint rows, GArray *kept, char **remark)
{
    int from = scen_page_role(figure, SCEN_PAGE_X), to = scen_page_role(figure, SCEN_PAGE_END);
    g_assert(from >= 0 && to >= 0);
    g_autofree Span *spans = g_new(Span, rows);
    double total = 0.0, left_out = 0.0;
    for (guint i = 0; i < rows; i++) {
        spans[i] = (Span){i, number_of(figure, to, i) - number_of(figure, from, i)};
        total += spans[i].length;
    }
    qsort(spans, rows, sizeof *spans, compare_lengths);
    for (guint i = 0; i < rows; i++) {
        if (i < SCEN_PAGE_ROWS_MAX)
            g_array_append_val(kept, spans[i].row);
        else
            left_out += spans[i].length;
    }
    qsort(kept->data, kept->len, sizeof(guint), compare_rows);
    *remark =
        g_strdup_printf("The %u shortest of %u spans, %.2g %% of their time together, are left "
                        "out.",
                        rows - kept->len, rows, total > 0.0 ? 100.0 * left_out / total : 0.0);
}

static void keep_evenly(guint rows, GArray *kept, char **remark)
{
    guint every = (rows + SCEN_PAGE_ROWS_MAX - 2) / (SCEN_PAGE_ROWS_MAX - 1), last = rows - 1;
    for (guint i = 0; i < rows; i += every)
        g_array_append_val(kept, i);
    if (last % every != 0)
        g_array_append_val(kept, last);
    *remark = g_strdup_printf("One row in %u of %u is kept, and the last.", every, rows);
}

static void keep_first(guint rows, guint most, GArray *kept)
{
    for (guint i = 0; i < MIN(rows, most); i++)
        g_array_append_val(kept, i);
}

GArray *scen_page_thin(const ScenPageFigure *figure, char **remark)
{
    GArray *kept = g_array_new(FALSE, FALSE, sizeof(guint));
    guint rows = scen_page_rows(figure);
    *remark = NULL;
    if (rows <= SCEN_PAGE_ROWS_MAX) {
        keep_first(rows, rows, kept);
        return kept;
    }
    switch (figure->chart) {
    case SCEN_PAGE_SPANS:
        keep_longest(figure, rows, kept, remark);
        break;
    case SCEN_PAGE_LINES:
    case SCEN_PAGE_STEPS:
    case SCEN_PAGE_AREAS:
    case SCEN_PAGE_SCATTER:
        keep_evenly(rows, kept, remark);
        break;
    case SCEN_PAGE_TABLE:
    case SCEN_PAGE_BARS:
    case SCEN_PAGE_STACKED:
    case SCEN_PAGE_GRAPH:
    case SCEN_PAGE_HEAT:
        keep_first(rows, SCEN_PAGE_ROWS_MAX, kept);
        *remark = g_strdup_printf("The first %d of %u rows are kept.", SCEN_PAGE_ROWS_MAX, rows);
        break;
    }
    return kept;
}

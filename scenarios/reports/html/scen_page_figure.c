/* A figure as HTML: caption, the place of its chart, its table and the data of both as JSON. A table
 * of few rows is written here; page.js makes a longer one when it is opened. page.js shows numbers
 * by the same rules as show_number() (tests/cli/report.sh compares the two, cell by cell).
 *
 * JSON: {chart, log, columns: [{title, unit, kind, role}], data: [a column: numbers with null for a
 * blank, or {words, rows} with rows of indices], guides: [[name, x0, y0, x1, y1]]}. "<" is written as
 * \u003c, so that no text can end the script element.
 */
#include "scen_page_private.h"

#include <math.h>
#include <stdbool.h>

/* Longer tables are made in the browser. */
enum { STATIC_ROWS = 64 };

static const char *const chart_names[] = {
    [SCEN_PAGE_TABLE] = "table", [SCEN_PAGE_BARS] = "bars",       [SCEN_PAGE_STACKED] = "stacked",
    [SCEN_PAGE_LINES] = "lines", [SCEN_PAGE_STEPS] = "steps",     [SCEN_PAGE_AREAS] = "areas",
    [SCEN_PAGE_SPANS] = "spans", [SCEN_PAGE_SCATTER] = "scatter", [SCEN_PAGE_GRAPH] = "graph",
    [SCEN_PAGE_HEAT] = "heat",
};

static const char *const kind_names[] = {
    [SCEN_PAGE_TEXT] = "text", [SCEN_PAGE_NUMBER] = "number", [SCEN_PAGE_COUNT] = "count",
    [SCEN_PAGE_TIME] = "time", [SCEN_PAGE_BYTES] = "bytes",   [SCEN_PAGE_SHARE] = "share",
};

static const char *const role_names[] = {
    [SCEN_PAGE_ASIDE] = "aside",
    [SCEN_PAGE_X] = "x",
    [SCEN_PAGE_Y] = "y",
    [SCEN_PAGE_END] = "end",
    [SCEN_PAGE_LANE] = "lane",
    [SCEN_PAGE_GROUP] = "group",
    [SCEN_PAGE_SIZE] = "size",
    [SCEN_PAGE_LABEL] = "label",
    [SCEN_PAGE_FROM] = "from",
    [SCEN_PAGE_TO] = "to",
    [SCEN_PAGE_FROM_TIER] = "from-tier",
    [SCEN_PAGE_TO_TIER] = "to-tier",
};

typedef struct Scale {
    double at_least;
    const char *unit;
} Scale;

static const Scale time_scales[] = {
    {86400.0, " d"  },
    {3600.0,  " h"  },
    {60.0,    " min"},
    {1.0,     " s"  },
    {1e-3,    " ms" },
    {1e-6,    " us" },
    {1e-9,    " ns" },
};

static const Scale byte_scales[] = {
    {1e15, " PB"},
    {1e12, " TB"},
    {1e9,  " GB"},
    {1e6,  " MB"},
    {1e3,  " kB"},
    {1.0,  " B" },
};

void scen_page_escape(GString *html, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *escaped = g_markup_escape_text(valid, -1);
    g_string_append(html, escaped);
}

/* Four digits without an exponent, where that is short. */
static void show_number(GString *text, double value)
{
    double size = fabs(value);
    if (size == 0.0)
        g_string_append_c(text, '0');
    else if (size >= 1e9 || size < 1e-4)
        g_string_append_printf(text, "%.3e", value);
    else
        g_string_append_printf(text, "%.*f", CLAMP(3 - (int)floor(log10(size)), 0, 7), value);
}

static void show_scaled(GString *text, double value, const Scale *scales, size_t count)
{
    size_t i = 0;
    while (i + 1 < count && fabs(value) < scales[i].at_least)
        i++;
    show_number(text, value / scales[i].at_least);
    g_string_append(text, scales[i].unit);
}

static void show_value(GString *text, ScenPageKind kind, double value)
{
    switch (kind) {
    case SCEN_PAGE_COUNT:
        g_string_append_printf(text, "%.0f", value);
        break;
    case SCEN_PAGE_TIME:
        show_scaled(text, value, time_scales, G_N_ELEMENTS(time_scales));
        break;
    case SCEN_PAGE_BYTES:
        show_scaled(text, value, byte_scales, G_N_ELEMENTS(byte_scales));
        break;
    case SCEN_PAGE_SHARE:
        g_string_append_printf(text, "%.2f %%", 100.0 * value);
        break;
    case SCEN_PAGE_TEXT:
    case SCEN_PAGE_NUMBER:
        show_number(text, value);
        break;
    }
}

void scen_page_show(GString *text, const ScenPageColumn *column, guint row)
{
    if (column->kind == SCEN_PAGE_TEXT) {
        const char *cell = column->texts->pdata[row];
        g_string_append(text, cell ? cell : "");
        return;
    }
    double value = g_array_index(column->numbers, double, row);
    if (isfinite(value))
        show_value(text, column->kind, value);
}

static void add_head(GString *html, const ScenPageFigure *figure)
{
    g_string_append(html, "<thead><tr>");
    for (guint c = 0; c < figure->columns->len; c++) {
        const ScenPageColumn *column = figure->columns->pdata[c];
        g_string_append_printf(html, "<th scope=\"col\"%s>",
                               column->kind == SCEN_PAGE_TEXT ? "" : " class=\"n\"");
        scen_page_escape(html, column->title);
        if (column->unit) {
            g_string_append(html, ", ");
            scen_page_escape(html, column->unit);
        }
        g_string_append(html, "</th>");
    }
    g_string_append(html, "</tr></thead>\n");
}

static void add_body(GString *html, const ScenPageFigure *figure, const GArray *rows)
{
    g_autoptr(GString) cell = g_string_new(NULL);
    g_string_append(html, "<tbody>\n");
    for (guint i = 0; i < rows->len && rows->len <= STATIC_ROWS; i++) {
        g_string_append(html, "<tr>");
        for (guint c = 0; c < figure->columns->len; c++) {
            const ScenPageColumn *column = figure->columns->pdata[c];
            g_string_truncate(cell, 0);
            scen_page_show(cell, column, g_array_index(rows, guint, i));
            g_string_append(html, column->kind == SCEN_PAGE_TEXT ? "<td>" : "<td class=\"n\">");
            scen_page_escape(html, cell->str);
            g_string_append(html, "</td>");
        }
        g_string_append(html, "</tr>\n");
    }
    g_string_append(html, "</tbody>\n");
}

static void add_table(GString *html, const ScenPageFigure *figure, const GArray *rows,
                      gboolean open)
{
    g_string_append_printf(html,
                           "<details class=\"data\"%s><summary>Data: %u row%s</summary>\n"
                           "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"",
                           open ? " open" : "", rows->len, rows->len == 1 ? "" : "s");
    scen_page_escape(html, figure->title);
    g_string_append_printf(html, ": data\"><table data-rows=\"%u\">\n", rows->len);
    add_head(html, figure);
    add_body(html, figure, rows);
    g_string_append(html, "</table></div></details>\n");
}

static void json_text(GString *json, const char *text)
{
    g_string_append_c(json, '"');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            g_string_append_printf(json, "\\%c", *c);
        else if ((unsigned char)*c < 0x20 || *c == '<')
            g_string_append_printf(json, "\\u%04x", (unsigned)*c);
        else
            g_string_append_c(json, *c);
    }
    g_string_append_c(json, '"');
}

static void json_number(GString *json, double value)
{
    if (isfinite(value))
        g_string_append_printf(json, "%.10g", value);
    else
        g_string_append(json, "null");
}

/* Texts repeat, so each is written once. */
static void json_words(GString *json, const ScenPageColumn *column, const GArray *rows)
{
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GString) indices = g_string_new(NULL);
    g_string_append(json, "{\"words\":[");
    for (guint i = 0; i < rows->len; i++) {
        const char *text = column->texts->pdata[g_array_index(rows, guint, i)];
        text = text ? text : "";
        void *index;
        if (!g_hash_table_lookup_extended(known, text, NULL, &index)) {
            index = GUINT_TO_POINTER(g_hash_table_size(known));
            g_string_append(json, g_hash_table_size(known) > 0 ? "," : "");
            json_text(json, text);
            g_hash_table_insert(known, (void *)text, index);
        }
        g_string_append_printf(indices, "%s%u", i > 0 ? "," : "", GPOINTER_TO_UINT(index));
    }
    g_string_append_printf(json, "],\"rows\":[%s]}", indices->str);
}

static void json_columns(GString *json, const ScenPageFigure *figure)
{
    g_string_append(json, ",\"columns\":[");
    for (guint c = 0; c < figure->columns->len; c++) {
        const ScenPageColumn *column = figure->columns->pdata[c];
        g_string_append(json, c > 0 ? ",{\"title\":" : "{\"title\":");
        json_text(json, column->title);
        g_string_append(json, ",\"unit\":");
        json_text(json, column->unit ? column->unit : "");
        g_string_append_printf(json, ",\"kind\":\"%s\",\"role\":\"%s\"}", kind_names[column->kind],
                               role_names[column->role]);
    }
    g_string_append(json, "]");
}

static void json_data(GString *json, const ScenPageFigure *figure, const GArray *rows)
{
    g_string_append(json, ",\n\"data\":[");
    for (guint c = 0; c < figure->columns->len; c++) {
        const ScenPageColumn *column = figure->columns->pdata[c];
        g_string_append(json, c > 0 ? ",\n" : "");
        if (column->kind == SCEN_PAGE_TEXT) {
            json_words(json, column, rows);
            continue;
        }
        g_string_append_c(json, '[');
        for (guint i = 0; i < rows->len; i++) {
            g_string_append(json, i > 0 ? "," : "");
            json_number(json,
                        g_array_index(column->numbers, double, g_array_index(rows, guint, i)));
        }
        g_string_append_c(json, ']');
    }
    g_string_append(json, "]");
}

static void json_guides(GString *json, const ScenPageFigure *figure)
{
    g_string_append(json, ",\"guides\":[");
    for (guint i = 0; i < figure->guides->len; i++) {
        const ScenPageGuide *guide = &g_array_index(figure->guides, ScenPageGuide, i);
        const double bounds[] = {guide->x0, guide->y0, guide->x1, guide->y1};
        g_string_append(json, i > 0 ? ",[" : "[");
        json_text(json, guide->name);
        for (size_t b = 0; b < G_N_ELEMENTS(bounds); b++) {
            g_string_append_c(json, ',');
            json_number(json, bounds[b]);
        }
        g_string_append_c(json, ']');
    }
    g_string_append_c(json, ']');
}

static void add_json(GString *html, const ScenPageFigure *figure, const GArray *rows)
{
    g_string_append_printf(html, "<script type=\"application/json\">{\"chart\":\"%s\",\"log\":%u",
                           chart_names[figure->chart], figure->axes);
    json_columns(html, figure);
    json_data(html, figure, rows);
    json_guides(html, figure);
    g_string_append(html, "}</script>\n");
}

static void add_caption(GString *html, const ScenPageFigure *figure)
{
    g_string_append(html, "<figcaption><h3>");
    scen_page_escape(html, figure->title);
    g_string_append(html, "</h3>");
    if (figure->about) {
        g_string_append(html, "<p>");
        scen_page_escape(html, figure->about);
        g_string_append(html, "</p>");
    }
    g_string_append(html, "</figcaption>\n");
}

/* Where the guides lie that go from edge to edge, in words. */
static GString *guides_of(const ScenPageFigure *figure)
{
    GString *text = g_string_new(NULL);
    bool lying = figure->chart == SCEN_PAGE_BARS || figure->chart == SCEN_PAGE_STACKED;
    for (guint i = 0; i < figure->guides->len; i++) {
        const ScenPageGuide *guide = &g_array_index(figure->guides, ScenPageGuide, i);
        bool upright = !isfinite(guide->y0);
        int at = scen_page_role(figure, upright && !lying ? SCEN_PAGE_X : SCEN_PAGE_Y);
        if (at < 0 || (!upright && isfinite(guide->x0)))
            continue;
        const ScenPageColumn *column = figure->columns->pdata[at];
        g_string_append_printf(text, "Dashed: %s at ", guide->name);
        show_value(text, column->kind, upright ? guide->x0 : guide->y0);
        g_string_append_printf(text, "%s%s. ", column->unit ? " " : "",
                               column->unit ? column->unit : "");
    }
    return text;
}

static void add_remarks(GString *html, const ScenPageFigure *figure, const char *thinned)
{
    g_autoptr(GString) guides = guides_of(figure);
    if (figure->remarks->len == 0 && !thinned && guides->len == 0)
        return;
    g_string_append(html, "<p class=\"remark\">");
    scen_page_escape(html, guides->str);
    for (guint i = 0; i < figure->remarks->len; i++) {
        scen_page_escape(html, figure->remarks->pdata[i]);
        g_string_append_c(html, ' ');
    }
    if (thinned)
        scen_page_escape(html, thinned);
    g_string_append(html, "</p>\n");
}

void scen_page_figure_html(GString *html, const ScenPageFigure *figure, gboolean charts)
{
    g_autofree char *thinned = NULL;
    g_autoptr(GArray) rows = scen_page_thin(figure, &thinned);
    gboolean drawn = charts && figure->chart != SCEN_PAGE_TABLE && rows->len > 0;
    g_assert(figure->next == 0);
    g_string_append_printf(html, "<figure id=\"%s\">", figure->id);
    add_caption(html, figure);
    if (drawn) {
        g_string_append(html, "<div class=\"chart\" role=\"img\" aria-label=\"Chart: ");
        scen_page_escape(html, figure->title);
        g_string_append(html, ". Its data are in the table below.\"></div>\n");
    }
    add_remarks(html, figure, thinned);
    if (rows->len > 0) {
        add_table(html, figure, rows, !drawn);
        add_json(html, figure, rows);
    } else {
        g_string_append(html, "<p class=\"remark\">There is nothing to show.</p>\n");
    }
    g_string_append(html, "</figure>\n");
}

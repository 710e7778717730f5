/* The builder of the HTML report: it keeps what a command says, in order, until scen_page_finish()
 * (scen_page_html.c) writes the document. Sections, paragraphs and lists are kept as HTML at once;
 * figures stay open for cells until then.
 */
#include "scen_page_private.h"

#include <string.h>

static void column_free(void *data)
{
    ScenPageColumn *column = data;
    g_array_unref(column->numbers);
    g_ptr_array_unref(column->texts);
    g_free(column->title);
    g_free(column->unit);
    g_free(column);
}

static void guide_clear(void *data)
{
    ScenPageGuide *guide = data;
    g_free(guide->name);
}

static void figure_free(ScenPageFigure *figure)
{
    if (!figure)
        return;
    g_free(figure->id);
    g_free(figure->title);
    g_free(figure->about);
    g_ptr_array_unref(figure->columns);
    g_array_unref(figure->guides);
    g_ptr_array_unref(figure->remarks);
    g_free(figure);
}

static void item_free(void *data)
{
    ScenPageItem *item = data;
    g_free(item->html);
    figure_free(item->figure);
    g_free(item);
}

ScenPage *scen_page_new(const char *title, const char *about)
{
    ScenPage *page = g_new0(ScenPage, 1);
    page->title = g_strdup(title);
    page->about = g_strdup(about);
    page->cards = g_string_new(NULL);
    page->contents = g_string_new(NULL);
    page->items = g_ptr_array_new_with_free_func(item_free);
    return page;
}

void scen_page_free(ScenPage *page)
{
    if (!page)
        return;
    g_free(page->title);
    g_free(page->about);
    g_string_free(page->cards, TRUE);
    g_string_free(page->contents, TRUE);
    g_ptr_array_unref(page->items);
    g_free(page->path);
    g_free(page->text);
    g_strfreev(page->overrides);
    g_free(page);
}

/* Takes @html and @figure; either may be NULL. */
static void add_item(ScenPage *page, char *html, ScenPageFigure *figure)
{
    ScenPageItem *item = g_new0(ScenPageItem, 1);
    *item = (ScenPageItem){.html = html, .figure = figure};
    g_ptr_array_add(page->items, item);
}

/* Appends <@open>@text</...>, escaped; nothing when @text is NULL. */
static void add_element(GString *html, const char *open, const char *text)
{
    if (!text)
        return;
    g_string_append_printf(html, "<%s>", open);
    scen_page_escape(html, text);
    g_string_append_printf(html, "</%.*s>", (int)strcspn(open, " "), open);
}

void scen_page_card(ScenPage *page, ScenPageTone tone, const char *label, const char *value,
                    const char *note)
{
    static const char *const tones[] = {
        [SCEN_PAGE_PLAIN] = "card",
        [SCEN_PAGE_GOOD] = "card good",
        [SCEN_PAGE_BAD] = "card bad",
    };
    g_string_append_printf(page->cards, "<div class=\"%s\">", tones[tone]);
    add_element(page->cards, "dt", label);
    add_element(page->cards, "dd class=\"value\"", value);
    add_element(page->cards, "dd class=\"note\"", note);
    g_string_append(page->cards, "</div>\n");
}

void scen_page_card_take(ScenPage *page, ScenPageTone tone, const char *label, char *value,
                         char *note)
{
    scen_page_card(page, tone, label, value, note);
    g_free(value);
    g_free(note);
}

void scen_page_section(ScenPage *page, const char *title, const char *about)
{
    GString *html = g_string_new(page->sections > 0 ? "</section>\n" : NULL);
    page->sections++;
    g_string_append_printf(html, "<section id=\"section-%u\">", page->sections);
    add_element(html, "h2", title);
    add_element(html, "p", about);
    g_string_append_c(html, '\n');
    g_string_append_printf(page->contents, "<a href=\"#section-%u\">", page->sections);
    scen_page_escape(page->contents, title);
    g_string_append(page->contents, "</a>\n");
    add_item(page, g_string_free(html, FALSE), NULL);
}

void scen_page_paragraph(ScenPage *page, const char *text)
{
    GString *html = g_string_new(NULL);
    add_element(html, "p", text);
    g_string_append_c(html, '\n');
    add_item(page, g_string_free(html, FALSE), NULL);
}

void scen_page_list(ScenPage *page, const GPtrArray *texts)
{
    if (!texts || texts->len == 0)
        return;
    GString *html = g_string_new("<ul>\n");
    for (guint i = 0; i < texts->len; i++) {
        add_element(html, "li", texts->pdata[i]);
        g_string_append_c(html, '\n');
    }
    g_string_append(html, "</ul>\n");
    add_item(page, g_string_free(html, FALSE), NULL);
}

void scen_page_pre(ScenPage *page, const char *title, const char *text)
{
    GString *html = g_string_new("<details>");
    add_element(html, "summary", title);
    add_element(html, "pre", text);
    g_string_append(html, "</details>\n");
    add_item(page, g_string_free(html, FALSE), NULL);
}

ScenPageFigure *scen_page_figure(ScenPage *page, ScenPageChart chart, const char *id,
                                 const char *title, const char *about)
{
    ScenPageFigure *figure = g_new0(ScenPageFigure, 1);
    *figure = (ScenPageFigure){
        .chart = chart,
        .id = g_strdup(id),
        .title = g_strdup(title),
        .about = g_strdup(about),
        .columns = g_ptr_array_new_with_free_func(column_free),
        .guides = g_array_new(FALSE, FALSE, sizeof(ScenPageGuide)),
        .remarks = g_ptr_array_new_with_free_func(g_free),
    };
    g_array_set_clear_func(figure->guides, guide_clear);
    add_item(page, NULL, figure);
    return figure;
}

void scen_page_column(ScenPageFigure *figure, ScenPageKind kind, ScenPageRole role,
                      const char *title, const char *unit)
{
    g_assert(scen_page_rows(figure) == 0 && figure->next == 0);
    ScenPageColumn *column = g_new0(ScenPageColumn, 1);
    *column = (ScenPageColumn){
        .kind = kind,
        .role = role,
        .title = g_strdup(title),
        .unit = g_strdup(unit),
        .numbers = g_array_new(FALSE, FALSE, sizeof(double)),
        .texts = g_ptr_array_new_with_free_func(g_free),
    };
    g_ptr_array_add(figure->columns, column);
}

static ScenPageColumn *next_column(ScenPageFigure *figure)
{
    g_assert(figure->columns->len > 0);
    ScenPageColumn *column = figure->columns->pdata[figure->next];
    figure->next = (figure->next + 1) % figure->columns->len;
    return column;
}

void scen_page_cell(ScenPageFigure *figure, double value)
{
    ScenPageColumn *column = next_column(figure);
    g_assert(column->kind != SCEN_PAGE_TEXT);
    g_array_append_val(column->numbers, value);
}

void scen_page_cell_text(ScenPageFigure *figure, const char *text)
{
    ScenPageColumn *column = next_column(figure);
    g_assert(column->kind == SCEN_PAGE_TEXT);
    g_ptr_array_add(column->texts, text ? g_utf8_make_valid(text, -1) : NULL);
}

void scen_page_axes(ScenPageFigure *figure, unsigned axes)
{
    figure->axes = axes;
}

void scen_page_guide(ScenPageFigure *figure, const char *name, double x0, double y0, double x1,
                     double y1)
{
    ScenPageGuide guide = {.name = g_strdup(name), .x0 = x0, .y0 = y0, .x1 = x1, .y1 = y1};
    g_array_append_val(figure->guides, guide);
}

void scen_page_remark(ScenPageFigure *figure, const char *text)
{
    g_ptr_array_add(figure->remarks, g_strdup(text));
}

void scen_page_scenario(ScenPage *page, const char *path, const char *text,
                        const char *const *overrides, guint64 seed)
{
    g_free(page->path);
    g_free(page->text);
    g_strfreev(page->overrides);
    page->path = g_strdup(path);
    page->text = g_strdup(text);
    page->overrides = g_strdupv((char **)overrides);
    page->seed = seed;
}

guint scen_page_rows(const ScenPageFigure *figure)
{
    if (figure->columns->len == 0)
        return 0;
    const ScenPageColumn *last = figure->columns->pdata[figure->columns->len - 1];
    return last->kind == SCEN_PAGE_TEXT ? last->texts->len : last->numbers->len;
}

int scen_page_role(const ScenPageFigure *figure, ScenPageRole role)
{
    for (guint i = 0; i < figure->columns->len; i++)
        if (((const ScenPageColumn *)figure->columns->pdata[i])->role == role)
            return (int)i;
    return -1;
}

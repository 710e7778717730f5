/* The document of the HTML report: head, answer, sections, the scenario that made it. Style, script
 * and the charting library stand in it, so that it needs no other file and no network.
 */
#include "scen_page_private.h"

static void add_header(GString *html, const ScenPage *page)
{
    g_string_append(html, "<header><h1>");
    scen_page_escape(html, page->title);
    g_string_append(html, "</h1>\n");
    if (page->about) {
        g_string_append(html, "<p>");
        scen_page_escape(html, page->about);
        g_string_append(html, "</p>\n");
    }
    g_string_append_printf(html, "</header>\n<main>\n<dl class=\"cards\">\n%s</dl>\n",
                           page->cards->str);
    g_string_append_printf(html, "<nav aria-label=\"Sections\">\n%s</nav>\n", page->contents->str);
}

static void add_scenario(GString *html, const ScenPage *page)
{
    if (!page->text)
        return;
    g_string_append(html,
                    "<section id=\"scenario\"><h2>The scenario that made this page</h2>\n<p>");
    scen_page_escape(html, page->path ? page->path : "");
    g_string_append_printf(html, ", seed %" G_GUINT64_FORMAT ", Orrery %s</p>\n", page->seed,
                           ORRERY_VERSION);
    for (char **o = page->overrides; o && *o; o++) {
        g_string_append(html,
                        o == page->overrides ? "<p>Changed on the command line:</p><pre>" : "");
        g_string_append(html, "--set ");
        scen_page_escape(html, *o);
        g_string_append(html, o[1] ? "\n" : "</pre>\n");
    }
    g_string_append(html, "<pre>");
    scen_page_escape(html, page->text);
    g_string_append(html, "</pre>\n</section>\n");
}

char *scen_page_finish(const ScenPage *page)
{
    GString *html =
        g_string_new("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
    scen_page_escape(html, page->title);
    g_string_append(html, " - Orrery</title>\n</head><body>\n");
    add_header(html, page);
    for (guint i = 0; i < page->items->len; i++) {
        const ScenPageItem *item = page->items->pdata[i];
        if (item->figure)
            scen_page_figure_html(html, item->figure, FALSE);
        else
            g_string_append(html, item->html);
    }
    g_string_append(html, page->sections > 0 ? "</section>\n" : "");
    add_scenario(html, page);
    g_string_append(html, "</main>\n</body></html>\n");
    return g_string_free(html, FALSE);
}

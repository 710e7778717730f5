/* The document of the HTML report: head, answer, sections, the scenario that made it. Style, scripts
 * and the charting library stand in it, so that it needs no other file and no network; its content
 * security policy forbids the browser to fetch any.
 */
#include "scen_page_assets.h"
#include "scen_page_private.h"

#include <string.h>

/* Bytes of a scenario's text that a page shows. */
enum { MOST_TEXT = 200000 };

static void add_head(GString *html, const ScenPage *page)
{
    g_string_append(html,
                    "<!DOCTYPE html>\n<html lang=\"en\" data-theme=\"light\">\n<head>\n"
                    "<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"generator\" content=\"Orrery " ORRERY_VERSION "\">\n"
                    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
                    "<title>");
    scen_page_escape(html, page->title);
    g_string_append_printf(html, " - Orrery</title>\n<style>\n%s</style>\n</head>\n<body>\n",
                           scen_page_css);
}

static void add_header(GString *html, const ScenPage *page)
{
    g_string_append(html, "<header><p class=\"brand\">Orrery</p>\n<h1>");
    scen_page_escape(html, page->title);
    g_string_append(html, "</h1>\n<button type=\"button\" id=\"theme\">Dark theme</button>\n");
    if (page->about) {
        g_string_append(html, "<p>");
        scen_page_escape(html, page->about);
        g_string_append(html, "</p>\n");
    }
    g_string_append_printf(html, "</header>\n<main>\n<dl class=\"cards\">\n%s</dl>\n",
                           page->cards->str);
}

static void add_contents(GString *html, const ScenPage *page)
{
    g_string_append_printf(html, "<nav aria-label=\"Sections\">\n%s", page->contents->str);
    if (page->text)
        g_string_append(html, "<a href=\"#scenario\">Scenario</a>\n");
    g_string_append(html, "</nav>\n");
}

/* A browser that runs no scripts shows the tables that stand in the page. */
static void add_noscript(GString *html)
{
    g_string_append(html, "<noscript><style>.chart, #theme { display: none }</style>"
                          "<p class=\"warning\">Charts and long tables need scripts, which are "
                          "switched off.</p></noscript>\n");
}

/* Where there is no charting library: why, and what to do. */
static void add_warning(GString *html, const char *why)
{
    if (!why)
        return;
    g_string_append(html, "<p class=\"warning\">The charts are left out: ");
    scen_page_escape(html, why);
    g_string_append(html, ". The tables hold the same figures. With npm installed and a network, "
                          "build again.</p>\n");
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
    size_t length = strlen(page->text);
    g_autofree char *shown = g_strndup(page->text, MIN(length, MOST_TEXT));
    g_string_append(html, "<pre>");
    scen_page_escape(html, shown);
    g_string_append(html, "</pre>\n");
    if (length > MOST_TEXT)
        g_string_append_printf(html, "<p>Of its %zu bytes the first %d are shown.</p>\n", length,
                               MOST_TEXT);
    g_string_append(html, "</section>\n");
}

static void add_scripts(GString *html, const char *library)
{
    if (library)
        g_string_append_printf(html, "<script>%s</script>\n", library);
    g_string_append_printf(html, "<script>\n\"use strict\";\n%s%s%s</script>\n", scen_page_format,
                           scen_page_charts, scen_page_script);
}

char *scen_page_write(const ScenPage *page, const char *library, const char *why)
{
    GString *html = g_string_new(NULL);
    add_head(html, page);
    add_header(html, page);
    add_warning(html, library ? NULL : why);
    add_noscript(html);
    add_contents(html, page);
    for (guint i = 0; i < page->items->len; i++) {
        const ScenPageItem *item = page->items->pdata[i];
        if (item->figure)
            scen_page_figure_html(html, item->figure, library != NULL);
        else
            g_string_append(html, item->html);
    }
    g_string_append(html, page->sections > 0 ? "</section>\n" : "");
    add_scenario(html, page);
    g_string_append(html,
                    "</main>\n<footer>Orrery " ORRERY_VERSION
                    ", a discrete-event simulator of LLM clusters. The same scenario, seed and "
                    "version give the same figures.</footer>\n");
    add_scripts(html, library);
    g_string_append(html, "</body>\n</html>\n");
    return g_string_free(html, FALSE);
}

char *scen_page_finish(const ScenPage *page)
{
    gboolean charts = scen_page_library[0] != '\0';
    return scen_page_write(page, charts ? scen_page_library : NULL, SCEN_PAGE_WHY);
}

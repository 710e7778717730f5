/* The HTML report as a document: what is said stands in it once, escaped, and long figures are
 * thinned with a statement of what went. How it looks is tested in a browser (tests/cli/report.sh).
 */
#include "scen_page_private.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static guint count(const char *text, const char *what)
{
    guint n = 0;
    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        n++;
    return n;
}

static ScenPageFigure *bars(ScenPage *page, const char *id)
{
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_BARS, id, "A <figure>", "Says & shows.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Account", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "Share", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_ASIDE, "Time", NULL);
    scen_page_column(figure, SCEN_PAGE_BYTES, SCEN_PAGE_ASIDE, "Memory", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_ASIDE, "Rate", "tokens/s");
    return figure;
}

static void add_row(ScenPageFigure *figure, const char *name, double value)
{
    scen_page_cell_text(figure, name);
    scen_page_cell(figure, value);
    scen_page_cell(figure, value);
    scen_page_cell(figure, 1e9 * value);
    scen_page_cell(figure, 1e4 * value);
}

Test(scen_page, holds_what_was_said_and_escapes_it)
{
    g_autoptr(ScenPage) page = scen_page_new("a <b>", "x & y");
    const char *const overrides[] = {"plan.tensor=4", NULL};
    scen_page_card(page, SCEN_PAGE_GOOD, "Step time", "13.9 s", "<small>");
    scen_page_section(page, "Where & how", "About it.");
    add_row(bars(page, "ledger"), "</script><x>", 0.6351);
    scen_page_scenario(page, "my.yaml", "model: <x>\n", overrides, 7);
    g_autofree char *html = scen_page_finish(page);
    static const char *const once[] = {
        "<h1>a &lt;b&gt;</h1>",
        "<p>x &amp; y</p>",
        "<dd class=\"note\">&lt;small&gt;</dd>",
        "<h2>Where &amp; how</h2>",
        "<td>&lt;/script&gt;&lt;x&gt;</td>",
        "\"\\u003c/script>\\u003cx>\"",
        "--set plan.tensor=4",
        "model: &lt;x&gt;\n",
        "my.yaml, seed 7",
        "<td class=\"n\">63.51 %</td>",
        "<td class=\"n\">635.1 ms</td>",
        "<td class=\"n\">635.1 MB</td>",
        "<td class=\"n\">6351</td>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(once); i++)
        cr_expect_eq(count(html, once[i]), 1, "%s", once[i]);
}

Test(scen_page, leaves_a_cell_blank_that_is_not_a_number)
{
    g_autoptr(ScenPage) page = scen_page_new("page", NULL);
    ScenPageFigure *figure = bars(page, "ledger");
    add_row(figure, NULL, NAN);
    add_row(figure, "b", 2.0);
    g_autofree char *html = scen_page_finish(page);
    cr_expect_eq(count(html, "<td></td><td class=\"n\"></td>"), 1);
    cr_expect_eq(count(html, "[null,2]"), 2);
    cr_expect_eq(count(html, ">nan") + count(html, "[nan"), 0);
}

/* What a build without npm writes, and one with a library. */
Test(scen_page, without_a_library_has_tables_and_says_why)
{
    g_autoptr(ScenPage) page = scen_page_new("page", NULL);
    add_row(bars(page, "ledger"), "a", 1.0);
    g_autofree char *without = scen_page_write(page, NULL, "npm was away");
    g_autofree char *with = scen_page_write(page, "var echarts;", "npm was away");
    cr_expect_eq(count(without, "The charts are left out: npm was away."), 1);
    cr_expect_eq(count(without, "<details class=\"data\" open>"), 1);
    cr_expect_eq(count(without, "class=\"chart\""), 0);
    cr_expect_eq(count(without, "<td>a</td>"), 1);
    cr_expect_eq(count(with, "npm was away"), 0);
    cr_expect_eq(count(with, "<details class=\"data\">"), 1);
    cr_expect_eq(count(with, "class=\"chart\""), 1);
    cr_expect_eq(count(with, "<script>var echarts;</script>"), 1);
}

Test(scen_page, ends_a_long_scenario_early_and_says_so)
{
    g_autoptr(ScenPage) page = scen_page_new("page", NULL);
    g_autofree char *text = g_strnfill(300000, '#');
    scen_page_scenario(page, "long.yaml", text, NULL, 1);
    g_autofree char *html = scen_page_finish(page);
    cr_expect_eq(count(html, "Of its 300000 bytes the first 200000 are shown."), 1);
}

Test(scen_page, says_where_a_guide_lies)
{
    g_autoptr(ScenPage) page = scen_page_new("page", NULL);
    ScenPageFigure *figure = bars(page, "ledger");
    add_row(figure, "a", 1.0);
    scen_page_guide(figure, "most", 0.75, NAN, 0.75, NAN);
    g_autofree char *html = scen_page_finish(page);
    cr_expect_eq(count(html, "Dashed: most at 75.00 %."), 1);
    cr_expect_eq(count(html, "[\"most\",0.75,null,0.75,null]"), 1);
}

Test(scen_page, says_that_a_figure_has_nothing_to_show)
{
    g_autoptr(ScenPage) page = scen_page_new("page", NULL);
    bars(page, "empty");
    g_autofree char *html = scen_page_finish(page);
    cr_expect_eq(count(html, "There is nothing to show."), 1);
    cr_expect_eq(count(html, "<table data-rows"), 0);
}

/* 10,000 spans of 1 s and 8,000 of 4 s: the long ones stay, and what goes is 10,000 / 42,000. */
Test(scen_page, thins_spans_by_leaving_out_the_shortest)
{
    g_autoptr(ScenPage) page = scen_page_new("page", NULL);
    ScenPageFigure *figure = scen_page_figure(page, SCEN_PAGE_SPANS, "steps", "Steps", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_LANE, "Stage", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_X, "Start", NULL);
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_END, "End", NULL);
    for (int i = 0; i < 18000; i++) {
        scen_page_cell_text(figure, "stage 0");
        scen_page_cell(figure, (double)i);
        scen_page_cell(figure, (double)i + (i < 10000 ? 1.0 : 4.0));
    }
    g_autofree char *html = scen_page_finish(page);
    cr_expect_eq(count(html, "The 10000 shortest of 18000 spans, 24 % of their time together, are "
                             "left out."),
                 1);
    cr_expect_eq(count(html, "data-rows=\"8000\""), 1);
}

/* 20,000 rows, every third: 6,667 rows and the last one, as 19,999 is no multiple of three. */
Test(scen_page, thins_lines_evenly_and_keeps_the_end)
{
    g_autoptr(ScenPage) page = scen_page_new("page", NULL);
    ScenPageFigure *figure = scen_page_figure(page, SCEN_PAGE_LINES, "line", "Line", NULL);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_X, "x", NULL);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_Y, "y", NULL);
    for (int i = 0; i < 20000; i++) {
        scen_page_cell(figure, i);
        scen_page_cell(figure, -i);
    }
    g_autofree char *html = scen_page_finish(page);
    cr_expect_eq(count(html, "One row in 3 of 20000 is kept, and the last."), 1);
    cr_expect_eq(count(html, "data-rows=\"6668\""), 1);
    cr_expect_eq(count(html, "19998,19999]"), 1);
    cr_expect_eq(count(html, "-19998,-19999]"), 1);
}

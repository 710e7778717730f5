/** The HTML report: one self-contained document of cards, sections and figures. A figure is a table;
 *  its chart is drawn from that table's rows and from nothing else.
 *
 *  g_autoptr(ScenPage) page = scen_page_new("quickstart", "gpt on 64 x a100");
 *  scen_page_card(page, SCEN_PAGE_PLAIN, "Step time", "13.9 s", "13.2 s to 14.7 s");
 *  scen_page_section(page, "Where the time goes", NULL);
 *  ScenPageFigure *figure = scen_page_figure(page, SCEN_PAGE_BARS, "ledger", "Ledger", "One line.");
 *  scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "Account", NULL);
 *  scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "Share of the GPU-seconds", NULL);
 *  scen_page_cell_text(figure, "matrix products");
 *  scen_page_cell(figure, 0.635);
 *  char *html = scen_page_finish(page);
 *
 *  Texts are copied and escaped; numbers may be anything, and one that is not finite is a blank. */
#ifndef SCEN_PAGE_H
#define SCEN_PAGE_H

#include <glib.h>
#include <stddef.h>

typedef struct ScenPage ScenPage;

/** A table and its chart. It belongs to its page. */
typedef struct ScenPageFigure ScenPageFigure;

/** How a figure is drawn, and the roles that its columns need. */
typedef enum ScenPageChart {
    SCEN_PAGE_TABLE,   /* not at all */
    SCEN_PAGE_BARS,    /* X: text, downwards; each Y: a lying bar beside the others of its row; with
                          one Y, GROUP: its colour */
    SCEN_PAGE_STACKED, /* X: text, downwards; each Y: a piece of the lying bar of its row */
    SCEN_PAGE_LINES,   /* X: number; each Y: a line, or with a GROUP a line for each of its words */
    SCEN_PAGE_STEPS,   /* the same, each value held until the next X */
    SCEN_PAGE_AREAS,   /* the same as STEPS, one upon another and filled */
    SCEN_PAGE_SPANS,   /* X and END: numbers; LANE: text, top to bottom as they come; GROUP: colour;
                          LABEL: text on the span */
    SCEN_PAGE_SCATTER, /* X, Y: numbers; GROUP: colour; SIZE: number; LABEL: text */
    SCEN_PAGE_GRAPH, /* a row is a link: FROM, TO: names of nodes; Y: heat; SIZE: width; FROM_TIER,
                          TO_TIER: numbers, 0 lowest (without them: a circle) */
    SCEN_PAGE_HEAT,  /* X, LANE: texts; Y: heat */
} ScenPageChart;

/** What a column holds and how it is shown; in the data of a cell all are plain numbers. */
typedef enum ScenPageKind {
    SCEN_PAGE_TEXT,
    SCEN_PAGE_NUMBER, /* in the unit of the column: four digits */
    SCEN_PAGE_COUNT,  /* whole */
    SCEN_PAGE_TIME,   /* seconds, shown in the unit that suits each */
    SCEN_PAGE_BYTES,  /* bytes, likewise (decimal: GB = 1e9) */
    SCEN_PAGE_SHARE,  /* a fraction, shown in % */
} ScenPageKind;

typedef enum ScenPageRole {
    SCEN_PAGE_ASIDE, /* in the table and in tooltips, not drawn */
    SCEN_PAGE_X,
    SCEN_PAGE_Y,
    SCEN_PAGE_END,
    SCEN_PAGE_LANE,
    SCEN_PAGE_GROUP,
    SCEN_PAGE_SIZE,
    SCEN_PAGE_LABEL,
    SCEN_PAGE_FROM,
    SCEN_PAGE_TO,
    SCEN_PAGE_FROM_TIER,
    SCEN_PAGE_TO_TIER,
} ScenPageRole;

/** What a card says of its value: nothing, that it is well, or that it is not. */
typedef enum ScenPageTone {
    SCEN_PAGE_PLAIN,
    SCEN_PAGE_GOOD,
    SCEN_PAGE_BAD,
} ScenPageTone;

/** Axes of a figure, bits for scen_page_axes(). */
typedef enum ScenPageAxes {
    SCEN_PAGE_LOG_X = 1,
    SCEN_PAGE_LOG_Y = 2,
} ScenPageAxes;

/** Rows that a figure keeps. scen_page_finish() thins a longer one, evenly along lines, by leaving
 *  out the shortest spans, from the end otherwise, and says so under the figure. */
enum { SCEN_PAGE_ROWS_MAX = 8000 };

/** A page of the name @title; @about (or NULL) is the line under it. */
ScenPage *scen_page_new(const char *title, const char *about);
void scen_page_free(ScenPage *page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenPage, scen_page_free)

/** Adds a headline figure on top of the page; @note is NULL or small print. */
void scen_page_card(ScenPage *page, ScenPageTone tone, const char *label, const char *value,
                    const char *note);

/** The same of texts that the caller has made: they are taken and freed. */
void scen_page_card_take(ScenPage *page, ScenPageTone tone, const char *label, char *value,
                         char *note);

/** Starts a section; figures, paragraphs and lists come into the last one. @about is NULL or a
 *  paragraph. */
void scen_page_section(ScenPage *page, const char *title, const char *about);

/** Adds a paragraph, or a list of @texts (nothing when it is NULL or empty). */
void scen_page_paragraph(ScenPage *page, const char *text);
void scen_page_list(ScenPage *page, const GPtrArray *texts);

/** Adds @text as it is, in letters of one width, folded under @title. */
void scen_page_pre(ScenPage *page, const char *title, const char *text);

/** Adds a figure. @id is unique on the page, of [a-z0-9-]; @about is one sentence that says what
 *  is shown, or NULL. A figure without rows says that there is nothing to show. */
ScenPageFigure *scen_page_figure(ScenPage *page, ScenPageChart chart, const char *id,
                                 const char *title, const char *about);

/** Adds a column; all come before the first cell. @unit is NULL or the unit of SCEN_PAGE_NUMBER. */
void scen_page_column(ScenPageFigure *figure, ScenPageKind kind, ScenPageRole role,
                      const char *title, const char *unit);

/** Adds the next cell of a row, in the order of the columns; the last one ends the row. A text
 *  column takes only texts (NULL is a blank), the others only numbers (NAN is a blank). */
void scen_page_cell(ScenPageFigure *figure, double value);
void scen_page_cell_text(ScenPageFigure *figure, const char *text);

/** Sets logarithmic axes: bits of ScenPageAxes. */
void scen_page_axes(ScenPageFigure *figure, unsigned axes);

/** Draws a straight line over a chart: a capacity, an objective, a roof. Bounds are in the units of
 *  the cells, along the axes as drawn (values of lying bars run along x); both bounds of an axis at
 *  NAN: from edge to edge. */
void scen_page_guide(ScenPageFigure *figure, const char *name, double x0, double y0, double x1,
                     double y1);

/** Adds a remark under a figure: what was left out, merged or assumed. */
void scen_page_remark(ScenPageFigure *figure, const char *text);

/** The scenario that made the page, shown at its end: where it was read, its text as written, the
 *  changes of the command line (NULL-terminated, or NULL) and the seed. */
void scen_page_scenario(ScenPage *page, const char *path, const char *text,
                        const char *const *overrides, guint64 seed);

/** The document, UTF-8. The same calls give the same bytes. The caller owns it. */
char *scen_page_finish(const ScenPage *page);

#endif

/** What the files of the HTML page share. */
#ifndef SCEN_PAGE_PRIVATE_H
#define SCEN_PAGE_PRIVATE_H

#include "scen_page.h"

/** A column: of numbers or, of kind SCEN_PAGE_TEXT, of texts. */
typedef struct ScenPageColumn {
    ScenPageKind kind;
    ScenPageRole role;
    char *title;
    char *unit;       /* or NULL */
    GArray *numbers;  /* of double */
    GPtrArray *texts; /* of char *, NULL for a blank */
} ScenPageColumn;

typedef struct ScenPageGuide {
    char *name;
    double x0, y0, x1, y1;
} ScenPageGuide;

struct ScenPageFigure {
    ScenPageChart chart;
    char *id, *title;
    char *about; /* or NULL */
    unsigned axes;
    GPtrArray *columns; /* of ScenPageColumn */
    GArray *guides;     /* of ScenPageGuide */
    GPtrArray *remarks; /* of char * */
    guint next;         /* the column of the next cell */
};

/** A piece of the page: HTML, or a figure. */
typedef struct ScenPageItem {
    char *html;
    ScenPageFigure *figure;
} ScenPageItem;

struct ScenPage {
    char *title;
    char *about;       /* or NULL */
    GString *cards;    /* HTML */
    GString *contents; /* HTML: a link to each section */
    GPtrArray *items;  /* of ScenPageItem */
    guint sections;
    char *path, *text; /* of the scenario; @text NULL: not given */
    char **overrides;  /* or NULL */
    guint64 seed;
};

/** Rows of @figure, an unfinished one not counted. */
guint scen_page_rows(const ScenPageFigure *figure);

/** The column of @role, or -1. */
int scen_page_role(const ScenPageFigure *figure, ScenPageRole role);

/** The rows of @figure that are kept, in order (of guint), and in @remark what was left out, or NULL.
 *  The caller owns both. */
GArray *scen_page_thin(const ScenPageFigure *figure, char **remark);

/** Appends @text with the characters that HTML gives a meaning written as entities. */
void scen_page_escape(GString *html, const char *text);

/** Appends the cell of @row as it is shown to a reader, not escaped. */
void scen_page_show(GString *text, const ScenPageColumn *column, guint row);

/** The document with the charting library @library, or without one (NULL), and then @why is said. The
 *  caller owns it. */
char *scen_page_write(const ScenPage *page, const char *library, const char *why);

/** Appends the figure, with its data; @charts: it will be drawn, else its table stands open. */
void scen_page_figure_html(GString *html, const ScenPageFigure *figure, gboolean charts);

#endif

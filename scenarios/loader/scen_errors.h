/** Where a text came from and what is wrong with it: every fault of a load, collected. */
#ifndef SCEN_ERRORS_H
#define SCEN_ERRORS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define SCEN_ERROR (scen_error_quark())
GQuark scen_error_quark(void);

/** What the caller can do about it. */
typedef enum ScenErrorCode {
    SCEN_ERROR_WRONG, /* the scenario is wrong or cannot be read: its author can mend it */
    SCEN_ERROR_DATA,  /* a catalog of Orrery's own is wrong or missing: the installation is */
} ScenErrorCode;

/** Whose text it is. Errors are reported in this order. */
typedef enum ScenOrigin {
    SCEN_ORIGIN_DOCUMENT, /* the scenario, or a file that it names */
    SCEN_ORIGIN_OVERRIDE, /* --set on the command line: no line, the file is the text itself */
    SCEN_ORIGIN_CATALOG,  /* a catalog of the data folder */
} ScenOrigin;

/** A place in a text. @line and @column count from 1; line 0 names the file alone. @file is
 *  borrowed from whoever read the text. */
typedef struct ScenMark {
    const char *file;
    int64_t line;
    int64_t column;
    ScenOrigin origin;
} ScenMark;

typedef struct ScenErrors ScenErrors;

ScenErrors *scen_errors_new(void);
void scen_errors_free(ScenErrors *errors);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenErrors, scen_errors_free)

/** Adds one fault at @mark, which is copied. */
void scen_errors_add(ScenErrors *errors, ScenMark mark, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

size_t scen_errors_count(const ScenErrors *errors);

/** True when nothing was added. Else false and @error has one line a fault, "file:line:column:
 *  message", sorted by place, equal lines once, at most 100. */
bool scen_errors_report(ScenErrors *errors, GError **error);

/** Sets @error (SCEN_ERROR_WRONG) to a message; always false. */
bool scen_wrong(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** @text in quotes, shortened to some 60 characters, control characters escaped: fit for a
 *  message, whatever a file held. The caller owns the result. */
char *scen_quote(const char *text);

#endif

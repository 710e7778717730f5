/** Reading a text file line by line in bounded memory, with the place of every fault. */
#ifndef SCEN_LINES_H
#define SCEN_LINES_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** Longest line, in bytes. */
enum { SCEN_LINES_MAX = 16 << 20 };

typedef struct ScenLines ScenLines;

/** Reads @file, which it takes and which can be rewound; messages call it @name. Free with
 *  scen_lines_free(). */
ScenLines *scen_lines_new(FILE *file, const char *name);

/** The same for the file @path. NULL and @error when it is missing or no regular file. */
ScenLines *scen_lines_open(const char *path, GError **error);

void scen_lines_free(ScenLines *lines);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenLines, scen_lines_free)

/** The next line that is not blank, without its end (LF or CRLF) and a byte order mark; borrowed
 *  until the next call. NULL at the end, or with @error when it is too long, holds a NUL, or cannot
 *  be read. */
const char *scen_lines_next(ScenLines *lines, GError **error);

/** Starts over. */
void scen_lines_rewind(ScenLines *lines);

/** Sets @error to "file:line:column: " and the formatted text, the column being that of @at in the
 *  last line (left out when NULL); always false. */
bool scen_lines_fail(const ScenLines *lines, const char *at, GError **error, const char *format,
                     ...) G_GNUC_PRINTF(4, 5);

#endif

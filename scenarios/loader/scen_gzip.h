/** Files compressed with gzip. */
#ifndef SCEN_GZIP_H
#define SCEN_GZIP_H

#include <glib.h>
#include <stdbool.h>

/** Whether @bytes start as a gzip file does. */
bool scen_gzip_is(const char *bytes, gsize length);

/** What @bytes, a gzip file, hold, with a NUL after it; its length without that into @out_length.
 *  NULL and @error (without the file's name) when they are damaged or hold more than @most bytes.
 *  The caller owns it. */
char *scen_gzip_inflate(const char *bytes, gsize length, gsize most, gsize *out_length,
                        GError **error);

#endif

/** Tables of named rows: policies, schedules, kinds. */
#ifndef SIM_ROW_H
#define SIM_ROW_H

#include <glib.h>
#include <stddef.h>

/** The row called @name of @count rows of @size bytes, each of which begins with its name (const
 *  char *). NULL and @error, of @domain and @code, which calls a row @what and lists those that
 *  there are; so for a @name of NULL. */
const void *sim_row_by_name(const void *rows, size_t count, size_t size, const char *name,
                            const char *what, GQuark domain, int code, GError **error);

#endif

/** Comma-separated tables (RFC 4180), with the line of every fault. */
#ifndef SCEN_CSV_H
#define SCEN_CSV_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct ScenCsv ScenCsv;

/** Reads the file @path whole, compressed with gzip or not, and its header. NULL and @error when it
 * cannot be read, is empty, or is no text. Free with scen_csv_free(). */
ScenCsv *scen_csv_open(const char *path, GError **error);
void scen_csv_free(ScenCsv *csv);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenCsv, scen_csv_free)

/** Goes to the next row, leaving out empty lines and comments (#). False at the end, or with @error
 *  when a row has not as many fields as the header. */
bool scen_csv_next(ScenCsv *csv, GError **error);

/** The number of the column @name, -1 when there is none. */
int scen_csv_column(const ScenCsv *csv, const char *name);

/** The column names, for messages. Borrowed. */
const char *scen_csv_header(const ScenCsv *csv);

/** The field of the row in @column, "" when that is -1. Borrowed until the next row. */
const char *scen_csv_text(const ScenCsv *csv, int column);

/** The field as a finite number of at least @least; false and @error (file:line) when it is none.
 */
bool scen_csv_number(const ScenCsv *csv, int column, double least, double *value, GError **error);

/** The same as a whole number from @least to 2^40. An empty field is @absent where that is not
 *  below @least. */
bool scen_csv_integer(const ScenCsv *csv, int column, int64_t least, int64_t absent, int64_t *value,
                      GError **error);

/** The same up to 2^31: an extent of a matrix, of which two can be multiplied. */
bool scen_csv_size(const ScenCsv *csv, int column, int64_t least, int64_t absent, int64_t *value,
                   GError **error);

/** Sets @error to "file:line: " and the formatted text; always false. */
bool scen_csv_fail(const ScenCsv *csv, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

#endif

/* Comma-separated tables, split in place.
 *
 * Fields are separated by commas and may stand in double quotes, a quote inside being doubled (RFC
 * 4180); a quoted field ends on its line. Lines end in LF or CRLF. Lines that are empty or start
 * with # say nothing. A byte order mark before the header is left out. A file may be compressed
 * with gzip. */
#include "scen_csv.h"

#include "scen_errors.h"
#include "scen_gzip.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

enum { BYTES_MAX = 256 << 20, COLUMNS_MAX = 512 };

struct ScenCsv {
    char *path;
    char *text;
    char *rest;        /* the first byte of the next line */
    char *header_line; /* as it was written */
    GPtrArray *header; /* of char *, inside @header_text */
    char *header_text;
    GPtrArray *fields; /* likewise of the row */
    int64_t line;
};

bool scen_csv_fail(const ScenCsv *csv, GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s:%" G_GINT64_FORMAT ": %s", csv->path,
                csv->line, message);
    return false;
}

/* The next line without its end, NULL when there is none. */
static char *next_line(ScenCsv *csv)
{
    while (*csv->rest != '\0') {
        char *line = csv->rest, *end = strchr(line, '\n');
        csv->rest = end ? end + 1 : line + strlen(line);
        csv->line++;
        if (end)
            *end = '\0';
        g_strchomp(line);
        if (*line != '\0' && *line != '#')
            return line;
    }
    return NULL;
}

/* Takes the quotes off the field at @at, in place; what follows it. NULL: it does not end. */
static char *unquote(char *at)
{
    char *out = at, *in = at + 1;
    for (;; in++) {
        if (*in == '\0')
            return NULL;
        if (*in == '"' && in[1] != '"')
            break;
        in += *in == '"';
        *out++ = *in;
    }
    *out = '\0';
    return in + 1;
}

static bool split(const ScenCsv *csv, char *line, GPtrArray *fields, GError **error)
{
    g_ptr_array_set_size(fields, 0);
    for (char *at = line;;) {
        char *end = *at == '"' ? unquote(at) : at + strcspn(at, ",");
        if (!end || (*end != ',' && *end != '\0'))
            return scen_csv_fail(csv, error, "a quoted field does not end as it should");
        g_ptr_array_add(fields, at);
        if (fields->len > COLUMNS_MAX)
            return scen_csv_fail(csv, error, "more than %d columns", COLUMNS_MAX);
        if (*end == '\0')
            return true;
        *end = '\0';
        at = end + 1;
    }
}

static bool read_text(ScenCsv *csv, GError **error)
{
    GStatBuf about;
    bool there = g_stat(csv->path, &about) == 0;
    if (there && !S_ISREG(about.st_mode))
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s: not a file", csv->path);
    else if (there && about.st_size > BYTES_MAX)
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s: larger than %d MiB", csv->path,
                    BYTES_MAX >> 20);
    if (there && (!S_ISREG(about.st_mode) || about.st_size > BYTES_MAX))
        return false;
    gsize length = 0;
    g_autoptr(GError) cause = NULL;
    if (!g_file_get_contents(csv->path, &csv->text, &length, &cause)) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s: cannot be read: %s", csv->path,
                    there ? cause->message : "no such file");
        return false;
    }
    if (scen_gzip_is(csv->text, length)) {
        g_autofree char *packed = g_steal_pointer(&csv->text);
        csv->text = scen_gzip_inflate(packed, length, BYTES_MAX, &length, &cause);
        if (!csv->text) {
            g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s: cannot be unpacked: %s",
                        csv->path, cause->message);
            return false;
        }
    }
    if (!g_utf8_validate_len(csv->text, length, NULL)) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s: not a text file", csv->path);
        return false;
    }
    return true;
}

ScenCsv *scen_csv_open(const char *path, GError **error)
{
    g_autoptr(ScenCsv) csv = g_new0(ScenCsv, 1);
    csv->path = g_strdup(path);
    csv->header = g_ptr_array_new();
    csv->fields = g_ptr_array_new();
    if (!read_text(csv, error))
        return NULL;
    csv->rest = csv->text + (g_str_has_prefix(csv->text, "\xef\xbb\xbf") ? 3 : 0);
    char *line = next_line(csv);
    if (!line) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s: the table is empty", path);
        return NULL;
    }
    csv->header_line = g_strdup(line);
    csv->header_text = g_strdup(line);
    if (!split(csv, csv->header_text, csv->header, error))
        return NULL;
    for (guint i = 0; i < csv->header->len; i++)
        g_strstrip(csv->header->pdata[i]);
    return g_steal_pointer(&csv);
}

void scen_csv_free(ScenCsv *csv)
{
    if (!csv)
        return;
    g_free(csv->path);
    g_free(csv->text);
    g_free(csv->header_line);
    g_free(csv->header_text);
    g_ptr_array_unref(csv->header);
    g_ptr_array_unref(csv->fields);
    g_free(csv);
}

bool scen_csv_next(ScenCsv *csv, GError **error)
{
    char *line = next_line(csv);
    if (!line || !split(csv, line, csv->fields, error))
        return false;
    if (csv->fields->len != csv->header->len)
        return scen_csv_fail(csv, error, "%u fields where the header has %u", csv->fields->len,
                             csv->header->len);
    return true;
}

int scen_csv_column(const ScenCsv *csv, const char *name)
{
    for (guint i = 0; i < csv->header->len; i++)
        if (g_str_equal(csv->header->pdata[i], name))
            return (int)i;
    return -1;
}

const char *scen_csv_header(const ScenCsv *csv)
{
    return csv->header_line;
}

const char *scen_csv_text(const ScenCsv *csv, int column)
{
    return column >= 0 ? csv->fields->pdata[column] : "";
}

static const char *name_of(const ScenCsv *csv, int column)
{
    return column >= 0 ? csv->header->pdata[column] : "a column that is missing";
}

bool scen_csv_number(const ScenCsv *csv, int column, double least, double *value, GError **error)
{
    const char *text = scen_csv_text(csv, column);
    char *end = NULL;
    double number = g_ascii_strtod(text, &end);
    while (*end == ' ')
        end++;
    if (*text == '\0' || *end != '\0' || !isfinite(number) || number < least) {
        g_autofree char *quoted = scen_quote(text);
        return scen_csv_fail(csv, error, "%s must be a number %s %g, not %s", name_of(csv, column),
                             least > 0.0 ? "of at least" : "from", least, quoted);
    }
    *value = number;
    return true;
}

/* The same up to two to the power of @bits. */
static bool whole_number(const ScenCsv *csv, int column, int64_t least, int64_t absent, int bits,
                         int64_t *value, GError **error)
{
    const char *text = scen_csv_text(csv, column);
    double number = 0.0;
    *value = absent;
    if (*text == '\0' && absent >= least)
        return true;
    if (!scen_csv_number(csv, column, (double)least, &number, error))
        return false;
    if (number != floor(number) || number > ldexp(1.0, bits))
        return scen_csv_fail(csv, error, "%s must be a whole number up to 2^%d, not %s",
                             name_of(csv, column), bits, text);
    *value = (int64_t)number;
    return true;
}

bool scen_csv_integer(const ScenCsv *csv, int column, int64_t least, int64_t absent, int64_t *value,
                      GError **error)
{
    return whole_number(csv, column, least, absent, 40, value, error);
}

bool scen_csv_size(const ScenCsv *csv, int column, int64_t least, int64_t absent, int64_t *value,
                   GError **error)
{
    return whole_number(csv, column, least, absent, 31, value, error);
}

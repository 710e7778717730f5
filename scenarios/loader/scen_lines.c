/* Lines through one buffer: it holds what was read and not handed out, moves the rest to its front
 * when it has used the others up, and doubles while one line does not fit, up to SCEN_LINES_MAX.
 * Memory is that of the longest line, whatever the file's length. */
#include "scen_lines.h"

#include "scen_errors.h"

#include <glib/gstdio.h>
#include <string.h>

enum { FIRST_BYTES = 64 << 10 };

struct ScenLines {
    FILE *file;
    char *name;
    char *buffer; /* one byte more than @capacity, for a NUL */
    size_t capacity, from, to;
    const char *line; /* the last one */
    int64_t number;
    bool ended; /* the file, not the buffer */
};

ScenLines *scen_lines_new(FILE *file, const char *name)
{
    ScenLines *lines = g_new0(ScenLines, 1);
    lines->file = file;
    lines->name = g_strdup(name);
    lines->capacity = FIRST_BYTES;
    lines->buffer = g_malloc(FIRST_BYTES + 1);
    return lines;
}

ScenLines *scen_lines_open(const char *path, GError **error)
{
    GStatBuf about;
    bool there = g_stat(path, &about) == 0;
    FILE *file = there && S_ISREG(about.st_mode) ? g_fopen(path, "rbe") : NULL;
    if (file)
        return scen_lines_new(file, path);
    const char *why = !there                    ? "no such file"
                      : !S_ISREG(about.st_mode) ? "not a file"
                                                : "cannot be read";
    g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s: %s", path, why);
    return NULL;
}

void scen_lines_free(ScenLines *lines)
{
    if (!lines)
        return;
    fclose(lines->file);
    g_free(lines->name);
    g_free(lines->buffer);
    g_free(lines);
}

bool scen_lines_fail(const ScenLines *lines, const char *at, GError **error, const char *format,
                     ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *column =
        at && lines->line ? g_strdup_printf("%td:", at - lines->line + 1) : g_strdup("");
    g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG, "%s:%" G_GINT64_FORMAT ":%s %s", lines->name,
                lines->number, column, message);
    return false;
}

/* Reads more behind what is there. False at the end of the file, or with @error. */
static bool fill(ScenLines *lines, GError **error)
{
    memmove(lines->buffer, lines->buffer + lines->from, lines->to - lines->from);
    lines->to -= lines->from;
    lines->from = 0;
    if (lines->to >= SCEN_LINES_MAX) {
        lines->number++;
        return scen_lines_fail(lines, NULL, error, "the line is longer than %d MiB",
                               SCEN_LINES_MAX >> 20);
    }
    if (lines->to == lines->capacity) {
        lines->capacity *= 2;
        lines->buffer = g_realloc(lines->buffer, lines->capacity + 1);
    }
    size_t got = fread(lines->buffer + lines->to, 1, lines->capacity - lines->to, lines->file);
    lines->to += got;
    lines->ended = got == 0;
    if (got == 0 && ferror(lines->file))
        return scen_lines_fail(lines, NULL, error, "the file cannot be read on");
    return got > 0;
}

/* The next line with its @length, blank or not. */
static char *raw_line(ScenLines *lines, size_t *length, GError **error)
{
    size_t looked = 0;
    lines->line = NULL;
    for (;;) {
        char *start = lines->buffer + lines->from;
        char *end = memchr(start + looked, '\n', lines->to - lines->from - looked);
        looked = lines->to - lines->from;
        if (!end && !lines->ended) {
            g_autoptr(GError) cause = NULL;
            if (!fill(lines, &cause) && cause) {
                g_propagate_error(error, g_steal_pointer(&cause));
                return NULL;
            }
            continue;
        }
        if (!end && looked == 0)
            return NULL;
        *length = end ? (size_t)(end - start) : looked;
        lines->from += *length + (end ? 1 : 0);
        lines->number++;
        lines->line = start;
        start[*length] = '\0';
        return start;
    }
}

const char *scen_lines_next(ScenLines *lines, GError **error)
{
    size_t length = 0;
    for (char *line = raw_line(lines, &length, error); line;
         line = raw_line(lines, &length, error)) {
        if (strlen(line) < length) {
            scen_lines_fail(lines, line + strlen(line), error, "not a text file: a NUL");
            return NULL;
        }
        if (lines->number == 1 && g_str_has_prefix(line, "\xef\xbb\xbf"))
            lines->line = line += 3;
        g_strchomp(line);
        if (*line != '\0')
            return line;
    }
    return NULL;
}

void scen_lines_rewind(ScenLines *lines)
{
    rewind(lines->file);
    lines->from = lines->to = 0;
    lines->number = 0;
    lines->ended = false;
    lines->line = NULL;
}

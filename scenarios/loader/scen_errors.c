/* Faults of a load, collected.
 *
 * A person who mends a scenario wants all faults at once, in the order of the file, so nothing in
 * the loader stops at the first one: readers, binders and checks add to one ScenErrors and carry
 * on with what is still sound. At the end the collection becomes one GError, a line a fault.
 *
 * Order is total: by origin (the scenario before --set before catalogs), file, line, column and
 * then the order of arrival. Aliases can make one node be judged twice, so equal neighbours are
 * printed once. */
#include "scen_errors.h"

#include <string.h>

#define LINES_MAX 100
#define FAULTS_MAX 2000 /* kept; a hostile file must not fill the memory with complaints */
#define QUOTE_BYTES_MAX 60

G_DEFINE_QUARK(scen_error, scen_error)

typedef struct Fault {
    ScenMark mark; /* its file is owned here */
    size_t sequence;
    char *line;
} Fault;

struct ScenErrors {
    GArray *faults;
    size_t dropped; /* beyond FAULTS_MAX */
};

static void fault_clear(void *data)
{
    Fault *fault = data;
    g_free((char *)fault->mark.file);
    g_free(fault->line);
}

ScenErrors *scen_errors_new(void)
{
    ScenErrors *errors = g_new0(ScenErrors, 1);
    errors->faults = g_array_new(FALSE, FALSE, sizeof(Fault));
    g_array_set_clear_func(errors->faults, fault_clear);
    return errors;
}

void scen_errors_free(ScenErrors *errors)
{
    if (!errors)
        return;
    g_array_unref(errors->faults);
    g_free(errors);
}

static char *with_place(ScenMark mark, const char *message)
{
    if (!mark.file)
        return g_strdup(message);
    if (mark.line == 0 || mark.origin == SCEN_ORIGIN_OVERRIDE)
        return g_strdup_printf("%s: %s", mark.file, message);
    return g_strdup_printf("%s:%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT ": %s", mark.file, mark.line,
                           mark.column, message);
}

void scen_errors_add(ScenErrors *errors, ScenMark mark, const char *format, ...)
{
    if (errors->faults->len >= FAULTS_MAX) {
        errors->dropped++;
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    Fault fault = {
        .mark = mark,
        .sequence = errors->faults->len,
        .line = with_place(mark, message),
    };
    fault.mark.file = g_strdup(mark.file);
    g_array_append_val(errors->faults, fault);
}

size_t scen_errors_count(const ScenErrors *errors)
{
    return errors->faults->len + errors->dropped;
}

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int fault_compare(const void *left, const void *right)
{
    const Fault *a = left;
    const Fault *b = right;
    int by = order((int64_t)a->mark.origin, (int64_t)b->mark.origin);
    if (by == 0)
        by = g_strcmp0(a->mark.file, b->mark.file);
    if (by == 0)
        by = order(a->mark.line, b->mark.line);
    if (by == 0)
        by = order(a->mark.column, b->mark.column);
    return by != 0 ? by : order((int64_t)a->sequence, (int64_t)b->sequence);
}

bool scen_errors_report(ScenErrors *errors, GError **error)
{
    GArray *faults = errors->faults;
    if (faults->len == 0)
        return true;
    g_array_sort(faults, fault_compare);
    g_autoptr(GString) text = g_string_new(NULL);
    const char *last = NULL;
    size_t lines = 0;
    for (size_t i = 0; i < faults->len; i++) {
        const char *line = g_array_index(faults, Fault, i).line;
        if (last && g_str_equal(last, line))
            continue;
        last = line;
        if (lines++ < LINES_MAX)
            g_string_append_printf(text, "%s%s", text->len ? "\n" : "", line);
    }
    lines += errors->dropped;
    if (lines > LINES_MAX)
        g_string_append_printf(text, "\nand %zu more", lines - LINES_MAX);
    bool catalogs_only = g_array_index(faults, Fault, 0).mark.origin == SCEN_ORIGIN_CATALOG;
    g_set_error_literal(error, SCEN_ERROR, catalogs_only ? SCEN_ERROR_DATA : SCEN_ERROR_WRONG,
                        text->str);
    return false;
}

char *scen_quote(const char *text)
{
    GString *quoted = g_string_new("'");
    const char *at = text;
    while (*at && at - text < QUOTE_BYTES_MAX) {
        gunichar c = g_utf8_get_char_validated(at, -1);
        if (c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append_printf(quoted, "\\x%02x", (unsigned)(unsigned char)*at++);
            continue;
        }
        if (g_unichar_isprint(c))
            g_string_append_unichar(quoted, c);
        else
            g_string_append_printf(quoted, "\\u%04x", c);
        at = g_utf8_next_char(at);
    }
    g_string_append(quoted, *at ? "...'" : "'");
    return g_string_free(quoted, FALSE);
}

bool scen_wrong(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, SCEN_ERROR, SCEN_ERROR_WRONG, message);
    return false;
}

/* Pieces of text that reports share: ASCII, 100 columns, decimal points. */
#include "scen_text.h"

#include <math.h>
#include <string.h>

void scen_text_wrap(GString *out, const char *text, int column, int indent)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \t\n", -1);
    int start = column;
    for (size_t i = 0; words[i]; i++) {
        int length = (int)g_utf8_strlen(words[i], -1);
        if (length == 0)
            continue;
        if (column > start && column + 1 + length > SCEN_TEXT_WIDTH) {
            g_string_append_printf(out, "\n%*s", indent, "");
            column = start = indent;
        }
        g_string_append_printf(out, "%s%s", column > start ? " " : "", words[i]);
        column += length + (column > start);
    }
    g_string_append_c(out, '\n');
}

void scen_text_line(GString *out, int column, const char *label, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_string_append_printf(out, "%-*s", column, label);
    scen_text_wrap(out, text, column, column);
}

char *scen_text_seconds(double seconds)
{
    static const struct {
        double least, scale;
        const char *unit;
    } units[] = {
        {1.0,  1.0, "s" },
        {1e-3, 1e3, "ms"},
        {0.0,  1e6, "us"},
    };
    size_t i = 0;
    while (seconds < units[i].least)
        i++;
    double value = seconds * units[i].scale;
    return g_strdup_printf("%.*f %s", value < 100.0 ? 3 : 1, value, units[i].unit);
}

void scen_text_bar(GString *out, double fraction, int width)
{
    for (long i = 0, length = lround(fraction * width); i < length; i++)
        g_string_append_c(out, '#');
}

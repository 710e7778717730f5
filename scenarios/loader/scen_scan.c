/* A scanner for lines of JSON (RFC 8259). It finds where values start and end, which is all that
 * reading a few known keys out of a long trace takes. Groups may be nested DEPTH_MAX deep. */
#include "scen_scan.h"

#include <glib.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

static bool fail(ScenScan *scan, const char *expected)
{
    if (!scan->expected)
        scan->expected = expected;
    return false;
}

static char peek(ScenScan *scan)
{
    while (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r')
        scan->at++;
    return *scan->at;
}

static bool accept(ScenScan *scan, char wanted)
{
    bool there = !scan->expected && peek(scan) == wanted;
    scan->at += there;
    return there;
}

static char closing(char open)
{
    return open == '{' ? '}' : ']';
}

bool scen_scan_enter(ScenScan *scan, char open)
{
    if (!accept(scan, open))
        return fail(scan, open == '{' ? "a map {...}" : "a list [...]");
    return !accept(scan, closing(open));
}

bool scen_scan_more(ScenScan *scan, char open)
{
    if (accept(scan, ','))
        return true;
    if (!accept(scan, closing(open)))
        fail(scan, open == '{' ? "',' or '}'" : "',' or ']'");
    return false;
}

static bool read_text(ScenScan *scan, ScenSlice *text)
{
    if (!accept(scan, '"'))
        return fail(scan, "a text in double quotes");
    const char *at = scan->at;
    while (*at != '"' && *at != '\0')
        at += *at == '\\' && at[1] != '\0' ? 2 : 1;
    if (*at == '\0')
        return fail(scan, "a text that ends on its line");
    *text = (ScenSlice){.text = scan->at, .length = (size_t)(at - scan->at)};
    scan->at = at + 1;
    return true;
}

bool scen_scan_key(ScenScan *scan, ScenSlice *key)
{
    if (!read_text(scan, key))
        return false;
    return accept(scan, ':') || fail(scan, "':'");
}

static const char *digits_end(const char *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

const char *scen_scan_number_end(const char *text)
{
    const char *at = text + (*text == '-');
    const char *end = digits_end(at);
    if (end == at)
        return text;
    if (*end == '.' && g_ascii_isdigit(end[1]))
        end = digits_end(end + 1);
    if (*end == 'e' || *end == 'E') {
        const char *exponent = end + 1 + (end[1] == '+' || end[1] == '-');
        if (g_ascii_isdigit(*exponent))
            end = digits_end(exponent);
    }
    return end;
}

static bool skip_value(ScenScan *scan, int depth)
{
    ScenSlice unused;
    char first = peek(scan);
    if (first == '{' || first == '[') {
        if (depth == DEPTH_MAX)
            return fail(scan, "groups that are not nested so deep");
        for (bool more = scen_scan_enter(scan, first); more; more = scen_scan_more(scan, first))
            if ((first == '{' && !scen_scan_key(scan, &unused)) || !skip_value(scan, depth + 1))
                return false;
        return !scan->expected;
    }
    if (first == '"')
        return read_text(scan, &unused);
    const char *end = scen_scan_number_end(scan->at);
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < G_N_ELEMENTS(words) && end == scan->at; i++)
        if (g_str_has_prefix(scan->at, words[i]))
            end += strlen(words[i]);
    if (end == scan->at)
        return fail(scan, "a JSON value");
    scan->at = end;
    return true;
}

bool scen_scan_value(ScenScan *scan, ScenSlice *value)
{
    if (scan->expected)
        return false;
    bool quoted = peek(scan) == '"';
    const char *start = scan->at;
    if (!skip_value(scan, 0))
        return false;
    *value = (ScenSlice){.text = start + quoted,
                         .length = (size_t)(scan->at - start) - (quoted ? 2 : 0)};
    return true;
}

bool scen_scan_end(ScenScan *scan)
{
    if (scan->expected)
        return false;
    return peek(scan) == '\0' || fail(scan, "the end of the line");
}

/* Quantities with units.
 *
 *   quantity = ["$"] number [blanks] [prefix] unit
 *
 * The value is number * prefix * unit in SI, where numbers are decimal (no hexadecimal, no nan, no
 * inf). Case tells bits from bytes: `Gb/s` and `Gbps` are bits, `GB/s` bytes. Prefixes are decimal
 * (k M G T P E: powers of 1000) or binary (Ki Mi Gi Ti Pi Ei: powers of 1024, IEC 80000-13), and
 * n u m below one. Small prefixes divide rather than multiply, so that `5 us` is the double next
 * to 5e-6, the same as a literal in C.
 *
 * Each dimension has bounds of plausibility. They are wide; they are there so that no later product
 * or quotient can overflow or make a NaN. */
#include "scen_quantity.h"

#include "scen_errors.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef struct Dimension {
    const char *name;
    const char *units;
    const char *example;
    double smallest; /* unless zero */
    double largest;
} Dimension;

/* in the order of ScenDimension */
static const Dimension dimensions[] = {
    {"a time",         "ns us ms s min h d",                      "5 us",        1e-15, 1e9 },
    {"a size",         "B kB MB GB TB PB KiB MiB GiB TiB PiB",    "80 GiB",      0.125, 1e21},
    {"a rate",         "kbps Mbps Gbps Tbps kB/s MB/s GB/s TB/s", "400 Gbps",    1.0,   1e18},
    {"a frequency",    "Hz kHz MHz GHz",                          "1410 MHz",    1.0,   1e15},
    {"a request rate", "/s /min",                                 "10 /s",       1e-9,  1e9 },
    {"a compute rate", "FLOP/s GFLOP/s TFLOP/s PFLOP/s",          "312 TFLOP/s", 1.0,   1e24},
    {"a power",        "mW W kW MW",                              "400 W",       1e-6,  1e12},
    {"a length",       "mm m km",                                 "2 m",         1e-9,  1e9 },
    {"a price",        "$/h",                                     "$2.00/h",     1e-9,  1e12},
    {"money",          "$",                                       "$30000",      1e-9,  1e15},
    {"a price",        "$/kWh",                                   "$0.10/kWh",   1e-9,  1e6 },
};
_Static_assert(G_N_ELEMENTS(dimensions) == SCEN_DIMENSION_COUNT, "a row for each dimension");

enum { NONE = 0, SMALL = 1, LARGE = 2, BINARY = 4 };

typedef struct Prefix {
    const char *text;
    int family;
    double multiply, divide;
} Prefix;

static const Prefix prefixes[] = {
    {"",       NONE,   1.0,    1.0 },
    {"p",      SMALL,  1.0,    1e12},
    {"n",      SMALL,  1.0,    1e9 },
    {"u",      SMALL,  1.0,    1e6 },
    {"\u00b5", SMALL,  1.0,    1e6 },
    {"\u03bc", SMALL,  1.0,    1e6 },
    {"m",      SMALL,  1.0,    1e3 },
    {"k",      LARGE,  1e3,    1.0 },
    {"M",      LARGE,  1e6,    1.0 },
    {"G",      LARGE,  1e9,    1.0 },
    {"T",      LARGE,  1e12,   1.0 },
    {"P",      LARGE,  1e15,   1.0 },
    {"E",      LARGE,  1e18,   1.0 },
    {"Ki",     BINARY, 0x1p10, 1.0 },
    {"Mi",     BINARY, 0x1p20, 1.0 },
    {"Gi",     BINARY, 0x1p30, 1.0 },
    {"Ti",     BINARY, 0x1p40, 1.0 },
    {"Pi",     BINARY, 0x1p50, 1.0 },
    {"Ei",     BINARY, 0x1p60, 1.0 },
};

typedef struct Unit {
    const char *text;
    ScenDimension dimension;
    int families; /* of prefixes that it takes */
    double multiply, divide;
} Unit;

static const Unit units[] = {
    {"s",       SCEN_TIME_S,             SMALL,          1.0,     1.0},
    {"min",     SCEN_TIME_S,             NONE,           60.0,    1.0},
    {"h",       SCEN_TIME_S,             NONE,           3600.0,  1.0},
    {"d",       SCEN_TIME_S,             NONE,           86400.0, 1.0},
    {"day",     SCEN_TIME_S,             NONE,           86400.0, 1.0},
    {"days",    SCEN_TIME_S,             NONE,           86400.0, 1.0},
    {"B",       SCEN_DATA_BYTES,         LARGE | BINARY, 1.0,     1.0},
    {"bytes",   SCEN_DATA_BYTES,         NONE,           1.0,     1.0},
    {"b",       SCEN_DATA_BYTES,         LARGE | BINARY, 1.0,     8.0},
    {"bit",     SCEN_DATA_BYTES,         LARGE | BINARY, 1.0,     8.0},
    {"B/s",     SCEN_RATE_BYTES_PER_S,   LARGE | BINARY, 1.0,     1.0},
    {"b/s",     SCEN_RATE_BYTES_PER_S,   LARGE | BINARY, 1.0,     8.0},
    {"bit/s",   SCEN_RATE_BYTES_PER_S,   LARGE | BINARY, 1.0,     8.0},
    {"bps",     SCEN_RATE_BYTES_PER_S,   LARGE | BINARY, 1.0,     8.0},
    {"Hz",      SCEN_FREQUENCY_HZ,       LARGE,          1.0,     1.0},
    {"/s",      SCEN_RATE_PER_S,         NONE,           1.0,     1.0},
    {"/min",    SCEN_RATE_PER_S,         NONE,           1.0,     60.},
    {"req/s",   SCEN_RATE_PER_S,         NONE,           1.0,     1.0},
    {"FLOP/s",  SCEN_COMPUTE_FLOP_PER_S, LARGE,          1.0,     1.0},
    {"FLOPS",   SCEN_COMPUTE_FLOP_PER_S, LARGE,          1.0,     1.0},
    {"W",       SCEN_POWER_W,            SMALL | LARGE,  1.0,     1.0},
    {"m",       SCEN_LENGTH_M,           SMALL | LARGE,  1.0,     1.0},
    {"$/h",     SCEN_PRICE_USD_PER_H,    NONE,           1.0,     1.0},
    {"USD/h",   SCEN_PRICE_USD_PER_H,    NONE,           1.0,     1.0},
    {"$",       SCEN_MONEY_USD,          NONE,           1.0,     1.0},
    {"USD",     SCEN_MONEY_USD,          NONE,           1.0,     1.0},
    {"$/kWh",   SCEN_PRICE_USD_PER_KWH,  NONE,           1.0,     1.0},
    {"USD/kWh", SCEN_PRICE_USD_PER_KWH,  NONE,           1.0,     1.0},
};

const char *scen_dimension_name(ScenDimension dimension)
{
    return dimensions[dimension].name;
}

const char *scen_dimension_units(ScenDimension dimension)
{
    return dimensions[dimension].units;
}

const char *scen_dimension_example(ScenDimension dimension)
{
    return dimensions[dimension].example;
}

static bool refuse(GError **error, const char *text, ScenDimension dimension, const char *why)
{
    const Dimension *row = &dimensions[dimension];
    g_autofree char *quoted = scen_quote(text);
    g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                "%s %s: expected %s with a unit of %s, as in '%s'", quoted, why, row->name,
                row->units, row->example);
    return false;
}

/** The end of the decimal number at @text, @text itself when there is none. */
static const char *number_end(const char *text)
{
    const char *at = text;
    if (*at == '+' || *at == '-')
        at++;
    const char *digits = at;
    while (g_ascii_isdigit(*at))
        at++;
    bool any = at > digits;
    if (*at == '.') {
        const char *fraction = ++at;
        while (g_ascii_isdigit(*at))
            at++;
        any = any || at > fraction;
    }
    if (!any)
        return text;
    if (*at == 'e' || *at == 'E') {
        const char *exponent = at + 1;
        if (*exponent == '+' || *exponent == '-')
            exponent++;
        if (g_ascii_isdigit(*exponent)) {
            at = exponent;
            while (g_ascii_isdigit(*at))
                at++;
        }
    }
    return at;
}

/** The unit and prefix that @text spells, @want's when two dimensions share a spelling. */
static const Unit *find_unit(const char *text, ScenDimension want, const Prefix **prefix)
{
    const Unit *found = NULL;
    for (size_t u = 0; u < G_N_ELEMENTS(units); u++) {
        bool ends = g_str_has_suffix(text, units[u].text);
        for (size_t p = 0; ends && p < G_N_ELEMENTS(prefixes); p++) {
            const Prefix *before = &prefixes[p];
            if (before->family != NONE && !(units[u].families & before->family))
                continue;
            if (!g_str_has_prefix(text, before->text) ||
                !g_str_equal(text + strlen(before->text), units[u].text))
                continue;
            if (found && units[u].dimension != want)
                continue;
            found = &units[u];
            *prefix = before;
        }
    }
    return found;
}

/** Splits "$2.00/h" and "400 Gbps" alike into a number and a unit. */
static bool split(const char *text, double *number, char **unit)
{
    g_autofree char *trimmed = g_strstrip(g_strdup(text));
    bool dollars = trimmed[0] == '$';
    const char *start = trimmed + (dollars ? 1 : 0);
    const char *end = number_end(start);
    if (end == start)
        return false;
    g_autofree char *digits = g_strndup(start, (size_t)(end - start));
    *number = g_ascii_strtod(digits, NULL);
    if (*number == 0.0 && strcspn(digits, "123456789") < strcspn(digits, "eE"))
        *number = DBL_TRUE_MIN; /* underflow, not a zero that was written */
    g_autofree char *rest = g_strchug(g_strdup(end));
    *unit = g_strconcat(dollars ? "$" : "", rest, NULL);
    return true;
}

bool scen_quantity_parse(const char *text, ScenDimension dimension, double *value, GError **error)
{
    double number = 0.0;
    g_autofree char *spelled = NULL;
    if (!split(text, &number, &spelled))
        return refuse(error, text, dimension, "is no number with a unit");
    if (spelled[0] == '\0')
        return refuse(error, text, dimension, "has no unit");
    const Prefix *prefix = NULL;
    const Unit *unit = find_unit(spelled, dimension, &prefix);
    if (!unit)
        return refuse(error, text, dimension, "has an unknown unit");
    if (unit->dimension != dimension) {
        g_autofree char *why = g_strdup_printf("is %s", dimensions[unit->dimension].name);
        return refuse(error, text, dimension, why);
    }
    double si = number * unit->multiply * prefix->multiply / (unit->divide * prefix->divide);
    if (signbit(number))
        return refuse(error, text, dimension, "is negative");
    if (!isfinite(si) || si > dimensions[dimension].largest)
        return refuse(error, text, dimension, "is too large");
    if (number != 0.0 && si < dimensions[dimension].smallest)
        return refuse(error, text, dimension, "is too small");
    *value = si;
    return true;
}

bool scen_quantity_is_plausible(double value, ScenDimension dimension)
{
    return value >= dimensions[dimension].smallest && value <= dimensions[dimension].largest;
}

/* The SI unit of a dimension, which is the first of its rows. */
static const Unit *plain_unit(ScenDimension dimension)
{
    const Unit *unit = units;
    while (unit->dimension != dimension)
        unit++;
    return unit;
}

/* The largest decimal prefix that leaves @value at 1 or more, else the smallest there is. */
static const Prefix *prefix_for(const Unit *unit, double value)
{
    const Prefix *best = &prefixes[0];
    double best_scale = 1.0;
    for (size_t i = 1; i < G_N_ELEMENTS(prefixes); i++) {
        const Prefix *prefix = &prefixes[i];
        double scale = prefix->multiply / prefix->divide;
        if (!(unit->families & prefix->family) || prefix->family == BINARY || prefix->text[0] < 0)
            continue;
        bool better =
            best_scale > value ? scale < best_scale : scale > best_scale && scale <= value;
        if (value > 0.0 && better) {
            best = prefix;
            best_scale = scale;
        }
    }
    return best;
}

char *scen_quantity_text(double value, ScenDimension dimension)
{
    const Unit *unit = plain_unit(dimension);
    const Prefix *prefix = prefix_for(unit, value);
    double shown = value * prefix->divide / prefix->multiply;
    if (unit->text[0] == '$')
        return g_strdup_printf("$%.6g%s", shown, unit->text + 1);
    return g_strdup_printf("%.6g %s%s", shown, prefix->text, unit->text);
}

#define BLANKS "[ \\t\\n\\f\\r]*"
#define NUMBER "(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:[eE][-+]?[0-9]+)?"

/* Adds @unit, spelled @text, with the prefixes that it takes. */
static void add_unit(GString *pattern, const Unit *unit, const char *text)
{
    g_autofree char *quoted = g_regex_escape_string(text, -1);
    const char *separator = "(?:";
    for (size_t p = 0; p < G_N_ELEMENTS(prefixes); p++)
        if (unit->families & prefixes[p].family) {
            g_string_append_printf(pattern, "%s%s", separator, prefixes[p].text);
            separator = "|";
        }
    g_string_append_printf(pattern, "%s%s", unit->families ? ")?" : "", quoted);
}

/* Adds a number and the units of @dimension; with @dollars those that start with one, which then
 * stands before the number. Nothing when there is none. */
static void add_spellings(GString *pattern, ScenDimension dimension, bool zero, bool dollars)
{
    const char *some = zero ? "" : "(?=[0-9.]*[1-9])";
    bool first = true;
    for (size_t u = 0; u < G_N_ELEMENTS(units); u++) {
        if (units[u].dimension != dimension || (dollars && units[u].text[0] != '$'))
            continue;
        if (first)
            g_string_append_printf(pattern, "%s\\+?%s" NUMBER BLANKS "(?:", dollars ? "|\\$" : "",
                                   some);
        else
            g_string_append_c(pattern, '|');
        first = false;
        add_unit(pattern, &units[u], units[u].text + (dollars ? 1 : 0));
    }
    if (!first)
        g_string_append_c(pattern, ')');
}

char *scen_dimension_pattern(ScenDimension dimension, bool zero)
{
    GString *pattern = g_string_new("^" BLANKS "(?:");
    add_spellings(pattern, dimension, zero, false);
    add_spellings(pattern, dimension, zero, true);
    g_string_append(pattern, ")" BLANKS "$");
    return g_string_free(pattern, FALSE);
}

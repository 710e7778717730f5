/* Quantities: every unit of the table against a literal in SI, and every way to write one wrongly.
 */
#include "scen_errors.h"
#include "scen_quantity.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

static const struct {
    const char *text;
    ScenDimension dimension;
    double want;
} good[] = {
    {"5 us",         SCEN_TIME_S,             5e-6         },
    {"5us",          SCEN_TIME_S,             5e-6         },
    {"  5  us  ",    SCEN_TIME_S,             5e-6         },
    {"5 \u00b5s",    SCEN_TIME_S,             5e-6         },
    {"5 \u03bcs",    SCEN_TIME_S,             5e-6         },
    {"350 ns",       SCEN_TIME_S,             350e-9       },
    {"13.8 s",       SCEN_TIME_S,             13.8         },
    {"1.5e3 ms",     SCEN_TIME_S,             1.5          },
    {"2 min",        SCEN_TIME_S,             120.0        },
    {"2 h",          SCEN_TIME_S,             7200.0       },
    {"1 d",          SCEN_TIME_S,             86400.0      },
    {"0 s",          SCEN_TIME_S,             0.0          },
    {"80 GiB",       SCEN_DATA_BYTES,         80.0 * 0x1p30},
    {"80 GB",        SCEN_DATA_BYTES,         80e9         },
    {"8 Gb",         SCEN_DATA_BYTES,         1e9          },
    {"50 MiB",       SCEN_DATA_BYTES,         50.0 * 0x1p20},
    {"16 B",         SCEN_DATA_BYTES,         16.0         },
    {"400 Gbps",     SCEN_RATE_BYTES_PER_S,   50e9         },
    {"400 Gb/s",     SCEN_RATE_BYTES_PER_S,   50e9         },
    {"400 GB/s",     SCEN_RATE_BYTES_PER_S,   400e9        },
    {"1 GiB/s",      SCEN_RATE_BYTES_PER_S,   0x1p30       },
    {"3.35 TB/s",    SCEN_RATE_BYTES_PER_S,   3.35e12      },
    {"1410 MHz",     SCEN_FREQUENCY_HZ,       1.41e9       },
    {"1.98 GHz",     SCEN_FREQUENCY_HZ,       1.98e9       },
    {"10 /s",        SCEN_RATE_PER_S,         10.0         },
    {"90/min",       SCEN_RATE_PER_S,         1.5          },
    {"5 req/s",      SCEN_RATE_PER_S,         5.0          },
    {"312 TFLOP/s",  SCEN_COMPUTE_FLOP_PER_S, 312e12       },
    {"1.979 PFLOPS", SCEN_COMPUTE_FLOP_PER_S, 1.979e15     },
    {"400 W",        SCEN_POWER_W,            400.0        },
    {"10.2 kW",      SCEN_POWER_W,            10.2e3       },
    {"2 m",          SCEN_LENGTH_M,           2.0          },
    {"3 km",         SCEN_LENGTH_M,           3000.0       },
    {"$2.00/h",      SCEN_PRICE_USD_PER_H,    2.0          },
    {"2.5 $/h",      SCEN_PRICE_USD_PER_H,    2.5          },
    {"2.5 USD/h",    SCEN_PRICE_USD_PER_H,    2.5          },
    {"$30000",       SCEN_MONEY_USD,          30000.0      },
    {"$0.10/kWh",    SCEN_PRICE_USD_PER_KWH,  0.1          },
};

Test(scen_quantity, units_become_si)
{
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        double got = -1.0;
        cr_expect(scen_quantity_parse(good[i].text, good[i].dimension, &got, &error), "%s: %s",
                  good[i].text, error ? error->message : "");
        cr_expect(fabs(got - good[i].want) <= 2.0 * DBL_EPSILON * good[i].want, "%s: %g",
                  good[i].text, got);
    }
}

static const struct {
    const char *text;
    ScenDimension dimension;
    const char *want; /* a part of the message */
} bad[] = {
    {"400",           SCEN_RATE_BYTES_PER_S,   "'400' has no unit: expected a rate with a unit of"},
    {"0",             SCEN_TIME_S,             "has no unit"                                      },
    {"",              SCEN_TIME_S,             "is no number with a unit"                         },
    {"   ",           SCEN_TIME_S,             "is no number with a unit"                         },
    {"fast",          SCEN_TIME_S,             "is no number with a unit"                         },
    {"nan s",         SCEN_TIME_S,             "is no number with a unit"                         },
    {"inf s",         SCEN_TIME_S,             "is no number with a unit"                         },
    {"-inf s",        SCEN_TIME_S,             "is no number with a unit"                         },
    {". s",           SCEN_TIME_S,             "is no number with a unit"                         },
    {"0x10 s",        SCEN_TIME_S,             "has an unknown unit"                              },
    {"1,5 s",         SCEN_TIME_S,             "has an unknown unit"                              },
    {"5 us 3",        SCEN_TIME_S,             "has an unknown unit"                              },
    {"5 US",          SCEN_TIME_S,             "has an unknown unit"                              },
    {"5 ks",          SCEN_TIME_S,             "has an unknown unit"                              },
    {"80 KB",         SCEN_DATA_BYTES,         "has an unknown unit"                              },
    {"80 gb",         SCEN_DATA_BYTES,         "has an unknown unit"                              },
    {"400 W",         SCEN_TIME_S,             "'400 W' is a power: expected a time"              },
    {"400 Gb",        SCEN_RATE_BYTES_PER_S,   "is a size: expected a rate"                       },
    {"5 m",           SCEN_TIME_S,             "is a length: expected a time"                     },
    {"-5 us",         SCEN_TIME_S,             "is negative"                                      },
    {"-0 us",         SCEN_TIME_S,             "is negative"                                      },
    {"1e999 s",       SCEN_TIME_S,             "is too large"                                     },
    {"1e300 TB/s",    SCEN_RATE_BYTES_PER_S,   "is too large"                                     },
    {"10 s",          SCEN_RATE_PER_S,         "is a time: expected a request rate"               },
    {"10",            SCEN_RATE_PER_S,         "has no unit"                                      },
    {"400 EFLOP/s/s", SCEN_COMPUTE_FLOP_PER_S, "has an unknown unit"                              },
    {"1e-400 s",      SCEN_TIME_S,             "is too small"                                     },
    {"1e-300 ns",     SCEN_TIME_S,             "is too small"                                     },
    {"0.0001 B/s",    SCEN_RATE_BYTES_PER_S,   "is too small"                                     },
    {"2.00/h",        SCEN_PRICE_USD_PER_H,    "has an unknown unit"                              },
    {"$2.00",         SCEN_PRICE_USD_PER_H,    "is money"                                         },
    {"$2.00/h",       SCEN_PRICE_USD_PER_KWH,  "is a price"                                       },
    {"$ 5 us",        SCEN_TIME_S,             "is no number with a unit"                         },
};

Test(scen_quantity, mistakes_say_what_is_accepted)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        double got = 42.0;
        cr_assert(!scen_quantity_parse(bad[i].text, bad[i].dimension, &got, &error), "%s passed",
                  bad[i].text);
        cr_expect(strstr(error->message, bad[i].want), "%s: %s", bad[i].text, error->message);
        cr_expect(strstr(error->message, scen_dimension_units(bad[i].dimension)), "%s",
                  error->message);
        cr_expect(got == 42.0, "%s touched the value", bad[i].text);
        cr_expect(g_error_matches(error, SCEN_ERROR, SCEN_ERROR_WRONG), "%s", bad[i].text);
    }
}

Test(scen_quantity, every_dimension_reads_its_own_example)
{
    for (int i = 0; i < SCEN_DIMENSION_COUNT; i++) {
        ScenDimension dimension = (ScenDimension)i;
        double got = 0.0;
        cr_expect(scen_quantity_parse(scen_dimension_example(dimension), dimension, &got, NULL),
                  "%s", scen_dimension_name(dimension));
        cr_expect(scen_quantity_is_plausible(got, dimension), "%s", scen_dimension_name(dimension));
        g_auto(GStrv) units = g_strsplit(scen_dimension_units(dimension), " ", -1);
        for (size_t u = 0; units[u]; u++) {
            g_autofree char *text = g_strconcat("8 ", units[u], NULL);
            cr_expect(scen_quantity_parse(text, dimension, &got, NULL), "%s", text);
        }
    }
}

Test(scen_quantity, a_long_text_is_shortened_in_the_message)
{
    g_autofree char *text = g_strnfill(100000, 'x');
    g_autoptr(GError) error = NULL;
    double got = 0.0;
    cr_assert(!scen_quantity_parse(text, SCEN_TIME_S, &got, &error));
    cr_expect(strlen(error->message) < 200, "%zu bytes", strlen(error->message));
}

Test(scen_quantity, a_value_is_written_as_it_would_be_read)
{
    static const struct {
        double value;
        ScenDimension dimension;
        const char *want;
    } cases[] = {
        {3.35e12, SCEN_RATE_BYTES_PER_S,   "3.35 TB/s"  },
        {8e10,    SCEN_DATA_BYTES,         "80 GB"      },
        {5e-6,    SCEN_TIME_S,             "5 us"       },
        {90.0,    SCEN_TIME_S,             "90 s"       },
        {3.12e14, SCEN_COMPUTE_FLOP_PER_S, "312 TFLOP/s"},
        {2.0,     SCEN_PRICE_USD_PER_H,    "$2/h"       },
        {0.0,     SCEN_TIME_S,             "0 s"        },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = scen_quantity_text(cases[i].value, cases[i].dimension);
        double got = -1.0;
        cr_expect_str_eq(text, cases[i].want);
        cr_expect(scen_quantity_parse(text, cases[i].dimension, &got, NULL), "%s", text);
        cr_expect(fabs(got - cases[i].value) <= 1e-15 * cases[i].value, "%s", text);
    }
}

/* Too large or too small is no matter of spelling. */
static bool spells(const char *text, ScenDimension dimension, bool zero)
{
    double value = 1.0;
    g_autoptr(GError) error = NULL;
    if (scen_quantity_parse(text, dimension, &value, &error))
        return zero || value > 0.0;
    return strstr(error->message, " is too ") != NULL;
}

Test(scen_quantity, the_pattern_takes_what_the_reader_takes)
{
    static const char *const numbers[] = {
        "1",   "0",    "12.5", ".5",  "5.",  "-1",   "+1",    "1e3", "1e-3", "0e5",   "0.0e7",
        "$1",  "$0.5", "$-1",  "$ 1", "$+1", "1e",   "1e+",   "+-1", ".",    "",      "1,5",
        "0x1", "nan",  "1 2",  "$",   "$$1", "1.5.", "00.10", "5E6", "-0",   "1_000",
    };
    static const char *const words[] = {
        "",     "s",  "us",   "\u00b5s", "ms",    "min",    "mmin",    "h",    "d",
        "days", "B",  "kB",   "KiB",     "Kib",   "Gbps",   "Gb/s",    "GB/s", "MHz",
        "mHz",  "/s", "/min", "req/s",   "FLOPS", "W",      "TFLOP/s", "mW",   "uW",
        "km",   "m",  "$/h",  "USD/h",   "$",     "USD",    "/h",      "/kWh", "$/kWh",
        "S",    "x",  "s s",  "GiB/s",   "bytes", "kbytes", "5s",
    };
    static const char *const blanks[] = {"", " ", "\t "};
    for (int d = 0; d < SCEN_DIMENSION_COUNT * 2; d++) {
        ScenDimension dimension = (ScenDimension)(d / 2);
        g_autofree char *pattern = scen_dimension_pattern(dimension, d % 2);
        g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_DOLLAR_ENDONLY, 0, NULL);
        int taken = 0;
        for (size_t i = 0; i < G_N_ELEMENTS(numbers) * G_N_ELEMENTS(words) * 3; i++) {
            const char *blank = blanks[i % 3], *word = words[i / 3 % G_N_ELEMENTS(words)];
            const char *number = numbers[i / 3 / G_N_ELEMENTS(words)];
            g_autofree char *text = g_strconcat(blank, number, blank, word, blank, NULL);
            bool want = spells(text, dimension, d % 2);
            taken += want;
            cr_expect(g_regex_match(regex, text, 0, NULL) == want, "'%s' %d %s", text, want,
                      pattern);
        }
        cr_expect(taken > 20, "%d taken of dimension %d", taken, d / 2);
    }
}

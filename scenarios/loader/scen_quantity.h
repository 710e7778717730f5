/** Quantities with units: `400 Gbps`, `80 GiB`, `5 us`, `$2.00/h`. */
#ifndef SCEN_QUANTITY_H
#define SCEN_QUANTITY_H

#include <glib.h>
#include <stdbool.h>

/** What a quantity measures; the unit that its value is stored in. */
typedef enum ScenDimension {
    SCEN_TIME_S,
    SCEN_DATA_BYTES,
    SCEN_RATE_BYTES_PER_S,
    SCEN_FREQUENCY_HZ,
    SCEN_RATE_PER_S,
    SCEN_COMPUTE_FLOP_PER_S,
    SCEN_POWER_W,
    SCEN_LENGTH_M,
    SCEN_PRICE_USD_PER_H,
    SCEN_MONEY_USD,
    SCEN_PRICE_USD_PER_KWH,
    SCEN_DIMENSION_COUNT
} ScenDimension;

/** Reads @text as a quantity of @dimension into @value, in the unit that the dimension's name ends
 *  in. Zero is allowed, negative is not. False and @error, which names the accepted units, when
 *  the number or unit is missing, unknown, of another dimension, or beyond what is plausible. */
bool scen_quantity_parse(const char *text, ScenDimension dimension, double *value, GError **error);

/** @value, in the unit that the name of @dimension ends in, as a quantity of six digits with a unit
 *  that suits it: "3.35 TB/s", "$2/h". Large values have decimal prefixes. The caller owns it. */
char *scen_quantity_text(double value, ScenDimension dimension);

/** Is @value, in SI, positive and within what @dimension takes for plausible? */
bool scen_quantity_is_plausible(double value, ScenDimension dimension);

/** A regular expression (of JavaScript, Python and PCRE alike) for all texts that spell a quantity
 *  of @dimension; above 0 unless @zero. It cannot tell what is plausible. The caller owns it. */
char *scen_dimension_pattern(ScenDimension dimension, bool zero);

/** What to write for @dimension, as in "a time (ns us ms s min h d, as in '5 us')". */
const char *scen_dimension_name(ScenDimension dimension);
const char *scen_dimension_units(ScenDimension dimension);
const char *scen_dimension_example(ScenDimension dimension);

#endif

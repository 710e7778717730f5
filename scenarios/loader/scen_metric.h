/** Figures of a serving run that others publish too: what each is called, and in which unit. */
#ifndef SCEN_METRIC_H
#define SCEN_METRIC_H

#include <stdbool.h>
#include <stddef.h>

typedef enum ScenMetric {
    SCEN_METRIC_TTFT, /* means, in s */
    SCEN_METRIC_TPOT,
    SCEN_METRIC_ITL,
    SCEN_METRIC_E2E,
    SCEN_METRIC_TTFT_P50, /* and medians */
    SCEN_METRIC_TPOT_P50,
    SCEN_METRIC_ITL_P50,
    SCEN_METRIC_TTFT_P99, /* and 99 % quantiles */
    SCEN_METRIC_TPOT_P99,
    SCEN_METRIC_E2E_P99,
    SCEN_METRIC_STALL,
    SCEN_METRIC_OUTPUT_RATE, /* tokens a second, of the whole run */
    SCEN_METRIC_INPUT_RATE,
    SCEN_METRIC_TOTAL_RATE,
    SCEN_METRIC_OUTPUT_RATE_PER_GPU,
    SCEN_METRIC_INPUT_RATE_PER_GPU,
    SCEN_METRIC_REQUEST_RATE,
    SCEN_METRIC_USER_RATE, /* 1 / TPOT */
    SCEN_METRIC_SPEEDUP,   /* TPOT without speculation over that with it */
    SCEN_METRIC_USD_INPUT, /* dollars for a million tokens */
    SCEN_METRIC_USD_OUTPUT,
    SCEN_METRIC_USD_DAY,
    SCEN_METRIC_COUNT
} ScenMetric;

/** Its name as a key of `expect:` and in JSON ("ttft", "output_tokens_per_s"...). */
const char *scen_metric_key(ScenMetric metric);

/** Its unit as tables print it: "ms", "tok/s", "req/s", "x", "$/Mtok". */
const char *scen_metric_unit(ScenMetric metric);

/** What a value in the unit of the tables is worth in that of `expect:`: 1e-3 for ms. */
double scen_metric_scale(ScenMetric metric);

/** How it is defined, in one line. */
const char *scen_metric_definition(ScenMetric metric);

/** Is it a time, written with its unit in `expect:`? The others are plain numbers. */
bool scen_metric_is_time(ScenMetric metric);

#endif

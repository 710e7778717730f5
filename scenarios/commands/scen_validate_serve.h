/** Serving predictions held against published figures: a row a figure. */
#ifndef SCEN_VALIDATE_SERVE_H
#define SCEN_VALIDATE_SERVE_H

#include "scen_validate.h"

/** One figure that was predicted; values in the unit of scen_metric_unit(). */
typedef struct ScenServedRow {
    char *id, *source, *group, *gpu, *engine;
    char *note; /* what was assumed; NULL when nothing was */
    ScenMetric metric;
    double predicted, published;
    double error_fraction; /* predicted / published - 1 */
    double busy_fraction;  /* of the GPUs: near 1, latencies measure the queue */
    int64_t guesses;
} ScenServedRow;

/** Frees what @row owns. */
void scen_served_row_clear(ScenServedRow *row);

/** Serves @scenario and adds a row for each figure it expects, or the reason why not. */
void scen_validation_add_served(ScenValidation *validation, const ScenScenario *scenario);

/** Absolute errors of some rows. */
typedef struct ScenServedSummary {
    size_t rows;
    double median_fraction, mean_fraction, worst_fraction;
    double median_signed_fraction; /* of the errors with their sign: which way they lean */
} ScenServedSummary;

/** Summary of the rows of @group (NULL: any) and @metric (SCEN_METRIC_COUNT: any). */
ScenServedSummary scen_served_summary(const ScenValidation *validation, const char *group,
                                      ScenMetric metric);

#endif

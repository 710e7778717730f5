/** Predictions held against published figures. */
#ifndef SCEN_VALIDATE_H
#define SCEN_VALIDATE_H

#include "scen_scenario.h"

/** One row that was predicted. */
typedef struct ScenValidRow {
    char *id;
    char *source;
    char *gpu;
    char *note;         /* what was assumed; NULL when nothing was */
    bool schedule_only; /* measured stage times, only the schedule was simulated */
    bool fits;          /* the memory model says that it fits */
    double predicted_s;
    double published_s;
    double error_fraction;     /* predicted / published - 1 */
    double model_flop_per_gpu; /* of one step: what the baseline works from */
    double baseline_error_fraction;
} ScenValidRow;

/** A row that was not. */
typedef struct ScenSkippedRow {
    char *id;
    char *reason;
} ScenSkippedRow;

typedef struct ScenValidation {
    GArray *rows;    /* of ScenValidRow */
    GArray *skipped; /* of ScenSkippedRow */
} ScenValidation;

ScenValidation *scen_validation_new(void);
void scen_validation_free(ScenValidation *validation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenValidation, scen_validation_free)

/** Predicts @scenario and adds the row, or the reason why not. */
void scen_validation_add(ScenValidation *validation, const ScenScenario *scenario);

/** Adds a row that could not even be loaded. */
void scen_validation_skip(ScenValidation *validation, const char *id, const char *reason);

/** Fills in the one-parameter baseline: for each GPU kind the constant rate of model FLOPs
 * (attention in full, no recomputation) that suits these very rows best, in the mean absolute
 * error. */
void scen_validation_baseline(ScenValidation *validation);

/** Mean and worst absolute error of the rows whose source is @source (NULL: all) and that are, or
 *  are not, schedule-only. */
typedef struct ScenValidSummary {
    size_t rows;
    double mean_fraction, worst_fraction, baseline_fraction;
} ScenValidSummary;

ScenValidSummary scen_validation_summary(const ScenValidation *validation, const char *source);

#endif

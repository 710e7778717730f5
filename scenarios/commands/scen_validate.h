/** Predictions held against published figures. */
#ifndef SCEN_VALIDATE_H
#define SCEN_VALIDATE_H

#include "scen_scenario.h"

/** One row that was predicted. */
typedef struct ScenValidRow {
    char *id;
    char *source;
    char *group; /* rows of one group are summarised together: expect.group, or the source without
                  * its table and details */
    char *gpu;
    char *plan;                  /* "name (changed)" of what it is based on */
    double model_error_fraction; /* of the plan; 0: it has none of its own */
    int64_t guesses;             /* facts of it that are guesses */
    char *study;                 /* model, GPUs and batch: rows that agree are laid out anew */
    char *layout;                /* the sizes of the plan */
    char *note;                  /* what was assumed; NULL when nothing was */
    bool schedule_only;          /* measured stage times, only the schedule was simulated */
    bool fits;                   /* the memory model says that it fits */
    bool reserved;               /* memory is what the allocator reserved, not what it gave out */
    double predicted_memory_bytes, published_memory_bytes; /* 0: none is published */
    double predicted_s;
    double published_s;
    double error_fraction;     /* predicted / published - 1 */
    double model_flop_per_gpu; /* of one step: what the baseline works from */
    double baseline_error_fraction;
    StratExposure exposure; /* where its time goes, by kind and evidence */
    StratInterval interval; /* of predicted_s, 90 % */
    bool is_inside;         /* published_s lies in it */
} ScenValidRow;

/** A row that was not. */
typedef struct ScenSkippedRow {
    char *id;
    char *reason;
} ScenSkippedRow;

typedef struct ScenValidation {
    GArray *rows;       /* of ScenValidRow: training */
    GArray *served;     /* of ScenServedRow */
    GArray *judged;     /* of ScenJudgedRow: failures */
    GArray *skipped;    /* of ScenSkippedRow */
    StratErrors errors; /* of the costs of the last row; its texts are gone */
} ScenValidation;

ScenValidation *scen_validation_new(void);
void scen_validation_free(ScenValidation *validation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenValidation, scen_validation_free)

/** Predicts @scenario, which trains or serves, and adds its rows, or the reason why not. @sets (may
 *  be NULL) were laid over it when it was loaded. */
void scen_validation_add(ScenValidation *validation, const ScenScenario *scenario,
                         const char *const *sets);

/** Adds a row that could not even be loaded. */
void scen_validation_skip(ScenValidation *validation, const char *id, const char *reason);

/** Fills in the one-parameter baseline: for each GPU kind the constant rate of model FLOPs
 * (attention in full, no recomputation) that suits these very rows best, in the mean absolute
 * error. */
void scen_validation_baseline(ScenValidation *validation);

/** Which rows a summary counts. */
typedef enum ScenValidKind {
    SCEN_VALID_ALL,
    SCEN_VALID_COST_MODEL,    /* stages priced by Orrery */
    SCEN_VALID_SCHEDULE_ONLY, /* stage times measured */
} ScenValidKind;

/** Absolute errors of some rows; the baseline's over those that it predicts. */
typedef struct ScenValidSummary {
    size_t rows;
    double mean_fraction, worst_fraction, baseline_fraction;
    size_t baseline_rows;
    size_t inside;              /* rows whose published figure lies in the interval */
    double half_width_fraction; /* mean of the intervals */
    double rank_correlation;    /* of predicted and published steps; NaN where there is none */
} ScenValidSummary;

/** Summary of the rows of @kind whose source, or group, is @name (NULL: any). */
ScenValidSummary scen_validation_by_source(const ScenValidation *validation, const char *name,
                                           ScenValidKind kind);
ScenValidSummary scen_validation_by_group(const ScenValidation *validation, const char *name,
                                          ScenValidKind kind);

#endif

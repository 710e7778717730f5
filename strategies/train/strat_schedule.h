/** Pipeline schedules: the order in which one stage runs its forwards and backwards. */
#ifndef STRAT_SCHEDULE_H
#define STRAT_SCHEDULE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/** One forward or backward of one microbatch through one model chunk of the stage. */
typedef struct StratTask {
    bool backward;
    int32_t chunk;      /* 0-based, of the stage's virtual stages */
    int32_t microbatch; /* 0-based */
} StratTask;

/** Shape of a pipeline. */
typedef struct StratPipeline {
    int64_t stages;
    int64_t chunks; /* per stage */
    int64_t microbatches;
} StratPipeline;

/** A schedule: one row of the table. */
typedef struct StratSchedule {
    const char *name;
    const char *source;
    bool needs_pipeline; /* more than one stage */
    bool interleaves;    /* more than one chunk a stage; microbatches divisible by stages */
    /** Appends the tasks of @stage in order: each forward and backward once. */
    void (*order)(const StratPipeline *pipeline, int64_t stage, GArray *tasks);
    /** Idle share of a step when sends are free and all stages alike. */
    double (*bubble_fraction)(const StratPipeline *pipeline);
} StratSchedule;

const StratSchedule *strat_schedule_all(size_t *count);

/** The schedule called @name; NULL and @error (with the known ones) when there is none. */
const StratSchedule *strat_schedule_by_name(const char *name, GError **error);

#define STRAT_ERROR (strat_error_quark())
GQuark strat_error_quark(void);

typedef enum StratError {
    STRAT_ERROR_UNKNOWN_NAME,
    STRAT_ERROR_UNSUPPORTED, /* a combination that is not modelled */
    STRAT_ERROR_NO_FIT,      /* the plan does not fit in memory */
} StratError;

#endif

/** Pipeline schedules: the order in which one stage runs its forwards and backwards. */
#ifndef STRAT_SCHEDULE_H
#define STRAT_SCHEDULE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/** What a task does. A backward is one piece, or two: the gradient of the input, which the stage
 *  before waits for, and that of the weights, which nobody does (Qi 2024, Zero Bubble). A forward
 *  of one chunk and the backward of another that comes right after it may be a pair, each one's
 *  exchanges under the other's compute: both begin when the inputs of both are there, and pass
 *  their results on when both are over (DeepSeek-V3, section 3.2.1). */
typedef enum StratTaskKind {
    STRAT_TASK_FORWARD,
    STRAT_TASK_BACKWARD,
    STRAT_TASK_INPUT,
    STRAT_TASK_WEIGHT,
    STRAT_TASK_PAIRED_FORWARD,
    STRAT_TASK_PAIRED_BACKWARD,
    STRAT_TASK_KINDS
} StratTaskKind;

/** Whether @kind is one of the forwards. */
bool strat_task_is_forward(StratTaskKind kind);

/** One task of one microbatch in one model chunk of the stage. */
typedef struct StratTask {
    StratTaskKind kind;
    int32_t chunk;      /* 0-based, of the stage's virtual stages */
    int32_t microbatch; /* 0-based */
} StratTask;

/** What one chunk's tasks take: schedules that are made by looking at it need it. Seconds, or any
 *  unit; all 0: alike and of one unit. */
typedef struct StratTaskTimes {
    double forward, input, weight;
    double send;         /* from stage to stage */
    bool sends_block;    /* the sender stands still for it */
    double weight_bytes; /* kept from input to weight, over what a forward keeps; 0: nothing */
} StratTaskTimes;

/** Shape of a pipeline. */
typedef struct StratPipeline {
    int64_t stages;
    int64_t chunks;       /* per stage */
    int64_t microbatches; /* through each chunk */
    StratTaskTimes times;
} StratPipeline;

/** A schedule: one row of the table. */
typedef struct StratSchedule {
    const char *name;
    const char *source;
    bool needs_pipeline; /* more than one stage */
    bool interleaves;    /* more than one chunk a stage */
    bool rounds;         /* microbatches pass chunks in rounds of as many as there are stages */
    bool is_v;           /* two chunks a stage, the second ones on the way back */
    bool is_dual;        /* the model twice, microbatches in halves from both ends: see
                            strat_schedule_dual.c */
    bool rolls;     /* a stage begins its next step when its own is over, whatever the others do */
    bool fills;     /* needs as many microbatches through each chunk as the model has chunks */
    unsigned kinds; /* of its tasks: a bit each */
    /** Appends the tasks of @stage in order: each forward and backward once. */
    void (*order)(const StratPipeline *pipeline, int64_t stage, GArray *tasks);
    /** The same for all stages at once; @tasks has an array for each. */
    void (*plan)(const StratPipeline *pipeline, GArray **tasks);
    /** Idle share of a step when sends are free, all stages alike, and each kind of task takes one
     *  unit, a whole backward two. */
    double (*bubble_fraction)(const StratPipeline *pipeline);
} StratSchedule;

/** Tasks of all stages of @pipeline under @schedule: an array (of StratTask) for each. Free with
 *  g_ptr_array_unref(). */
GPtrArray *strat_schedule_orders(const StratSchedule *schedule, const StratPipeline *pipeline);

/** Where a chunk stands: the @chunk-th of @stage. */
typedef struct StratSpot {
    int64_t stage, chunk;
} StratSpot;

/** Chunks that the model is cut into, where each of @stages holds @chunks. */
int64_t strat_schedule_length(const StratSchedule *schedule, int64_t stages, int64_t chunks);

/** A microbatch passes the chunks of the model in the order of their index, which is this at @at.
 */
int64_t strat_schedule_index(const StratSchedule *schedule, int64_t stages, StratSpot at);

/** Where the microbatches of the chunk at @at go next (@step 1) or come from (@step -1). False at
 *  the ends of the model; @near is then untouched. */
bool strat_schedule_near(const StratSchedule *schedule, const StratPipeline *pipeline, StratSpot at,
                         int step, StratSpot *near);

/** Whether the microbatches of the chunk at @at go to the stage before, not to the next. */
bool strat_schedule_turns(const StratSchedule *schedule, int64_t stages, StratSpot at);

/** Whether @schedule can run @microbatches of a replica over @stages that hold @chunks each; else
 *  @reason (may be NULL), for the caller to free. */
bool strat_schedule_fits(const StratSchedule *schedule, int64_t stages, int64_t chunks,
                         int64_t microbatches, char **reason);

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

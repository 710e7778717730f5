/** Published figures of failures, slow parts and recoveries: what each is called, and what counts
 *  as met. */
#ifndef SCEN_FIGURE_H
#define SCEN_FIGURE_H

#include "scen_quantity.h"

/** What is measured. */
typedef enum ScenFigureKind {
    SCEN_FIGURE_INTERRUPTIONS, /* counts, of some classes of faults or of all */
    SCEN_FIGURE_PLANNED,
    SCEN_FIGURE_PER_NODE,
    SCEN_FIGURE_PER_GPU,
    SCEN_FIGURE_GPU_DAYS,
    SCEN_FIGURE_SHARE,
    SCEN_FIGURE_MTTF, /* time */
    SCEN_FIGURE_ETTR, /* shares of time, of some bucket or of all */
    SCEN_FIGURE_UPTIME,
    SCEN_FIGURE_GOODPUT,
    SCEN_FIGURE_LOST,
    SCEN_FIGURE_STRETCH,
    SCEN_FIGURE_BEYOND_EXACT,
    SCEN_FIGURE_LOST_TIME, /* time an interruption, likewise */
    SCEN_FIGURE_RECOVERY,
    SCEN_FIGURE_LOST_GPU_HOURS,
    SCEN_FIGURE_LOST_USD,
    SCEN_FIGURE_INTERVAL, /* of checkpoints */
    SCEN_FIGURE_SAVING,
    SCEN_FIGURE_SAVE,
    SCEN_FIGURE_MEMORY_CHANCE,
    SCEN_FIGURE_STEP,     /* of the step level */
    SCEN_FIGURE_STALL,    /* of serving */
    SCEN_FIGURE_REPLAYED, /* of a replay */
    SCEN_FIGURE_WITHOUT_GAPS,
    SCEN_FIGURE_STRAGGLER_FREE,
    SCEN_FIGURE_SLOWDOWN,
    SCEN_FIGURE_COUNT
} ScenFigureKind;

/** What `of:` may say. */
typedef enum ScenFigureOf {
    SCEN_OF_NOTHING,
    SCEN_OF_CLASSES, /* a pattern of names of classes, as '*GPU*' */
    SCEN_OF_BUCKET,  /* a key of the ledger, or nothing for all that is lost */
    SCEN_OF_NUMBER,
} ScenFigureOf;

/** How much a figure says about the simulator. */
typedef enum ScenBasis {
    SCEN_BASIS_PREDICTED, /* from published inputs, or from another fleet's */
    SCEN_BASIS_ASSUMED,   /* hangs on assumptions that the scenario names */
    SCEN_BASIS_INPUT,     /* goes in and comes out again: a check of the arithmetic */
    SCEN_BASIS_COUNT
} ScenBasis;

/** One published figure. */
typedef struct ScenFigure {
    ScenFigureKind kind;
    ScenBasis basis;
    const char *name; /* what sets it apart from others of its kind; NULL: nothing */
    const char *of;   /* NULL: of all */
    const char *published_text, *tolerance_text, *least_text, *most_text; /* as written */
    double published;                                                     /* NAN: a bound alone */
    double least, most;      /* what counts as met; infinite where there is no bound */
    const char *with, *over; /* overrides, a line each; with @over the figure is a ratio */
    bool own_tolerance;      /* the source states none */
} ScenFigure;

/** Its name in `expect:` and JSON. */
const char *scen_figure_key(ScenFigureKind kind);

/** How it is defined, in one line. */
const char *scen_figure_definition(ScenFigureKind kind);

/** Is it a time, written with its unit? The others are plain numbers. */
bool scen_figure_is_time(const ScenFigure *figure);

/** What `of:` means for @kind. */
ScenFigureOf scen_figure_of(ScenFigureKind kind);

/** "predicted", "assumed", "input". */
const char *scen_basis_name(ScenBasis basis);

#endif

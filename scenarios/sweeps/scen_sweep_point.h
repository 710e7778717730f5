/** One point of a sweep: run, and handed on as bytes. */
#ifndef SCEN_SWEEP_POINT_H
#define SCEN_SWEEP_POINT_H

#include "scen_variants.h"

/** What became of a point. */
typedef enum ScenPointStatus {
    SCEN_POINT_OK,    /* simulated; it fits and keeps its objectives */
    SCEN_POINT_NO,    /* simulated; it does not */
    SCEN_POINT_WRONG, /* no scenario, or one that is not modelled */
    SCEN_POINT_FAULT, /* a fault of Orrery's own */
    SCEN_POINT_STATUS_COUNT
} ScenPointStatus;

/** "ok", "no", "wrong" or "fault". */
const char *scen_point_status_name(ScenPointStatus status);

/** What all points share. Constant while they run. */
typedef struct ScenSweepPlan {
    const ScenVariants *variants;
    GPtrArray
        *patterns; /* of GPatternSpec: of figures that are kept; NULL: see scen_sweep_point.c */
} ScenSweepPlan;

ScenSweepPlan *scen_sweep_plan_new(const ScenVariants *variants);
void scen_sweep_plan_free(ScenSweepPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenSweepPlan, scen_sweep_plan_free)

/** What point @point (from 1) sets, each "path=value" as --set takes it, seed included. The caller
 *  frees it. */
char **scen_sweep_point_sets(const ScenSweepPlan *plan, int64_t point);

/** Runs point @point. Never fails: a fault is an outcome. Any thread, any process. */
GBytes *scen_sweep_point_run(const ScenSweepPlan *plan, int64_t point);

/** An outcome as it came: borrowed from the bytes that it was read from. */
typedef struct ScenPointOutcome {
    ScenPointStatus status;
    const char *error; /* why, unless ok; NULL: nothing to say */
    const char
        *digest; /* SHA-256 of the point's scenario; NULL: its settings cannot be laid over */
    int64_t seed;
    double seconds;       /* of wall clock */
    const char *at, *end; /* of its figures */
} ScenPointOutcome;

/** Reads @bytes of scen_sweep_point_run(). */
ScenPointOutcome scen_point_outcome_read(GBytes *bytes);

/** The next figure of @outcome and its @value; NULL: there are no more. */
const char *scen_point_outcome_next(ScenPointOutcome *outcome, double *value);

#endif

/** A further job on the cluster of a scenario. */
#ifndef SCEN_JOB_H
#define SCEN_JOB_H

#include "model_spec.h"
#include "scen_errors.h"
#include "scen_placement.h"
#include "strat_plan.h"

typedef struct ScenJob {
    const char *name;
    ModelSpec model;
    StratPlan plan;
    int64_t gpus; /* that it uses */
    ScenPlacement placement;
    int64_t *gpu_of_rank; /* owned */
    ScenMark mark;        /* where it was written; empty once it is loaded */
} ScenJob;

/** Frees what @job owns. */
void scen_job_clear(ScenJob *job);

#endif

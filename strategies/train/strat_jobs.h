/** Several jobs on one network at the same time. */
#ifndef STRAT_JOBS_H
#define STRAT_JOBS_H

#include "strat_train.h"

/** A job; borrowed. All jobs of a cluster have its network in common: that of the first counts. */
typedef struct StratJob {
    const char *name;
    const StratCosting *costing; /* its gpu_of_rank is where it runs, on GPUs of its own */
    SimTime alone_ns;            /* its step when nobody else is there; 0: find out */
} StratJob;

/** What became of a job. */
typedef struct StratJobResult {
    const char *name; /* borrowed from the job */
    int64_t gpus;
    SimTime alone_ns;
    double together_ns; /* mean of its steps while all jobs were running */
    uint32_t steps;     /* how many those were */
} StratJobResult;

/** All of them. */
typedef struct StratJobs {
    GArray *jobs;      /* of StratJobResult, in order */
    GArray *hot_links; /* of TopoHotLink, worst first, of the run together; or NULL */
} StratJobs;

/** Runs @count jobs together until each has ended a step beside all others; see strat_jobs.c. NULL
 *  and @error when one is not modelled, their network does not share its links, or their steps are
 *  of too different length. Free with strat_jobs_free(). */
StratJobs *strat_jobs_run(const StratJob *jobs, size_t count, bool fold, GError **error);

void strat_jobs_free(StratJobs *jobs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratJobs, strat_jobs_free)

#endif

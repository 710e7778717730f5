/** How long a step takes while a job goes on without some of its nodes. */
#ifndef STRAT_ADAPT_H
#define STRAT_ADAPT_H

#include "strat_job_state.h"

#include <stdbool.h>

/** The step of a pipeline of so many stages: fixed_s + microbatch_s for each microbatch. */
typedef struct StratPipelineLine {
    double fixed_s;      /* fill and drain, gradients, optimizer */
    double microbatch_s; /* of every further microbatch: the slowest stage's work */
} StratPipelineLine;

/** The line of pipelines of @stages stages into @line; false when they do not fit or are not
 *  modelled. A pure function of @stages. */
typedef bool StratPipelineFunc(int64_t stages, StratPipelineLine *line, void *ctx);

/** A job as its adaptations see it. A worker is what runs one stage of one replica. */
typedef struct StratAdaptJob {
    int64_t stages, replicas;
    int64_t microbatches;     /* of one replica in a step */
    int64_t tensor;           /* ranks of a tensor group */
    int64_t workers_per_node; /* that a lost node takes with it, 1 or more */
    double bubble_s;          /* in which a stage of the whole job waits, of a step */
    double pipeline_s;        /* and in which it sends to others and computes nothing */
    double forward_fraction;  /* of a microbatch's time */
    StratPipelineFunc *line;
    void *ctx;
} StratAdaptJob;

/** Seconds of a step of the same batch with @lost nodes missing under @adaptation; INFINITY when
 *  that cannot be. At 0 it is the healthy step, with what the adaptation costs beforehand. */
double strat_adapt_step(const StratAdaptJob *job, StratAdaptation adaptation, int64_t lost);

/** Seconds of a step whose microbatches are dealt so that the replica of a GPU at @clock_fraction
 * of its clock does fewer; INFINITY without a line. */
double strat_adapt_rebalanced(const StratAdaptJob *job, double clock_fraction);

/** Seconds of a step in which a NIC at @fraction of its bandwidth, above 0, carries pipeline
 * traffic only; INFINITY without a line. */
double strat_adapt_swapped(const StratAdaptJob *job, double fraction);

#endif

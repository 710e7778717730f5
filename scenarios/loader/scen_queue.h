/** What a scenario says of many jobs on its cluster: who comes, who starts when, what fails. */
#ifndef SCEN_QUEUE_H
#define SCEN_QUEUE_H

#include "model_spec.h"
#include "scen_bind.h"
#include "scen_campaign.h"
#include "strat_plan.h"
#include "strat_queue.h"

/** A kind of jobs as it is written. */
typedef struct ScenQueueJobs {
    StratQueueClass row; /* its nodes follow from the GPUs */
    int64_t gpus;
    double at_s; /* the one job arrives then; < 0: they arrive by share */
    bool trains; /* what it runs is known: */
    ModelSpec model;
    StratPlan plan;
    ScenMark mark; /* where it was written; empty once it is loaded */
} ScenQueueJobs;

/** A status mix that was published, as shares of all runs; 0: not given. */
typedef struct ScenQueuePublished {
    double ended[STRAT_QUEUE_ENDS];
    double utilisation, secondary_share;
    const char *source;
} ScenQueuePublished;

typedef struct ScenQueue {
    bool is_on; /* the scenario has `queue:` */
    const char *policy, *placement, *trace;
    bool has_faults;
    ScenFaults faults;
    int64_t nodes_per_rack;
    GArray *jobs;    /* of ScenQueueJobs; owned */
    GArray *classes; /* of StratQueueClass, a row each of jobs; owned */
    GArray *records; /* of StratQueueRecord, by time; owned */
    StratQueue spec; /* without what the above and the cluster say */
    ScenQueuePublished published;
} ScenQueue;

/** Frees what @queue owns. */
void scen_queue_clear(ScenQueue *queue);

/** What follows from the cluster, whose nodes have @gpus_per_node GPUs and are @nodes: classes,
 *  records. Adds errors about @map, the scenario. */
void scen_queue_finish(ScenBinder *binder, const ScenNode *map, int64_t gpus_per_node,
                       int64_t nodes, ScenQueue *queue);

/** Reads the CSV file @path with columns at_s, class (a name among the StratQueueClass of @classes)
 *  and, where they are given, gpus (whole nodes of @gpus_per_node, @nodes at most) and work_s;
 *  appends StratQueueRecords to @records. False and @error (file:line). (scen_queue_trace.c) */
bool scen_queue_trace_read(const char *path, const GArray *classes, int64_t gpus_per_node,
                           int64_t nodes, GArray *records, GError **error);

#endif

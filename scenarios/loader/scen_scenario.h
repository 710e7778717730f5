/** A scenario: everything a person wrote, typed, validated and from then on constant. */
#ifndef SCEN_SCENARIO_H
#define SCEN_SCENARIO_H

#include "kern_profile.h"
#include "model_spec.h"
#include "scen_campaign.h"
#include "scen_cost.h"
#include "scen_degraded.h"
#include "scen_et_section.h"
#include "scen_expect.h"
#include "scen_fabric.h"
#include "scen_job.h"
#include "scen_placement.h"
#include "scen_queue.h"
#include "scen_search.h"
#include "scen_serving.h"
#include "scen_sweep.h"
#include "scen_traffic.h"
#include "strat_interval.h"
#include "strat_large_batch.h"
#include "strat_plan.h"
#include "topo_cluster.h"

#include <glib.h>
#include <stdint.h>

typedef struct ScenScenario {
    const char *path;
    const char *name;
    const char *description;
    uint64_t seed;
    const char *devices; /* file of further catalog rows, NULL: none */
    const char *network; /* a row of topo_net; NULL: the default */
    bool fold;
    ModelSpec model;
    TopoCluster cluster;
    StratPlan plan;      /* of training */
    ScenServing serving; /* or of serving */
    ScenTraffic traffic; /* that is served */
    ScenSearch search;   /* deployments to choose from */
    ScenSweep sweep;     /* points to run */
    ScenCost cost;
    ScenCampaign campaign;    /* months of training */
    StratTarget training_run; /* what it is to reach */
    ScenQueue queue;          /* or many jobs, instead of training or serving one */
    const char *replay;       /* operation trace that is run again, instead; NULL: none */
    ScenEtSection trace;      /* or an execution trace is replayed on the cluster */
    ScenDegraded degraded;    /* what is worse than the rest while the step runs */
    KernProfile profile;
    KernProfile mixed_profile; /* of the second kind of nodes, where the cluster has one */
    StratErrors errors;        /* of its costs */
    int64_t guesses;           /* facts of the plan that are guesses */
    ScenFabric fabric;
    ScenPlacement placement;
    int64_t *gpu_of_rank; /* owned; NULL: rank r on GPU r */
    GArray *jobs;         /* of ScenJob, besides this one; owned; NULL: none */
    ScenExpect expect;
    GStringChunk *strings; /* owns every string above */
} ScenScenario;

/** Reads @path, then applies @overrides (NULL-terminated "a.b=c" texts, may be NULL). NULL and
 *  @error (every fault of the file, a line each) when the scenario is wrong. Free with
 *  scen_scenario_free(). */
ScenScenario *scen_scenario_load(const char *path, const char *const *overrides, GError **error);

/** Whether caches move between the pools of @scenario over its fabric, sharing links: there are two
 *  pools, no rate of their own is given, and the network is fluid or a fabric is given with no
 *  other network model. */
bool scen_serving_on_fabric(const ScenScenario *scenario);

/** Whether @scenario is a training step or serving, and no queue, replay or months of a given step. */
bool scen_has_plan_or_serves(const ScenScenario *scenario);

void scen_scenario_free(ScenScenario *scenario);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenScenario, scen_scenario_free)

#endif

/** The serving half of a scenario: a deployment as it was written. */
#ifndef SCEN_SERVING_H
#define SCEN_SERVING_H

#include "scen_serve_failures.h"
#include "scen_serving_engine.h"
#include "strat_deployment.h"
#include "strat_serve.h"

#include <glib.h>

/** Where the weights of a replica that starts come from. */
typedef enum ScenLoadFrom {
    SCEN_LOAD_FROM_NETWORK, /* the NICs of the node, shared by its GPUs */
    SCEN_LOAD_FROM_HOST,    /* host memory */
} ScenLoadFrom;

/** When caches set out from prefill replicas. */
typedef enum ScenOverlap {
    SCEN_OVERLAP_NONE,   /* when the prompt is done */
    SCEN_OVERLAP_LAYERS, /* each layer when it is computed */
} ScenOverlap;

typedef struct ScenServing {
    bool is_on; /* the scenario has `serve:` */
    ScenServingEngine engine;
    StratDeployment deployment; /* complete once the scenario is checked */
    StratPool pool;             /* the replicas, or those that decode */
    StratPool prefill;          /* replicas 0: nobody does prompts alone */
    GArray *by_position;        /* of double, owned; NULL: one acceptance for all */
    ModelSpec draft;            /* layers 0: none */
    const char *engine_profile; /* folder of measured layer times, NULL: kernel fits */
    StratAutoscale autoscale;   /* least 0: none; load_s is found out before a run */
    double load_bytes_per_s;    /* of weights to a GPU that starts; 0: by the link below */
    int load_from;              /* a ScenLoadFrom */
    StratAdmission admission;
    ScenServeFailures failures;
    double transfer_bytes_per_s; /* of caches between the pools, one after another; 0: by the
                                    scenario's network */
    int overlap;                 /* a ScenOverlap */
    double slo_attainment;       /* share of the requests that must meet the objectives */
    int64_t warm_up_requests;    /* the first so many, left out of the latencies */
    bool exact;                  /* every iteration on its own */
    bool interval;               /* run again with other costs, for intervals */
} ScenServing;

/** Does the deployment promise anything: has it an objective? */
bool scen_serving_promises(const ScenServing *serving);

/** Frees what @serving owns. */
void scen_serving_clear(ScenServing *serving);

#endif

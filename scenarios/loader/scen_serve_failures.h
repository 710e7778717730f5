/** What a scenario says of a deployment's failures. */
#ifndef SCEN_SERVE_FAILURES_H
#define SCEN_SERVE_FAILURES_H

#include "scen_campaign.h"
#include "strat_failures.h"

typedef struct ScenServeFailures {
    bool is_on; /* the deployment has `failures:` */
    ScenFaults faults;
    int64_t nodes_per_leaf, nodes_per_rack;
    StratFailures spec; /* policy NULL where it is unknown; without fault model and pools */
    const char *policy;
    bool has_restart; /* else: weights over their link, then engine_start_s */
    StratSpread restart;
    double engine_start_s;
    int load_from;           /* a ScenLoadFrom */
    double load_bytes_per_s; /* of weights to a GPU that starts; 0: by that link */
    int64_t spares, prefill_spares;
    double restore_bytes_per_s; /* of copies of caches to a replica; 0: by its NICs */
} ScenServeFailures;

/** Frees what @failures owns. */
void scen_serve_failures_clear(ScenServeFailures *failures);

#endif

/** Random deployments under random requests: any engine, scheduler and router, with preemption,
 * shared prefixes, several samples of a prompt, beams, caches that move, replicas that come and go,
 * or die. */
#ifndef DRAWN_SERVE_H
#define DRAWN_SERVE_H

#include "toy_serve.h"

enum {
    DRAWN_REQUESTS = 60, /* at most */
    DRAWN_PAGE = 32,     /* tokens */
    DRAWN_PAGES = 8,     /* of a request, at most */
    DRAWN_SAMPLES = 6,
};

/** A deployment, its requests and all that they point to. */
typedef struct DrawnServe {
    StratEngine engine;
    StratDeployment deployment;
    ToyPricer pricer;
    int64_t blocks;
    StratAutoscale autoscale;
    StratAdmission admission;
    StratFailures failures; /* policy NULL: nothing fails */
    StratFaultClass fault[STRAT_FAULT_EFFECTS];
    TopoCluster cluster;
    TopoFabric *fabric; /* NULL: caches move over one link a replica */
    TopoRouter *router;
    int64_t kv_heads;
    double layers;
    size_t requests;
    StratRequest request[DRAWN_REQUESTS];
    uint64_t page[DRAWN_REQUESTS][DRAWN_PAGES];
    int64_t sample_output[DRAWN_REQUESTS][DRAWN_SAMPLES];
} DrawnServe;

/** The deployment of @seed, which does not fail. */
DrawnServe *drawn_serve_new(int64_t seed);
void drawn_serve_free(DrawnServe *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DrawnServe, drawn_serve_free)

/** Lets its replicas fail, and none come and go. */
void drawn_serve_let_fail(DrawnServe *world, int64_t seed);

/** Serves the requests, to the end or until @watch (NULL: nobody) stops it. */
StratServeResult *drawn_serve_run(const DrawnServe *world, bool exact,
                                  const StratServeWatch *watch);

#endif

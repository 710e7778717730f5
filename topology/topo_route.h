/** Routes: which links a flow between two GPUs takes. The policy decides where several shortest
 *  ways exist; links that are down are avoided. */
#ifndef TOPO_ROUTE_H
#define TOPO_ROUTE_H

#include "topo_fabric.h"

/** Where a flow stands when it has a choice. */
typedef struct TopoHop {
    const TopoGraph *graph;
    const double *load_bytes_per_s; /* on each link; NULL: none known */
    uint64_t seed;
    uint64_t flow_id;
    uint64_t way, ways; /* sub-flow of its pair, and how many there are; 0 of 1: undivided */
    uint32_t from, to;  /* ends of the flow in the network: NICs, or GPUs that have none */
    uint32_t vertex;    /* where it stands */
    uint64_t stride;    /* product of the numbers of choices that it had before */
} TopoHop;

/** A routing policy. */
typedef struct TopoRoutePolicy {
    const char *name;
    const char *source;
    bool prefers_rail; /* first over the scale-up network to the GPU on the target's rail (PXN) */
    /** Index of the link to take, of @count (at least 2) in ascending order. Pure. */
    size_t (*pick)(const TopoHop *hop, const uint32_t *links, size_t count);
} TopoRoutePolicy;

/** All policies; @count receives how many. */
const TopoRoutePolicy *topo_route_all(size_t *count);

/** The policy called @name. NULL and @error, naming the known ones, when there is none. */
const TopoRoutePolicy *topo_route_by_name(const char *name, GError **error);

/** Finds routes on one fabric by one policy. Its caches are bounded and do not change the answers;
 *  for use by one thread. */
typedef struct TopoRouter TopoRouter;

/** A router on @fabric (borrowed, must outlive it). @seed feeds policies that hash. Free with
 *  topo_router_free(). */
TopoRouter *topo_router_new(const TopoFabric *fabric, const TopoRoutePolicy *policy, uint64_t seed);
void topo_router_free(TopoRouter *router);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TopoRouter, topo_router_free)

/** What adaptive routing looks at: bytes per second already on each link, by link id; borrowed, the
 *  caller may change it between routes. NULL: all idle. */
void topo_router_set_load(TopoRouter *router, const double *load_bytes_per_s);

/** Appends to @links (of uint32_t) the links from GPU rank @src to @dst in order; none when they
 * are the same. A @flow_id tells flows between the same GPUs apart. False and @error, and @links as
 * it was, for a rank that does not exist and where no path is up. */
bool topo_route(TopoRouter *router, size_t src, size_t dst, uint64_t flow_id, GArray *links,
                GError **error);

/** How many sub-flows carry what @src sends to @dst, in equal shares, each on a way of its own: as
 *  many as the fabric says between nodes; inside an NVLink domain whose switches are drawn, one for
 *  each that is up. At least 1. */
int64_t topo_route_ways(TopoRouter *router, size_t src, size_t dst);

/** topo_route() for sub-flow @way of what @src sends to @dst, from 0 to topo_route_ways() - 1.
 * Which links it takes depends on the pair, the way, the seed, the live links and (adaptive) the
 * load alone, not on what was asked before. */
bool topo_route_way(TopoRouter *router, size_t src, size_t dst, int64_t way, GArray *links,
                    GError **error);

/** topo_route() between vertices: GPUs, CPUs, storage. */
bool topo_route_between(TopoRouter *router, uint32_t from, uint32_t to, uint64_t flow_id,
                        GArray *links, GError **error);

/** Seconds of one bit over @links: sum of topo_link_latency_s(). */
double topo_path_latency_s(const TopoGraph *graph, const GArray *links);

/** The least rate left on @links; infinite for none. */
double topo_path_rate_bytes_per_s(const TopoGraph *graph, const GArray *links);

#endif

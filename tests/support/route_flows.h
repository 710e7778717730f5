/** Flows between ranks of a fabric, each on the route that the router gives it, for network models
 *  to be compared on exactly the same links. For tests and benches. */
#ifndef ROUTE_FLOWS_H
#define ROUTE_FLOWS_H

#include "topo_route.h"

/** One flow. */
typedef struct RouteFlow {
    uint32_t first, count; /* its run in RouteFlows.links, at least one link */
    double bytes;          /* a whole number of them, above 0 */
    double start_s;        /* a whole number of ns */
} RouteFlow;

/** A list of flows with their routes. */
typedef struct RouteFlows {
    TopoGraph *graph;   /* borrowed */
    TopoRouter *router; /* owned */
    GArray *flows;      /* of RouteFlow; owned */
    GArray *links;      /* of uint32_t, ids of the graph, route by route; owned */
} RouteFlows;

/** How the fluid network shares a link between flows. */
typedef enum RouteSharing {
    ROUTE_SHARING_EQUAL,        /* all alike, as the simulator does */
    ROUTE_SHARING_BY_ROUND_TRIP /* in inverse proportion to the latency of their routes */
} RouteSharing;

/** No flows yet, on @fabric (borrowed), to be routed by the policy called @policy. Free with
 *  route_flows_free(). */
RouteFlows *route_flows_new(const TopoFabric *fabric, const char *policy);
void route_flows_free(RouteFlows *flows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RouteFlows, route_flows_free)

/** Adds a flow from rank @src to @dst, which differ and can reach each other. */
void route_flows_add(RouteFlows *flows, size_t src, size_t dst, double bytes, double start_s);

/** The flow @index; borrowed until the next is added. */
const RouteFlow *route_flows_at(const RouteFlows *flows, guint index);

/** Seconds of one bit over the route of flow @index. */
double route_flows_latency_s(const RouteFlows *flows, guint index);

/** When each flow ends on the fluid network, in seconds; the caller frees the array. @took_s, if
 *  not NULL, receives the seconds on the wall that the run took, without setting up. */
double *route_flows_fluid_ends_s(const RouteFlows *flows, RouteSharing sharing, double *took_s);

#endif

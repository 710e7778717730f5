/** Flows between GPUs that come and go as their owner says, on one fluid network: for simulations
 *  with an event loop of their own. */
#ifndef TOPO_FLOWS_H
#define TOPO_FLOWS_H

#include "topo_fabric_change.h"
#include "topo_hot_link.h"
#include "topo_route.h"

/** What carries flows; all is borrowed. */
typedef struct TopoFlowsSpec {
    const TopoFabric *fabric;
    TopoRouter *router;
    const TopoLinkChange *changes; /* of links during the run; routes stay as they are */
    size_t change_count;
} TopoFlowsSpec;

typedef struct TopoFlows TopoFlows;

/** An idle network at time 0. NULL and @error: never, but for a fault of the fabric's own. Free
 * with topo_flows_free(). */
TopoFlows *topo_flows_new(const TopoFlowsSpec *spec, GError **error);
void topo_flows_free(TopoFlows *flows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TopoFlows, topo_flows_free)

/** How GPU slot @from sends to @to: all ways that the router has between them, in equal shares.
 *  Looked for once for each pair and @owner, whose waits its flows' are. False and @error when no
 *  way is up. */
bool topo_flows_path(TopoFlows *flows, size_t from, size_t to, uint32_t owner, uint32_t *path,
                     GError **error);

/** Seconds of one bit over @path. */
double topo_flows_latency_s(const TopoFlows *flows, uint32_t path);

/** @bytes set out over @path at @at, not before the last step: after the path's latency they move
 *  at their fair share of the links, at most @bound_bytes_per_s (INFINITY: no bound). Returns the
 *  number of the flow, good until it ends. */
uint32_t topo_flows_begin(TopoFlows *flows, uint32_t path, double bytes, double bound_bytes_per_s,
                          SimTime at);

/** When something happens next, into @at; false when no flow is under way, or all that are stand
 *  still for good. */
bool topo_flows_next(const TopoFlows *flows, SimTime *at);

/** Does what happens next. True when @flow has ended by that. */
bool topo_flows_step(TopoFlows *flows, uint32_t *flow);

/** After @makespan_s: the @most links (of TopoHotLink) that held flows back the longest, those with
 *  the same figures as one; waiters are owners. The caller frees. */
GArray *topo_flows_hot_links(const TopoFlows *flows, double makespan_s, guint most);

#endif

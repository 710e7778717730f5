/*
 * The same flows on the same links for every network model.
 *
 * The router lays down each flow's links once; what a model makes of them is then its own affair.
 * Here is what the fluid network makes of them: one transfer a flow, of weight 1 on each link,
 *
 *     end_s = start_s + latency_s(route) + time at its max-min share of the links,
 *
 * run as a program of one rank class a flow that waits until start_s and then sends. Rates are read
 * from the graph at the time of the run, health included, so that a test can change a link between
 * two models and see the difference.
 *
 * Left out: anything that flows have in common, such as the steps of a collective; rate bounds.
 */
#include "route_flows.h"

#include <math.h>

#include "sim_exec.h"
#include "topo_fluid.h"

RouteFlows *route_flows_new(const TopoFabric *fabric, const char *policy)
{
    const TopoRoutePolicy *row = topo_route_by_name(policy, NULL);
    g_assert(row != NULL);
    RouteFlows *flows = g_new(RouteFlows, 1);
    *flows = (RouteFlows){
        .graph = fabric->graph,
        .router = topo_router_new(fabric, row, 7),
        .flows = g_array_new(FALSE, FALSE, sizeof(RouteFlow)),
        .links = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
    };
    return flows;
}

void route_flows_free(RouteFlows *flows)
{
    if (flows == NULL)
        return;
    topo_router_free(flows->router);
    g_array_unref(flows->flows);
    g_array_unref(flows->links);
    g_free(flows);
}

void route_flows_add(RouteFlows *flows, size_t src, size_t dst, double bytes, double start_s)
{
    RouteFlow flow = {.first = flows->links->len, .bytes = bytes, .start_s = start_s};
    bool is_routed = topo_route(flows->router, src, dst, flows->flows->len, flows->links, NULL);
    flow.count = flows->links->len - flow.first;
    g_assert(is_routed && flow.count > 0);
    g_array_append_val(flows->flows, flow);
}

const RouteFlow *route_flows_at(const RouteFlows *flows, guint index)
{
    return &g_array_index(flows->flows, RouteFlow, index);
}

double route_flows_latency_s(const RouteFlows *flows, guint index)
{
    const RouteFlow *flow = route_flows_at(flows, index);
    const uint32_t *links = (const uint32_t *)(void *)flows->links->data + flow->first;
    double latency_s = 0.0;
    for (uint32_t i = 0; i < flow->count; i++)
        latency_s += topo_link_latency_s(topo_graph_link(flows->graph, links[i]));
    return latency_s;
}

static SimTime to_ns(double seconds)
{
    SimTime ns = 0;
    bool is_time = sim_time_from_seconds(seconds, &ns, NULL);
    g_assert(is_time);
    return ns;
}

/* A class for each flow: operation 2 i waits, 2 i + 1 sends. */
static SimProgram *make_program(const RouteFlows *flows)
{
    SimProgram *p = sim_program_new();
    SimSegment wait = {.bucket = sim_program_bucket(p, "wait"),
                       .label = sim_program_label(p, "wait")};
    for (guint i = 0; i < flows->flows->len; i++) {
        wait.duration_ns = to_ns(route_flows_at(flows, i)->start_s);
        SimOp op = {
            .rank_class = sim_program_add_class(p, "flow", 1),
            .group = SIM_GROUP_NONE,
            .block = sim_program_add_block(p, &wait, 1),
            .kind = SIM_OP_DELAY,
        };
        sim_program_add_op(p, &op);
        op.kind = SIM_OP_SEND;
        op.transfer = i;
        sim_program_add_op(p, &op);
    }
    bool is_sealed = sim_program_seal(p, NULL);
    g_assert(is_sealed);
    return p;
}

static TopoFluidTransfer *make_transfers(const RouteFlows *flows, RouteSharing sharing)
{
    TopoFluidTransfer *transfers = g_new(TopoFluidTransfer, flows->flows->len);
    for (guint i = 0; i < flows->flows->len; i++) {
        const RouteFlow *flow = route_flows_at(flows, i);
        double latency_s = route_flows_latency_s(flows, i);
        transfers[i] = (TopoFluidTransfer){
            .bytes = flow->bytes,
            .latency_s = latency_s,
            .rate_bound_bytes_per_s = INFINITY,
            .sharing_weight = sharing == ROUTE_SHARING_EQUAL ? 1.0 : 1e-6 / latency_s,
            .first = flow->first,
            .count = flow->count,
        };
    }
    return transfers;
}

static double *make_capacity(const TopoGraph *graph)
{
    uint32_t count = topo_graph_link_count(graph);
    double *capacity = g_new(double, count);
    for (uint32_t i = 0; i < count; i++)
        capacity[i] = topo_link_rate_bytes_per_s(topo_graph_link(graph, i));
    return capacity;
}

static double *make_weights(guint count)
{
    double *weights = g_new(double, count);
    for (guint i = 0; i < count; i++)
        weights[i] = 1.0;
    return weights;
}

double *route_flows_fluid_ends_s(const RouteFlows *flows, RouteSharing sharing, double *took_s)
{
    g_autofree double *capacity = make_capacity(flows->graph);
    g_autofree double *weights = make_weights(flows->links->len);
    g_autofree TopoFluidTransfer *transfers = make_transfers(flows, sharing);
    const TopoFluidSpec spec = {
        .capacity_bytes_per_s = capacity,
        .link_count = topo_graph_link_count(flows->graph),
        .transfers = transfers,
        .transfer_count = flows->flows->len,
        .links = (const uint32_t *)(void *)flows->links->data,
        .weights = weights,
    };
    g_autoptr(SimProgram) p = make_program(flows);
    g_autoptr(TopoFluid) fluid = topo_fluid_new(&spec, NULL);
    int64_t began_us = g_get_monotonic_time();
    g_autoptr(SimRun) run = sim_exec_run(p, topo_fluid_net(fluid), NULL);
    if (took_s != NULL)
        *took_s = (double)(g_get_monotonic_time() - began_us) * 1e-6;
    g_assert(run != NULL);
    double *ends_s = g_new(double, flows->flows->len);
    for (guint i = 0; i < flows->flows->len; i++)
        ends_s[i] = (double)run->end[2 * i + 1] * 1e-9;
    return ends_s;
}

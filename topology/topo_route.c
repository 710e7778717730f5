/* Routes from GPU to GPU, in three parts: from the GPU to its door (NIC), through the network, from
 * the door to the GPU.
 *
 * Between GPUs of one island (node, NVLink domain) the way stays inside. Otherwise both have a
 * door; of all pairs of their ports those with the fewest switch hops between them compete, then
 * each switch on the way has the links that lead closer to compete, and the policy picks the
 * winner. So every route is a shortest one between its doors, and cannot loop.
 *
 * A rail policy first looks for the GPU of the source's island whose door is on the rail of the
 * target's door and hands the bytes to it over NVLink (PXN; NCCL 2.12 release notes). Any policy
 * hands over when that is the only way: in a rail-only fabric, whose rails do not meet (Wang et al.
 * 2023, section 4), or where a NIC is dead, first on the sending side, then on the receiving one.
 *
 * What a pair sends may be split over several ways, because a NIC of two ports is two links of half
 * the rate. Where a pair has as many ways as the NIC has live ports, way i leaves by port i mod
 * ports and arrives at port i mod ports, as a library arranges that opens a connection for each
 * port and chooses source ports so that paths are disjoint (Qian et al., Alibaba HPN, SIGCOMM'24,
 * section 6); elsewhere each way is a flow of its own to the policy. Its number is made of the
 * pair and the way, so that one job's routes do not depend on another's.
 *
 * Left out: routes that change while a flow runs; the caller asks again. Shares by the rate of a
 * way: a port at half rate gets as much as its healthy twin. */
#include "topo_route.h"

#include "sim_hash.h"
#include "topo_route_field.h"
#include "topo_route_local.h"

#include <math.h>

/* No sub-flow: the policy chooses everything. */
static const int64_t undivided = -1;

struct TopoRouter {
    int64_t way; /* sub-flow that is being routed, or undivided */
    bool near;   /* it stays inside an island */
    const TopoFabric *fabric;
    const TopoRoutePolicy *policy;
    TopoRouteField *field;
    TopoRouteLocal *local;
    TopoHop hop;
    GArray *choices; /* of uint32_t: links that compete */
    GArray *pairs;   /* of Port pairs that compete */
};

/* A link between a door and a switch; of a door that is a switch itself, no link. */
typedef struct Port {
    uint32_t link; /* or TOPO_NONE */
    uint32_t vertex;
} Port;

typedef struct PortPair {
    Port up, down;
} PortPair;

TopoRouter *topo_router_new(const TopoFabric *fabric, const TopoRoutePolicy *policy, uint64_t seed)
{
    TopoRouter *router = g_new0(TopoRouter, 1);
    router->way = undivided;
    router->fabric = fabric;
    router->policy = policy;
    router->field = topo_route_field_new(fabric);
    router->local = topo_route_local_new(fabric);
    router->hop = (TopoHop){.graph = fabric->graph, .seed = seed, .ways = 1};
    router->choices = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    router->pairs = g_array_new(FALSE, FALSE, sizeof(PortPair));
    return router;
}

void topo_router_free(TopoRouter *router)
{
    if (!router)
        return;
    topo_route_field_free(router->field);
    topo_route_local_free(router->local);
    g_array_unref(router->choices);
    g_array_unref(router->pairs);
    g_free(router);
}

void topo_router_set_load(TopoRouter *router, const double *load_bytes_per_s)
{
    router->hop.load_bytes_per_s = load_bytes_per_s;
}

/* Picks one of router->choices for a flow that stands at @vertex. */
static size_t pick(TopoRouter *router, uint32_t vertex)
{
    size_t count = router->choices->len;
    if (count < 2)
        return 0;
    router->hop.vertex = vertex;
    size_t index =
        router->policy->pick(&router->hop, &g_array_index(router->choices, uint32_t, 0), count);
    router->hop.stride *= count;
    return index;
}

/* Port @i of @door towards the network or, @inwards, from it; false after the last. */
static bool port_at(const TopoRouter *router, uint32_t door, bool inwards, size_t i, Port *port)
{
    const TopoGraph *graph = router->fabric->graph;
    *port = (Port){TOPO_NONE, door};
    if (topo_route_field_has(router->field, door))
        return i == 0;
    TopoLinkSpan span = inwards ? topo_graph_in(graph, door) : topo_graph_out(graph, door);
    if (i >= span.count)
        return false;
    const TopoLink *link = topo_graph_link(graph, span.ids[i]);
    uint32_t other = inwards ? link->from : link->to;
    bool is_live = topo_route_field_has(router->field, other) && link->health_fraction > 0.0;
    *port = (Port){span.ids[i], is_live ? other : TOPO_NONE};
    return true;
}

/* How many ports up the competing pairs have; those with the same one stand together. */
static int64_t count_ups(const GArray *pairs)
{
    int64_t ups = 0;
    for (guint i = 0; i < pairs->len; i++)
        ups += i == 0 || g_array_index(pairs, PortPair, i).up.link !=
                             g_array_index(pairs, PortPair, i - 1).up.link;
    return ups;
}

/* Leaves of the competing pairs those with the ports of the way at hand: first up, then down. */
static void keep_ports_of_way(TopoRouter *router)
{
    GArray *pairs = router->pairs;
    int64_t ways = router->fabric->flows_per_pair, ups = count_ups(pairs), at = -1;
    guint kept = 0;
    if (router->way == undivided || ways < ups)
        return;
    uint32_t last = TOPO_NONE;
    for (guint i = 0; i < pairs->len; i++) {
        PortPair pair = g_array_index(pairs, PortPair, i);
        at += i == 0 || pair.up.link != last;
        last = pair.up.link;
        if (at == router->way % ups)
            g_array_index(pairs, PortPair, kept++) = pair;
    }
    g_array_set_size(pairs, kept);
    if (ways < kept)
        return;
    g_array_index(pairs, PortPair, 0) = g_array_index(pairs, PortPair, router->way % kept);
    g_array_set_size(pairs, 1);
}

/* Lets the port pairs compete that have the fewest hops between them; false when none has a way. */
static bool pick_ports(TopoRouter *router, uint32_t from, uint32_t to, PortPair *ret_pair)
{
    PortPair pair;
    uint16_t least = TOPO_ROUTE_FAR;
    g_array_set_size(router->pairs, 0);
    for (size_t i = 0; port_at(router, from, false, i, &pair.up); i++) {
        for (size_t j = 0; pair.up.vertex != TOPO_NONE; j++) {
            if (!port_at(router, to, true, j, &pair.down))
                break;
            if (pair.down.vertex == TOPO_NONE)
                continue;
            uint16_t hops = topo_route_field_hops(router->field, pair.up.vertex, pair.down.vertex);
            if (hops < least)
                g_array_set_size(router->pairs, 0);
            least = MIN(least, hops);
            if (hops == least && hops != TOPO_ROUTE_FAR)
                g_array_append_val(router->pairs, pair);
        }
    }
    if (router->pairs->len == 0)
        return false;
    keep_ports_of_way(router);
    g_array_set_size(router->choices, 0);
    for (guint i = 0; i < router->pairs->len; i++) {
        const PortPair *p = &g_array_index(router->pairs, PortPair, i);
        uint32_t link = p->up.link != TOPO_NONE ? p->up.link : p->down.link;
        g_array_append_val(router->choices, link);
    }
    *ret_pair = g_array_index(router->pairs, PortPair, pick(router, from));
    return true;
}

/* Appends the way between the doors @from and @to; false when there is none. */
static bool cross_network(TopoRouter *router, uint32_t from, uint32_t to, GArray *links)
{
    PortPair pair;
    router->hop.from = from;
    router->hop.to = to;
    router->hop.stride = 1;
    if (!pick_ports(router, from, to, &pair))
        return false;
    if (pair.up.link != TOPO_NONE)
        g_array_append_val(links, pair.up.link);
    uint32_t at = pair.up.vertex;
    while (at != pair.down.vertex) {
        g_array_set_size(router->choices, 0);
        topo_route_field_next(router->field, at, pair.down.vertex, router->choices);
        uint32_t link = g_array_index(router->choices, uint32_t, pick(router, at));
        g_array_append_val(links, link);
        at = topo_graph_link(router->fabric->graph, link)->to;
    }
    if (pair.down.link != TOPO_NONE)
        g_array_append_val(links, pair.down.link);
    return true;
}

/* Appends the way from @from to @to inside an island, through devices of @via. */
static bool cross_island(TopoRouter *router, uint32_t from, uint32_t to, uint32_t via,
                         GArray *links)
{
    if (from == to)
        return true;
    if (!topo_route_local_search(router->local, from, to, via))
        return false;
    router->hop.from = from;
    router->hop.to = to;
    router->hop.stride = 1;
    while (from != to) {
        g_array_set_size(router->choices, 0);
        topo_route_local_next(router->local, from, router->choices);
        size_t index = router->near && router->way != undivided
                           ? (size_t)router->way % router->choices->len
                           : pick(router, from);
        uint32_t link = g_array_index(router->choices, uint32_t, index);
        g_array_append_val(links, link);
        from = topo_graph_link(router->fabric->graph, link)->to;
    }
    return true;
}

/* The same over NVLink or, failing that, over PCIe. */
static bool cross_island_anyhow(TopoRouter *router, uint32_t from, uint32_t to, GArray *links)
{
    return cross_island(router, from, to, TOPO_ROUTE_VIA_SCALE_UP, links) ||
           cross_island(router, from, to, TOPO_ROUTE_VIA_HOST, links);
}

/* Stations of a route that leaves its island: @from hands the bytes to @sender, whose door they
 * leave by; they arrive at the door of @receiver. */
typedef struct Stations {
    uint32_t from, sender, receiver, to;
} Stations;

static bool cross_by(TopoRouter *router, const Stations *s, GArray *links)
{
    guint length = links->len;
    uint32_t out = topo_route_local_door(router->local, s->sender);
    uint32_t in = topo_route_local_door(router->local, s->receiver);
    if (cross_island(router, s->from, s->sender, TOPO_ROUTE_VIA_SCALE_UP, links) &&
        cross_island_anyhow(router, s->sender, out, links) &&
        cross_network(router, out, in, links) &&
        cross_island_anyhow(router, in, s->receiver, links) &&
        cross_island(router, s->receiver, s->to, TOPO_ROUTE_VIA_SCALE_UP, links))
        return true;
    g_array_set_size(links, length);
    return false;
}

static uint32_t rail_of(const TopoRouter *router, uint32_t vertex)
{
    uint32_t door = topo_route_local_door(router->local, vertex);
    return topo_graph_vertex(router->fabric->graph, door)->rail;
}

/* The GPU nearest to @from in its island whose door is on rail @rail; @from when there is none. */
static uint32_t gpu_on_rail(const TopoRouter *router, uint32_t from, uint32_t rail)
{
    size_t here;
    TopoLinkSpan gpus = topo_route_local_gpus(router->local, from, &here);
    for (size_t step = 0; step < gpus.count; step++) {
        if (here >= step && rail_of(router, gpus.ids[here - step]) == rail)
            return gpus.ids[here - step];
        if (here + step < gpus.count && rail_of(router, gpus.ids[here + step]) == rail)
            return gpus.ids[here + step];
    }
    return from;
}

static bool is_gpu(const TopoRouter *router, uint32_t vertex)
{
    return topo_graph_vertex(router->fabric->graph, vertex)->kind == TOPO_VERTEX_GPU;
}

/* GPU number @step of the island of @vertex, counted from itself; @vertex first and alone when it
 * is no GPU. False after the last. */
static bool relay_at(const TopoRouter *router, uint32_t vertex, size_t step, uint32_t *relay)
{
    size_t here;
    TopoLinkSpan gpus = topo_route_local_gpus(router->local, vertex, &here);
    *relay = vertex;
    if (step == 0)
        return true;
    if (!is_gpu(router, vertex) || step >= gpus.count)
        return false;
    *relay = gpus.ids[(here + step) % gpus.count];
    return true;
}

/* Any way out of the island of @from into that of @to, direct ones first. */
static bool cross(TopoRouter *router, uint32_t from, uint32_t to, GArray *links)
{
    Stations s = {.from = from, .to = to};
    if (router->policy->prefers_rail && is_gpu(router, from)) {
        s.sender = gpu_on_rail(router, from, rail_of(router, to));
        s.receiver = to;
        if (cross_by(router, &s, links))
            return true;
    }
    for (size_t j = 0; relay_at(router, to, j, &s.receiver); j++) {
        for (size_t i = 0; relay_at(router, from, i, &s.sender); i++) {
            if (cross_by(router, &s, links))
                return true;
        }
    }
    return false;
}

static bool fail_without_path(const TopoGraph *graph, uint32_t from, uint32_t to, GError **error)
{
    uint32_t dead = 0, count = topo_graph_link_count(graph);
    for (uint32_t i = 0; i < count; i++)
        dead += topo_graph_link(graph, i)->health_fraction <= 0.0;
    g_autofree char *from_name = topo_graph_name(graph, from);
    g_autofree char *to_name = topo_graph_name(graph, to);
    g_set_error(error, TOPO_GRAPH_ERROR, TOPO_GRAPH_ERROR_NO_PATH,
                "no path from %s to %s: %u of the fabric's %u links are down", from_name, to_name,
                dead, count);
    return false;
}

bool topo_route_between(TopoRouter *router, uint32_t from, uint32_t to, uint64_t flow_id,
                        GArray *links, GError **error)
{
    if (from == to)
        return true;
    topo_route_field_refresh(router->field);
    router->hop.flow_id = flow_id;
    router->near = topo_route_local_is_near(router->local, from, to);
    if (router->near && cross_island_anyhow(router, from, to, links))
        return true;
    router->near = false;
    if (cross(router, from, to, links))
        return true;
    return fail_without_path(router->fabric->graph, from, to, error);
}

static bool check_ranks(const TopoFabric *fabric, size_t src, size_t dst, GError **error)
{
    if (src < fabric->gpu_count && dst < fabric->gpu_count)
        return true;
    g_set_error(error, TOPO_GRAPH_ERROR, TOPO_GRAPH_ERROR_PARAMETER, "rank %zu: the fabric has %zu",
                src >= fabric->gpu_count ? src : dst, fabric->gpu_count);
    return false;
}

bool topo_route(TopoRouter *router, size_t src, size_t dst, uint64_t flow_id, GArray *links,
                GError **error)
{
    const TopoFabric *fabric = router->fabric;
    return check_ranks(fabric, src, dst, error) &&
           topo_route_between(router, fabric->gpus[src], fabric->gpus[dst], flow_id, links, error);
}

/* Live NVSwitches through which @from reaches @to, both of one island. */
static int64_t count_switches(TopoRouter *router, uint32_t from, uint32_t to)
{
    const TopoGraph *graph = router->fabric->graph;
    int64_t switches = 0;
    if (!topo_route_local_search(router->local, from, to, TOPO_ROUTE_VIA_SCALE_UP))
        return 0;
    g_array_set_size(router->choices, 0);
    topo_route_local_next(router->local, from, router->choices);
    for (guint i = 0; i < router->choices->len; i++) {
        uint32_t next = topo_graph_link(graph, g_array_index(router->choices, uint32_t, i))->to;
        switches += topo_graph_vertex(graph, next)->kind == TOPO_VERTEX_NVSWITCH;
    }
    return switches;
}

int64_t topo_route_ways(TopoRouter *router, size_t src, size_t dst)
{
    const TopoFabric *fabric = router->fabric;
    if (src == dst || !check_ranks(fabric, src, dst, NULL))
        return 1;
    uint32_t from = fabric->gpus[src], to = fabric->gpus[dst];
    if (topo_route_local_is_near(router->local, from, to))
        return MAX(1, count_switches(router, from, to));
    return fabric->flows_per_pair;
}

bool topo_route_way(TopoRouter *router, size_t src, size_t dst, int64_t way, GArray *links,
                    GError **error)
{
    uint64_t pair = sim_hash_mix((uint64_t)src << 32 | (uint64_t)dst);
    router->way = way;
    router->hop.way = (uint64_t)way;
    router->hop.ways = (uint64_t)router->fabric->flows_per_pair;
    bool found = topo_route(router, src, dst, pair + (uint64_t)way, links, error);
    router->way = undivided;
    router->hop.way = 0;
    router->hop.ways = 1;
    return found;
}

double topo_path_latency_s(const TopoGraph *graph, const GArray *links)
{
    double sum_s = 0.0;
    for (guint i = 0; i < links->len; i++)
        sum_s += topo_link_latency_s(topo_graph_link(graph, g_array_index(links, uint32_t, i)));
    return sum_s;
}

double topo_path_rate_bytes_per_s(const TopoGraph *graph, const GArray *links)
{
    double least = INFINITY;
    for (guint i = 0; i < links->len; i++)
        least = fmin(least, topo_link_rate_bytes_per_s(
                                topo_graph_link(graph, g_array_index(links, uint32_t, i))));
    return least;
}

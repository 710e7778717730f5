/*
 * Flows that nobody knows beforehand, on the fluid network (topo_fluid.c). Each is one variable, on
 * a path: the links of all ways between two GPUs, with the share of each way summed by link. So
 *
 *   alone it takes   latency + bytes / min(link rate / weight)   [s]
 *
 * and beside others what max-min fairness leaves it. The latency is the longest of its ways'; the
 * network sees a flow when that is over.
 *
 * Numbers of flows are given out again, so there are as many transfers as were ever under way at
 * once. Adaptive routing sees the load of all paths found before, each at the rate of one flow
 * alone.
 *
 * Left out: routes that change in the run; what a sender's software takes to start.
 */
#include "topo_flows.h"

#include "sim_live.h"
#include "topo_lay.h"

#include <math.h>

/* Links of a pair of GPUs. */
typedef struct Path {
    uint32_t first, count; /* run of links and weights */
    uint32_t owner;
    double latency_s;
} Path;

struct TopoFlows {
    const TopoFabric *fabric;
    const TopoGraph *graph;
    TopoRouter *router;
    double *capacity;  /* bytes/s of each link of the graph */
    double *load;      /* bytes/s on each, for adaptive routing */
    TopoWeights sums;  /* of the path at hand */
    GHashTable *known; /* (owner, from, to) to path + 1 */
    GArray *paths;     /* of Path */
    GArray *links;     /* of uint32_t */
    GArray *weights;   /* of double */
    GArray *transfers; /* of TopoFluidTransfer, by flow */
    GArray *idle;      /* of uint32_t: flows that have ended */
    uint32_t under_way;
    TopoFluidSpec spec;
    TopoFluid *fluid;
    SimLive *live;
};

/* The arrays may have moved. */
static void refresh(TopoFlows *flows)
{
    flows->spec.transfers = (const TopoFluidTransfer *)(const void *)flows->transfers->data;
    flows->spec.transfer_count = flows->transfers->len;
    flows->spec.links = (const uint32_t *)(const void *)flows->links->data;
    flows->spec.weights = (const double *)(const void *)flows->weights->data;
}

static void plan_changes(TopoFlows *flows, const TopoFlowsSpec *spec)
{
    for (size_t i = 0; i < spec->change_count; i++) {
        const TopoLinkChange *change = &spec->changes[i];
        TopoLink link = *topo_graph_link(flows->graph, change->link);
        link.health_fraction = change->health_fraction;
        topo_fluid_set_capacity_at(flows->fluid, change->at, change->link,
                                   topo_link_rate_bytes_per_s(&link));
    }
}

TopoFlows *topo_flows_new(const TopoFlowsSpec *spec, GError **error)
{
    g_autoptr(TopoFlows) flows = g_new0(TopoFlows, 1);
    uint32_t count = (uint32_t)topo_graph_link_count(spec->fabric->graph);
    flows->fabric = spec->fabric;
    flows->graph = spec->fabric->graph;
    flows->router = spec->router;
    flows->capacity = g_new0(double, MAX(count, 1));
    flows->load = g_new0(double, MAX(count, 1));
    flows->sums = topo_weights_init(flows->graph);
    flows->known =
        g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
    flows->paths = g_array_new(FALSE, FALSE, sizeof(Path));
    flows->links = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    flows->weights = g_array_new(FALSE, FALSE, sizeof(double));
    flows->transfers = g_array_new(FALSE, FALSE, sizeof(TopoFluidTransfer));
    flows->idle = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (uint32_t i = 0; i < count; i++)
        flows->capacity[i] = topo_link_rate_bytes_per_s(topo_graph_link(flows->graph, i));
    flows->spec = (TopoFluidSpec){.capacity_bytes_per_s = flows->capacity, .link_count = count};
    refresh(flows);
    flows->fluid = topo_fluid_new(&flows->spec, error);
    if (!flows->fluid)
        return NULL;
    plan_changes(flows, spec);
    flows->live = sim_live_new(topo_fluid_net(flows->fluid));
    topo_router_set_load(flows->router, flows->load);
    return g_steal_pointer(&flows);
}

void topo_flows_free(TopoFlows *flows)
{
    if (!flows)
        return;
    topo_router_set_load(flows->router, NULL);
    sim_live_free(flows->live);
    topo_fluid_free(flows->fluid);
    topo_weights_clear(&flows->sums);
    g_hash_table_unref(flows->known);
    g_array_unref(flows->paths);
    g_array_unref(flows->links);
    g_array_unref(flows->weights);
    g_array_unref(flows->transfers);
    g_array_unref(flows->idle);
    g_free(flows->capacity);
    g_free(flows->load);
    g_free(flows);
}

/* Sums up the links of all ways from @from to @to; @latency_s is that of the longest. */
static bool sum_ways(TopoFlows *flows, size_t from, size_t to, double *latency_s, GError **error)
{
    g_autoptr(GArray) way = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    int64_t ways = from == to ? 0 : topo_route_ways(flows->router, from, to);
    topo_weights_restart(&flows->sums);
    *latency_s = 0.0;
    for (int64_t i = 0; i < ways; i++) {
        g_array_set_size(way, 0);
        if (!topo_route_way(flows->router, from, to, i, way, error))
            return false;
        TopoEdge edge = {
            .weight = 1.0 / (double)ways,
            .links = (const uint32_t *)(const void *)way->data,
            .link_count = way->len,
        };
        topo_weights_add(&flows->sums, &edge);
        *latency_s = fmax(*latency_s, topo_path_latency_s(flows->graph, way));
    }
    return true;
}

/* Appends the links summed up, as the run of @path. */
static void take_ways(TopoFlows *flows, Path *path)
{
    double rate = INFINITY;
    path->first = flows->links->len;
    path->count = flows->sums.touched->len;
    for (uint32_t i = 0; i < path->count; i++) {
        uint32_t link;
        double weight = topo_weights_take(&flows->sums, i, &link);
        g_array_append_val(flows->links, link);
        g_array_append_val(flows->weights, weight);
        rate = fmin(rate, flows->capacity[link] / weight);
    }
    for (uint32_t i = 0; i < path->count; i++)
        flows->load[g_array_index(flows->links, uint32_t, path->first + i)] +=
            rate * g_array_index(flows->weights, double, path->first + i);
    refresh(flows);
}

bool topo_flows_path(TopoFlows *flows, size_t from, size_t to, uint32_t owner, uint32_t *path,
                     GError **error)
{
    const uint64_t key[] = {owner, from, to};
    g_autoptr(GBytes) pair = g_bytes_new(key, sizeof key);
    guint found = GPOINTER_TO_UINT(g_hash_table_lookup(flows->known, pair));
    *path = found - 1;
    if (found > 0)
        return true;
    Path added = {.owner = owner};
    if (!sum_ways(flows, from, to, &added.latency_s, error))
        return false;
    take_ways(flows, &added);
    *path = flows->paths->len;
    g_array_append_val(flows->paths, added);
    g_hash_table_insert(flows->known, g_steal_pointer(&pair), GUINT_TO_POINTER(*path + 1));
    return true;
}

double topo_flows_latency_s(const TopoFlows *flows, uint32_t path)
{
    return g_array_index(flows->paths, Path, path).latency_s;
}

uint32_t topo_flows_begin(TopoFlows *flows, uint32_t path, double bytes, double bound_bytes_per_s,
                          SimTime at)
{
    const Path *along = &g_array_index(flows->paths, Path, path);
    uint32_t flow = flows->transfers->len;
    if (flows->idle->len > 0) {
        flow = g_array_index(flows->idle, uint32_t, flows->idle->len - 1);
        g_array_set_size(flows->idle, flows->idle->len - 1);
    } else {
        g_array_set_size(flows->transfers, flow + 1);
        refresh(flows);
    }
    g_array_index(flows->transfers, TopoFluidTransfer, flow) = (TopoFluidTransfer){
        .bytes = bytes,
        .latency_s = along->latency_s,
        .rate_bound_bytes_per_s = bound_bytes_per_s,
        .sharing_weight = 1.0,
        .first = along->first,
        .count = along->count,
    };
    bool is_time = topo_fluid_renew(flows->fluid, flow, NULL);
    g_assert(is_time); /* a sum over the links of a path */
    flows->under_way++;
    sim_live_begin(flows->live, flow, at);
    return flow;
}

bool topo_flows_next(const TopoFlows *flows, SimTime *at)
{
    return flows->under_way > 0 && sim_live_next(flows->live, at);
}

bool topo_flows_step(TopoFlows *flows, uint32_t *flow)
{
    if (!sim_live_step(flows->live, flow))
        return false;
    g_array_append_val(flows->idle, *flow);
    flows->under_way--;
    return true;
}

static gint by_owner(gconstpointer left, gconstpointer right)
{
    const TopoHotRun *a = left, *b = right;
    if (a->who != b->who)
        return a->who < b->who ? -1 : 1;
    return a->first < b->first ? -1 : a->first > b->first;
}

static bool is_alike(const TopoHotLink *a, const TopoHotLink *b)
{
    double unlike = fabs(a->waited_s - b->waited_s) + fabs(a->lost_s - b->lost_s) +
                    fabs(a->carried_fraction - b->carried_fraction) +
                    fabs(a->bytes_per_s - b->bytes_per_s);
    return !(unlike > 0.0);
}

/* Links with the same figures, which follow each other, become one; the first @most stay. */
static void fold(GArray *hot, guint most)
{
    for (guint kept = 0; kept < MIN(hot->len, most); kept++) {
        TopoHotLink *link = &g_array_index(hot, TopoHotLink, kept);
        guint next = kept + 1;
        while (next < hot->len && is_alike(link, &g_array_index(hot, TopoHotLink, next)))
            next++;
        link->alike += next - kept - 1;
        if (next > kept + 1)
            g_array_remove_range(hot, kept + 1, next - kept - 1);
    }
    if (hot->len > most)
        g_array_set_size(hot, most);
}

GArray *topo_flows_hot_links(const TopoFlows *flows, double makespan_s, guint most)
{
    g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(TopoHotRun));
    for (guint i = 0; i < flows->paths->len; i++) {
        const Path *path = &g_array_index(flows->paths, Path, i);
        TopoHotRun run = {path->first, path->count, path->owner};
        g_array_append_val(runs, run);
    }
    g_array_sort(runs, by_owner);
    TopoHotBook book = {
        .graph = flows->graph,
        .fluid = flows->fluid,
        .spec = &flows->spec,
        .runs = (const TopoHotRun *)(const void *)runs->data,
        .run_count = runs->len,
        .makespan_s = makespan_s,
    };
    GArray *hot = topo_hot_links(&book);
    fold(hot, most);
    return hot;
}

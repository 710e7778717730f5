/* From transfers to shares of links.
 *
 * A transfer is priced as if it were alone (topo_price.c): that gives the algorithm, the latency
 * and a bound on its rate. Then the algorithm's schedule is laid over the fabric. Progress is
 * counted in bytes of the tensor, S, so that
 *
 *   weight of an edge = bytes that the schedule sends over it in all / S
 *   rate bound        = S / time of the bytes at the rate of the narrowest wire    [bytes/s]
 *   latency           = software + steps between domains * flight of the longest edge
 *
 * and never less than the flight of the longest edge. All groups of a transfer have the same shape,
 * so the schedule is summed up into edges once and laid for each of them.
 *
 * The library's channels are parallel instances of a schedule, each rotated by one rank, so that
 * every member enters and leaves the domain through its own NIC. The edge by which a ring of k
 * members a domain leaves it is therefore k edges, between the members at equal places, with a k-th
 * of the bytes (TopoAlgorithm.rotates). Likewise the wires of a mesh inside a domain are all used:
 * a ring's edge is spread over the wires from its sender to all other members. A switch that
 * reduces in a domain stands for its NVSwitches.
 *
 * Members are taken in the order of their GPUs, as the library does when it looks at the topology;
 * only sends and parameter servers go by rank.
 *
 * What one GPU sends to another goes over the ways of the pair (topo_route.c), in equal parts.
 *
 * Switches of the fabric that reduce form a tree: an edge of it is the part between two tiers of a
 * route between ranks below different ports.
 *
 * Left out: flags and padding of the protocols on the wire; that a switch of the fabric reduces for
 * so many groups at once. */
#include "topo_lay.h"

#include <math.h>

/* Bytes from one index of the group to another for each byte of the tensor. */
typedef struct GroupEdge {
    uint32_t from, to;
    double weight;
} GroupEdge;

/* A reducing switch of the fabric: its tier, a rank below it, and one below another of its ports.
 */
typedef struct TreeSwitch {
    uint32_t level, below, other;
} TreeSwitch;

struct TopoLay {
    const TopoTrafficSpec *spec;
    const TopoGraph *graph;
    TopoSchedule *schedule;
    GArray *edges;   /* of GroupEdge, of the transfer at hand */
    GHashTable *row; /* of edges: (from, to) to index + 1 */
    GArray *tree;    /* of TreeSwitch, of the transfer at hand */
    GArray *members; /* of int64_t: GPU slots of the group at hand */
    GArray *path;    /* of uint32_t */
    GArray *spread;  /* of uint32_t: wires of a mesh */
    double *load;    /* bytes/s that may be on each link, for adaptive routing */
    /* The transfer at hand. */
    const TopoTransfer *transfer;
    const TopoAlgorithm *algorithm;
    int64_t per_domain;
    double rate; /* of progress */
    double longest_s, longest_across_s;
    TopoEdgeFunc visit;
    void *ctx;
};

TopoLay *topo_lay_new(const TopoTrafficSpec *spec)
{
    TopoLay *lay = g_new0(TopoLay, 1);
    lay->spec = spec;
    lay->graph = spec->fabric->graph;
    lay->schedule = topo_schedule_new();
    lay->edges = g_array_new(FALSE, FALSE, sizeof(GroupEdge));
    lay->row = g_hash_table_new(NULL, NULL);
    lay->tree = g_array_new(FALSE, TRUE, sizeof(TreeSwitch));
    lay->members = g_array_new(FALSE, FALSE, sizeof(int64_t));
    lay->path = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    lay->spread = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    lay->load = g_new0(double, MAX(topo_graph_link_count(lay->graph), 1));
    topo_router_set_load(spec->router, lay->load);
    return lay;
}

void topo_lay_free(TopoLay *lay)
{
    if (!lay)
        return;
    topo_router_set_load(lay->spec->router, NULL);
    topo_schedule_free(lay->schedule);
    g_array_unref(lay->edges);
    g_hash_table_unref(lay->row);
    g_array_unref(lay->tree);
    g_array_unref(lay->members);
    g_array_unref(lay->path);
    g_array_unref(lay->spread);
    g_free(lay->load);
    g_free(lay);
}

static void add_weight(TopoLay *lay, uint32_t from, uint32_t to, double weight)
{
    gpointer key = GSIZE_TO_POINTER(((gsize)from << 32 | to) + 1);
    gsize known = GPOINTER_TO_SIZE(g_hash_table_lookup(lay->row, key));
    if (known > 0) {
        g_array_index(lay->edges, GroupEdge, known - 1).weight += weight;
        return;
    }
    GroupEdge edge = {from, to, weight};
    g_array_append_val(lay->edges, edge);
    g_hash_table_insert(lay->row, key, GSIZE_TO_POINTER((gsize)lay->edges->len));
}

/* Sums up what @phase sends over each edge. */
static void add_phase(TopoLay *lay, const TopoPhase *phase, double bytes)
{
    bool stays = phase->from.span == 0 && phase->to.span == 0;
    for (uint32_t i = 0; i < phase->count; i++) {
        for (uint32_t sending = 0; sending < (stays ? 1 : phase->active); sending++) {
            TopoMessage m = topo_schedule_message(lay->schedule, phase, i, sending);
            double times = stays ? phase->active : 1.0;
            if (m.from != m.to)
                add_weight(lay, m.from, m.to, times * m.bytes / bytes);
        }
    }
}

/* Which ranks hang below which switch: edges up come in order of the tiers. */
static void find_tree(TopoLay *lay)
{
    uint32_t n = lay->schedule->ranks;
    g_array_set_size(lay->tree, 0);
    g_array_set_size(lay->tree, lay->algorithm->in_fabric ? lay->schedule->switches : 0);
    for (guint i = 0; i < lay->edges->len && lay->tree->len > 0; i++) {
        const GroupEdge *edge = &g_array_index(lay->edges, GroupEdge, i);
        if (edge->to < n || edge->from >= edge->to)
            continue;
        TreeSwitch *above = &g_array_index(lay->tree, TreeSwitch, edge->to - n);
        const TreeSwitch *child =
            edge->from < n ? NULL : &g_array_index(lay->tree, TreeSwitch, edge->from - n);
        uint32_t rank = child ? child->below : edge->from;
        if (above->level == 0)
            *above = (TreeSwitch){child ? child->level + 1 : 1, rank, rank};
        else if (above->other == above->below)
            above->other = rank;
    }
}

static bool sum_up(TopoLay *lay, GError **error)
{
    TopoCollectiveCall call = topo_price_call(lay->spec->cluster, lay->transfer);
    g_array_set_size(lay->edges, 0);
    g_hash_table_remove_all(lay->row);
    if (!topo_collective_phases(lay->algorithm, &call, lay->schedule, error))
        return false;
    for (guint i = 0; i < lay->schedule->phases->len; i++)
        add_phase(lay, &g_array_index(lay->schedule->phases, TopoPhase, i), call.bytes);
    find_tree(lay);
    return true;
}

/* Hands out the edge over the links of lay->path; returns its latency in seconds. */
static double visit_path(TopoLay *lay, uint32_t from, uint32_t to, double weight)
{
    const GArray *path = lay->path;
    TopoEdge edge = {
        .from = from,
        .to = to,
        .weight = weight,
        .links = (const uint32_t *)(const void *)path->data,
        .link_count = path->len,
        .latency_s = topo_path_latency_s(lay->graph, path),
    };
    lay->longest_s = fmax(lay->longest_s, edge.latency_s);
    for (guint i = 0; i < path->len; i++)
        lay->load[edge.links[i]] += isfinite(lay->rate) ? weight * lay->rate : 0.0;
    lay->visit(lay->ctx, &edge);
    return edge.latency_s;
}

static uint32_t vertex_of(const TopoLay *lay, int64_t gpu)
{
    return lay->spec->fabric->gpus[gpu];
}

static int64_t member(const TopoLay *lay, uint32_t index)
{
    return g_array_index(lay->members, int64_t, index);
}

static int64_t domain_of(const TopoLay *lay, uint32_t index)
{
    return member(lay, index) / lay->spec->cluster->node.scale_up_gpus;
}

static bool lay_edge(TopoLay *lay, uint32_t from, uint32_t to, double weight, GError **error)
{
    TopoRouter *router = lay->spec->router;
    size_t src = (size_t)member(lay, from), dst = (size_t)member(lay, to);
    bool across = domain_of(lay, from) != domain_of(lay, to);
    int64_t ways = topo_route_ways(router, src, dst);
    for (int64_t way = 0; way < ways; way++) {
        g_array_set_size(lay->path, 0);
        if (!topo_route_way(router, src, dst, way, lay->path, error))
            return false;
        double flight_s = visit_path(lay, vertex_of(lay, (int64_t)src),
                                     vertex_of(lay, (int64_t)dst), weight / (double)ways);
        if (across)
            lay->longest_across_s = fmax(lay->longest_across_s, flight_s);
    }
    return true;
}

/* Collects the wires from GPU @from straight to the other members of its domain; returns their
 * rate. */
static double mesh_wires(TopoLay *lay, uint32_t from)
{
    double rate = 0.0;
    g_array_set_size(lay->spread, 0);
    uint32_t count = lay->members->len;
    uint32_t run = from / (uint32_t)lay->per_domain * (uint32_t)lay->per_domain;
    for (uint32_t i = run; i < MIN(run + (uint32_t)lay->per_domain, count); i++) {
        if (i == from || domain_of(lay, i) != domain_of(lay, from))
            continue;
        uint32_t link = topo_graph_link_between(lay->graph, vertex_of(lay, member(lay, from)),
                                                vertex_of(lay, member(lay, i)));
        if (link == TOPO_NONE)
            continue;
        double wire = topo_link_rate_bytes_per_s(topo_graph_link(lay->graph, link));
        if (wire <= 0.0)
            continue;
        g_array_append_val(lay->spread, link);
        rate += wire;
    }
    return rate;
}

/* An edge of a rotating schedule inside a domain. */
static bool lay_inside(TopoLay *lay, const GroupEdge *edge, GError **error)
{
    double rate = mesh_wires(lay, edge->from);
    if (rate <= 0.0)
        return lay_edge(lay, edge->from, edge->to, edge->weight, error);
    for (guint i = 0; i < lay->spread->len; i++) {
        uint32_t link = g_array_index(lay->spread, uint32_t, i);
        const TopoLink *wire = topo_graph_link(lay->graph, link);
        g_array_set_size(lay->path, 0);
        g_array_append_val(lay->path, link);
        visit_path(lay, wire->from, wire->to,
                   edge->weight * topo_link_rate_bytes_per_s(wire) / rate);
    }
    return true;
}

/* An edge of a rotating schedule between domains: one from every member of a run to its like. */
static bool lay_rotated(TopoLay *lay, const GroupEdge *edge, GError **error)
{
    uint32_t k = (uint32_t)lay->per_domain;
    if (k <= 1 || lay->members->len % k != 0)
        return lay_edge(lay, edge->from, edge->to, edge->weight, error);
    for (uint32_t c = 0; c < k; c++) {
        if (!lay_edge(lay, edge->from / k * k + c, edge->to / k * k + c, edge->weight / (double)k,
                      error))
            return false;
    }
    return true;
}

/* Between rank @rank and the NVSwitches of its domain. */
static void lay_switch(TopoLay *lay, uint32_t rank, bool up, double weight)
{
    uint32_t gpu = vertex_of(lay, member(lay, rank));
    TopoLinkSpan span = up ? topo_graph_out(lay->graph, gpu) : topo_graph_in(lay->graph, gpu);
    uint32_t switches = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < span.count; i++) {
            const TopoLink *link = topo_graph_link(lay->graph, span.ids[i]);
            uint32_t other = up ? link->to : link->from;
            if (topo_graph_vertex(lay->graph, other)->kind != TOPO_VERTEX_NVSWITCH)
                continue;
            if (pass == 0) {
                switches++;
                continue;
            }
            g_array_set_size(lay->path, 0);
            g_array_append_val(lay->path, span.ids[i]);
            visit_path(lay, link->from, link->to, weight / switches);
        }
    }
}

static uint32_t tier_of(const TopoLay *lay, uint32_t vertex)
{
    return topo_graph_vertex(lay->graph, vertex)->level;
}

/* Keeps of lay->path, a route up to tier @level and down again, what lies between the tier below
 * and
 * @level: on the way up, or on the way down. */
static void keep_tier(TopoLay *lay, uint32_t level, bool up)
{
    const uint32_t *links = (const uint32_t *)(const void *)lay->path->data;
    guint first = 0, end = lay->path->len;
    if (up) {
        while (first < end &&
               tier_of(lay, topo_graph_link(lay->graph, links[first])->from) + 1 < level)
            first++;
        guint last = first;
        while (last < end && tier_of(lay, topo_graph_link(lay->graph, links[last])->from) < level)
            last++;
        end = last;
    } else {
        first = end;
        while (first > 0 && tier_of(lay, topo_graph_link(lay->graph, links[first - 1])->to) < level)
            first--;
        while (level > 1 && end > first &&
               tier_of(lay, topo_graph_link(lay->graph, links[end - 1])->to) + 1 < level)
            end--;
    }
    g_array_set_size(lay->path, end);
    g_array_remove_range(lay->path, 0, MIN(first, end));
}

/* Between a port (a rank or a switch) and the switch of the fabric above it: that part of the route
 * to a rank below another port. */
static bool lay_tree(TopoLay *lay, const GroupEdge *edge, GError **error)
{
    uint32_t n = lay->members->len;
    bool up = edge->to > edge->from;
    uint32_t port = up ? edge->from : edge->to;
    const TreeSwitch *above = &g_array_index(lay->tree, TreeSwitch, MAX(edge->from, edge->to) - n);
    uint32_t here = port < n ? port : g_array_index(lay->tree, TreeSwitch, port - n).below;
    uint32_t there = here == above->below ? above->other : above->below;
    if (here == there)
        there = (here + (uint32_t)lay->per_domain) % n;
    size_t src = (size_t)member(lay, up ? here : there),
           dst = (size_t)member(lay, up ? there : here);
    int64_t ways = topo_route_ways(lay->spec->router, src, dst);
    for (int64_t way = 0; way < ways; way++) {
        g_array_set_size(lay->path, 0);
        if (!topo_route_way(lay->spec->router, src, dst, way, lay->path, error))
            return false;
        keep_tier(lay, above->level, up);
        if (lay->path->len == 0)
            continue;
        const uint32_t *links = (const uint32_t *)(const void *)lay->path->data;
        double flight_s = visit_path(lay, topo_graph_link(lay->graph, links[0])->from,
                                     topo_graph_link(lay->graph, links[lay->path->len - 1])->to,
                                     edge->weight / (double)ways);
        lay->longest_across_s = fmax(lay->longest_across_s, flight_s);
    }
    return true;
}

static bool lay_group_edge(TopoLay *lay, const GroupEdge *edge, GError **error)
{
    uint32_t count = lay->members->len;
    if (edge->from >= count || edge->to >= count) {
        if (lay->algorithm->in_fabric)
            return lay_tree(lay, edge, error);
        bool up = edge->to >= count;
        if (edge->from < count || edge->to < count)
            lay_switch(lay, up ? edge->from : edge->to, up, edge->weight);
        return true;
    }
    if (!lay->algorithm->rotates)
        return lay_edge(lay, edge->from, edge->to, edge->weight, error);
    bool inside = domain_of(lay, edge->from) == domain_of(lay, edge->to);
    return inside ? lay_inside(lay, edge, error) : lay_rotated(lay, edge, error);
}

static gint by_slot(gconstpointer left, gconstpointer right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

static void gather_members(TopoLay *lay, const TopoRanks *group)
{
    const int64_t *gpu_of_rank = lay->spec->gpu_of_rank;
    bool ordered = group->stride >= 0 && !gpu_of_rank;
    g_array_set_size(lay->members, 0);
    for (int64_t i = 0; i < group->count; i++) {
        int64_t rank = group->first + i * group->stride;
        int64_t gpu = gpu_of_rank ? gpu_of_rank[rank] : rank;
        g_array_append_val(lay->members, gpu);
    }
    TopoCollectiveOp op = lay->transfer->op;
    if (!ordered && op != TOPO_OP_SEND && op != TOPO_OP_PUSH && op != TOPO_OP_PULL)
        g_array_sort(lay->members, by_slot);
}

static bool lay_group(TopoLay *lay, const TopoRanks *group, GError **error)
{
    gather_members(lay, group);
    for (guint i = 0; i < lay->edges->len; i++) {
        if (!lay_group_edge(lay, &g_array_index(lay->edges, GroupEdge, i), error))
            return false;
    }
    return true;
}

bool topo_lay_transfer(TopoLay *lay, size_t index, TopoEdgeFunc visit, void *ctx, TopoLoad *load,
                       GError **error)
{
    const TopoTrafficSpec *spec = lay->spec;
    const TopoTransfer *transfer = &spec->transfers[index];
    TopoProtocolChoice choice;
    *load = (TopoLoad){.latency_s = transfer->measured_s, .rate_bound_bytes_per_s = INFINITY};
    if (transfer->measured_s > 0.0)
        return true;
    if (!topo_price(spec->cluster, transfer, spec->crowd, &choice, error))
        return false;
    if (!choice.algorithm)
        return true;
    bool paced = transfer->paced_s > 0.0;
    double moving_s = paced ? transfer->paced_s : choice.moving_s;
    lay->transfer = transfer;
    lay->algorithm = choice.algorithm;
    lay->per_domain = MAX(MIN(transfer->ranks_per_domain, transfer->ranks), 1);
    lay->rate = transfer->bytes / moving_s;
    lay->longest_s = lay->longest_across_s = 0.0;
    lay->visit = visit;
    lay->ctx = ctx;
    if (!sum_up(lay, error))
        return false;
    for (uint32_t g = index > 0 ? spec->group_ends[index - 1] : 0; g < spec->group_ends[index];
         g++) {
        if (!lay_group(lay, &spec->groups[g], error))
            return false;
    }
    load->bytes = transfer->bytes;
    load->rate_bound_bytes_per_s = lay->rate;
    if (!paced)
        load->latency_s =
            fmax(topo_price_s(&choice, lay->longest_across_s) - choice.moving_s, lay->longest_s);
    return true;
}

TopoWeights topo_weights_init(const TopoGraph *graph)
{
    return (TopoWeights){g_new0(double, MAX(topo_graph_link_count(graph), 1)),
                         g_array_new(FALSE, FALSE, sizeof(uint32_t))};
}

void topo_weights_clear(TopoWeights *weights)
{
    g_free(weights->weight);
    g_array_unref(weights->touched);
}

void topo_weights_add(void *ctx, const TopoEdge *edge)
{
    TopoWeights *weights = ctx;
    for (guint i = 0; i < edge->link_count; i++) {
        uint32_t link = edge->links[i];
        if (weights->weight[link] <= 0.0)
            g_array_append_val(weights->touched, link);
        weights->weight[link] += edge->weight;
    }
}

double topo_weights_take(TopoWeights *weights, guint index, uint32_t *link)
{
    *link = g_array_index(weights->touched, uint32_t, index);
    double weight = weights->weight[*link];
    weights->weight[*link] = 0.0;
    return weight;
}

void topo_weights_restart(TopoWeights *weights)
{
    g_array_set_size(weights->touched, 0);
}

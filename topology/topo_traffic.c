/* From groups of ranks to shares of links.
 *
 * A collective runs as rings: each member sends to the next, and per byte of bus traffic (see
 * topo_net_alpha_beta.c) every link of the ring carries one byte. Where k members stand in a
 * domain, k rings leave it, one through each member's own NIC, with a k-th of the bytes. A send is
 * one edge. The transfer's weight on a link is the number of edges, of all its groups together,
 * that cross it, each with its share: so one variable of the fluid network stands for thousands of
 * groups that run in step.
 *
 * Alone on a fabric that has room, a transfer reaches what the collective library reaches: its rate
 * is bounded by the closed form's, and its latency is the closed form's plus, for each hop between
 * domains, the time of flight over the longest edge.
 *
 * Links that carry the same transfers with the same weights at the same rate bind alike, so one
 * stands for all of them (found by a hash of those): 100,000 links become a few dozen, and the
 * rates stay exact.
 *
 * Left out: spreading one edge over several paths (two ranks use one plane of a dual-plane fabric,
 * at that plane's rate); trees, whose bytes are counted as rings'. */
#include "topo_traffic.h"

#include "sim_hash.h"
#include "topo_fluid.h"

#include <math.h>
#include <string.h>

/* Links that bind alike. */
typedef struct LinkClass {
    uint32_t link; /* of the graph: the first */
    int64_t alike;
} LinkClass;

struct TopoTraffic {
    const TopoGraph *graph; /* of the fabric, borrowed while names are asked for */
    GArray *classes;        /* of LinkClass */
    GArray *capacity;       /* of double, by class */
    GArray *transfers;      /* of TopoFluidTransfer */
    GArray *links;          /* of uint32_t: classes, run by run */
    GArray *weights;        /* of double */
    TopoFluidSpec spec;
    TopoFluid *fluid;
};

/* One (transfer, link) pair with its weight. */
typedef struct Load {
    uint32_t transfer, link;
    double weight;
} Load;

typedef struct Builder {
    const TopoTrafficSpec *spec;
    const TopoGraph *graph;
    GArray *loads;   /* of Load, transfer by transfer */
    GArray *path;    /* of uint32_t, scratch */
    double *weight;  /* by link, of the transfer at hand */
    GArray *touched; /* of uint32_t: links with weight */
    double flight_s; /* longest edge between domains of the transfer at hand */
    uint64_t flow_id;
} Builder;

static bool add_edge(Builder *b, int64_t from, int64_t to, double weight, GError **error)
{
    g_array_set_size(b->path, 0);
    if (!topo_route(b->spec->router, (size_t)from, (size_t)to, b->flow_id++, b->path, error))
        return false;
    for (guint i = 0; i < b->path->len; i++) {
        uint32_t link = g_array_index(b->path, uint32_t, i);
        if (b->weight[link] <= 0.0)
            g_array_append_val(b->touched, link);
        b->weight[link] += weight;
    }
    b->flight_s = fmax(b->flight_s, topo_path_latency_s(b->graph, b->path));
    return true;
}

/* The GPU of member @i. */
static int64_t member(const Builder *b, const TopoRanks *group, int64_t i)
{
    int64_t rank = group->first + i * group->stride;
    return b->spec->gpu_of_rank ? b->spec->gpu_of_rank[rank] : rank;
}

/* The edge from member @i to the next. Between domains that hold @k members each, in runs, it is k
 * edges, each from and to the members at the same place of their runs. */
static bool add_ring_edge(Builder *b, const TopoRanks *group, int64_t i, int64_t k, GError **error)
{
    int64_t domain = b->spec->cluster->node.scale_up_gpus;
    int64_t next = (i + 1) % group->count;
    int64_t from = member(b, group, i), to = member(b, group, next);
    if (from / domain == to / domain || k <= 1 || group->count % k != 0)
        return add_edge(b, from, to, 1.0, error);
    for (int64_t c = 0; c < k; c++) {
        from = member(b, group, i / k * k + c);
        to = member(b, group, next / k * k + c);
        if (!add_edge(b, from, to, 1.0 / (double)k, error))
            return false;
    }
    return true;
}

static bool add_group(Builder *b, const TopoTransfer *transfer, const TopoRanks *group,
                      GError **error)
{
    if (transfer->op == TOPO_OP_SEND)
        return add_edge(b, member(b, group, 0), member(b, group, 1), 1.0, error);
    for (int64_t i = 0; i < group->count; i++) {
        if (!add_ring_edge(b, group, i, transfer->ranks_per_domain, error))
            return false;
    }
    return true;
}

/* Moves the weights of transfer @index from the scratch to the loads. */
static void take_loads(Builder *b, uint32_t index)
{
    for (guint i = 0; i < b->touched->len; i++) {
        uint32_t link = g_array_index(b->touched, uint32_t, i);
        Load load = {index, link, b->weight[link]};
        g_array_append_val(b->loads, load);
        b->weight[link] = 0.0;
    }
    g_array_set_size(b->touched, 0);
}

static bool add_transfer(Builder *b, TopoTraffic *traffic, uint32_t index, GError **error)
{
    const TopoTrafficSpec *spec = b->spec;
    const TopoTransfer *transfer = &spec->transfers[index];
    TopoTerms terms = topo_net_terms(spec->cluster, transfer);
    uint32_t first = index > 0 ? spec->group_ends[index - 1] : 0;
    b->flight_s = 0.0;
    TopoFluidTransfer fluid = {.latency_s = transfer->measured_s, .sharing_weight = 1.0};
    fluid.rate_bound_bytes_per_s = INFINITY;
    if (transfer->measured_s <= 0.0) {
        for (uint32_t g = first; g < spec->group_ends[index]; g++) {
            if (!add_group(b, transfer, &spec->groups[g], error))
                return false;
        }
        bool across = transfer->ranks > transfer->ranks_per_domain && transfer->op != TOPO_OP_SEND;
        fluid.bytes = terms.bytes;
        if (transfer->paced_s > 0.0) {
            terms =
                (TopoTerms){.bytes = terms.bytes, .bytes_per_s = terms.bytes / transfer->paced_s};
            across = false;
        }
        fluid.latency_s = terms.latency_s + (across ? terms.hops * b->flight_s : 0.0);
        fluid.rate_bound_bytes_per_s = terms.bytes_per_s;
    }
    take_loads(b, index);
    g_array_append_val(traffic->transfers, fluid);
    return true;
}

static uint64_t bits(double value)
{
    uint64_t word;
    memcpy(&word, &value, sizeof word);
    return word;
}

/* What each link carries, as a hash; links that carry nothing keep 0. */
static uint64_t *signatures(const Builder *b)
{
    uint64_t *signature = g_new0(uint64_t, topo_graph_link_count(b->graph));
    for (guint i = 0; i < b->loads->len; i++) {
        const Load *load = &g_array_index(b->loads, Load, i);
        double rate = topo_link_rate_bytes_per_s(topo_graph_link(b->graph, load->link));
        uint64_t *s = &signature[load->link];
        *s = sim_hash_mix(*s + bits(rate));
        *s = sim_hash_mix(*s + load->transfer);
        *s = sim_hash_mix(*s + bits(load->weight));
    }
    return signature;
}

/* Sorts the links into classes, in order of first appearance; returns the class of each link. */
static uint32_t *classify(const Builder *b, TopoTraffic *traffic)
{
    g_autofree uint64_t *signature = signatures(b);
    uint32_t *class_of = g_new(uint32_t, topo_graph_link_count(b->graph));
    g_autoptr(GHashTable) known = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (uint32_t link = 0; link < topo_graph_link_count(b->graph); link++) {
        if (signature[link] == 0)
            continue;
        gpointer found = g_hash_table_lookup(known, &signature[link]);
        if (!found) {
            LinkClass class = {.link = link};
            double rate = topo_link_rate_bytes_per_s(topo_graph_link(b->graph, link));
            g_array_append_val(traffic->classes, class);
            g_array_append_val(traffic->capacity, rate);
            found = GUINT_TO_POINTER(traffic->classes->len);
            g_hash_table_insert(known, &signature[link], found);
        }
        class_of[link] = GPOINTER_TO_UINT(found) - 1;
        g_array_index(traffic->classes, LinkClass, class_of[link]).alike++;
    }
    return class_of;
}

/* The runs of the fluid network: of each transfer, each class once. */
static void fold_loads(const Builder *b, TopoTraffic *traffic)
{
    g_autofree uint32_t *class_of = classify(b, traffic);
    for (guint i = 0; i < b->loads->len; i++) {
        const Load *load = &g_array_index(b->loads, Load, i);
        uint32_t class = class_of[load->link];
        if (g_array_index(traffic->classes, LinkClass, class).link != load->link)
            continue;
        TopoFluidTransfer *transfer =
            &g_array_index(traffic->transfers, TopoFluidTransfer, load->transfer);
        if (transfer->count++ == 0)
            transfer->first = traffic->links->len;
        g_array_append_val(traffic->links, class);
        g_array_append_val(traffic->weights, load->weight);
    }
}

static TopoTraffic *traffic_new(const TopoGraph *graph)
{
    TopoTraffic *traffic = g_new0(TopoTraffic, 1);
    traffic->graph = graph;
    traffic->classes = g_array_new(FALSE, TRUE, sizeof(LinkClass));
    traffic->capacity = g_array_new(FALSE, TRUE, sizeof(double));
    traffic->transfers = g_array_new(FALSE, TRUE, sizeof(TopoFluidTransfer));
    traffic->links = g_array_new(FALSE, TRUE, sizeof(uint32_t));
    traffic->weights = g_array_new(FALSE, TRUE, sizeof(double));
    return traffic;
}

static bool route_all(Builder *b, TopoTraffic *traffic, GError **error)
{
    for (size_t i = 0; i < b->spec->transfer_count; i++) {
        if (!add_transfer(b, traffic, (uint32_t)i, error))
            return false;
    }
    fold_loads(b, traffic);
    return true;
}

TopoTraffic *topo_traffic_new(const TopoTrafficSpec *spec, GError **error)
{
    g_autoptr(TopoTraffic) traffic = traffic_new(spec->fabric->graph);
    Builder b = {.spec = spec,
                 .graph = traffic->graph,
                 .loads = g_array_new(FALSE, FALSE, sizeof(Load)),
                 .path = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
                 .touched = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
                 .weight = g_new0(double, topo_graph_link_count(traffic->graph))};
    bool routed = route_all(&b, traffic, error);
    g_array_unref(b.loads);
    g_array_unref(b.path);
    g_array_unref(b.touched);
    g_free(b.weight);
    if (!routed)
        return NULL;
    traffic->spec = (TopoFluidSpec){
        .capacity_bytes_per_s = (const double *)traffic->capacity->data,
        .link_count = traffic->capacity->len,
        .transfers = (const TopoFluidTransfer *)traffic->transfers->data,
        .transfer_count = traffic->transfers->len,
        .links = (const uint32_t *)traffic->links->data,
        .weights = (const double *)traffic->weights->data,
    };
    traffic->fluid = topo_fluid_new(&traffic->spec, error);
    return traffic->fluid ? g_steal_pointer(&traffic) : NULL;
}

void topo_traffic_free(TopoTraffic *traffic)
{
    if (!traffic)
        return;
    topo_fluid_free(traffic->fluid);
    g_array_unref(traffic->classes);
    g_array_unref(traffic->capacity);
    g_array_unref(traffic->transfers);
    g_array_unref(traffic->links);
    g_array_unref(traffic->weights);
    g_free(traffic);
}

SimNet *topo_traffic_net(TopoTraffic *traffic)
{
    return topo_fluid_net(traffic->fluid);
}

static gint hotter_first(gconstpointer left, gconstpointer right)
{
    const TopoHotLink *a = left, *b = right;
    if (a->waited_s < b->waited_s || a->waited_s > b->waited_s)
        return a->waited_s < b->waited_s ? 1 : -1;
    if (a->carried_fraction < b->carried_fraction || a->carried_fraction > b->carried_fraction)
        return a->carried_fraction < b->carried_fraction ? 1 : -1;
    return strcmp(a->name, b->name);
}

static void hot_link_clear(TopoHotLink *link)
{
    g_free(link->name);
}

static char *link_name(const TopoGraph *graph, uint32_t id)
{
    const TopoLink *link = topo_graph_link(graph, id);
    g_autofree char *from = topo_graph_name(graph, link->from);
    g_autofree char *to = topo_graph_name(graph, link->to);
    return g_strdup_printf("%s -> %s", from, to);
}

GArray *topo_traffic_hottest(const TopoTraffic *traffic, double makespan_s, guint most)
{
    GArray *hot = g_array_new(FALSE, TRUE, sizeof(TopoHotLink));
    g_array_set_clear_func(hot, (GDestroyNotify)hot_link_clear);
    g_autofree TopoFluidLinkUse *uses = g_new0(TopoFluidLinkUse, MAX(traffic->classes->len, 1));
    topo_fluid_link_uses(traffic->fluid, uses);
    for (guint i = 0; i < traffic->classes->len; i++) {
        const LinkClass *class = &g_array_index(traffic->classes, LinkClass, i);
        double rate = g_array_index(traffic->capacity, double, i);
        if (uses[i].carried_bytes <= 0.0)
            continue;
        TopoHotLink link = {
            .name = link_name(traffic->graph, class->link),
            .alike = class->alike,
            .bytes_per_s = rate,
            .carried_fraction = uses[i].carried_bytes / (rate * makespan_s),
            .saturated_s = uses[i].saturated_s,
            .waited_s = uses[i].waited_s,
            .lost_s = uses[i].lost_s,
        };
        g_array_append_val(hot, link);
    }
    g_array_sort(hot, hotter_first);
    if (hot->len > most)
        g_array_set_size(hot, most);
    return hot;
}

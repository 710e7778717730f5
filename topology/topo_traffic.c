/* Transfers laid over links become variables of the fluid network.
 *
 * The transfer's weight on a link is the sum over the edges, of all its groups together, that cross
 * it: so one variable of the fluid network stands for thousands of groups that run in step.
 *
 * Links that carry the same transfers with the same weights at the same rate bind alike, so one
 * stands for all of them (found by a hash of those): 100,000 links become a few dozen, and the
 * rates stay exact. */
#include "topo_traffic.h"

#include "sim_hash.h"

#include <string.h>

typedef struct TopoTraffic {
    const TopoGraph *graph; /* of the fabric, borrowed while names are asked for */
    GArray *classes;        /* of TopoLinkClass */
    GArray *capacity;       /* of double, by class */
    GArray *transfers;      /* of TopoFluidTransfer */
    GArray *links;          /* of uint32_t: classes, run by run */
    GArray *weights;        /* of double */
    TopoFluidSpec spec;
    TopoFluid *fluid;
} TopoTraffic;

/* One (transfer, link) pair with its weight. */
typedef struct Load {
    uint32_t transfer, link;
    double weight;
} Load;

typedef struct Builder {
    const TopoTrafficSpec *spec;
    const TopoGraph *graph;
    GArray *loads;       /* of Load, transfer by transfer */
    TopoWeights weights; /* of the transfer at hand */
} Builder;

/* Moves the weights of transfer @index from the sums to the loads. */
static void take_loads(Builder *b, uint32_t index)
{
    for (guint i = 0; i < b->weights.touched->len; i++) {
        Load load = {.transfer = index};
        load.weight = topo_weights_take(&b->weights, i, &load.link);
        g_array_append_val(b->loads, load);
    }
    topo_weights_restart(&b->weights);
}

static bool add_transfer(Builder *b, TopoLay *lay, TopoTraffic *traffic, uint32_t index,
                         GError **error)
{
    TopoLoad load;
    if (!topo_lay_transfer(lay, index, topo_weights_add, &b->weights, &load, error))
        return false;
    take_loads(b, index);
    TopoFluidTransfer fluid = {.bytes = load.bytes,
                               .latency_s = load.latency_s,
                               .rate_bound_bytes_per_s = load.rate_bound_bytes_per_s,
                               .sharing_weight = 1.0};
    g_array_append_val(traffic->transfers, fluid);
    return true;
}

static uint64_t bits(double value)
{
    uint64_t word;
    memcpy(&word, &value, sizeof word);
    return word;
}

/* What each link carries, as a hash; links that carry nothing keep 0. A link that changes during
 * the run is like no other, and one that somebody looks at is like those of its kind alone. */
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
    for (uint32_t i = 0; b->spec->keeps_curves && i < topo_graph_link_count(b->graph); i++) {
        const TopoLink *link = topo_graph_link(b->graph, i);
        uint64_t kinds = (uint64_t)topo_graph_vertex(b->graph, link->from)->kind << 8 |
                         topo_graph_vertex(b->graph, link->to)->kind;
        if (signature[i] != 0)
            signature[i] = sim_hash_mix(signature[i] + kinds);
    }
    for (size_t i = 0; i < b->spec->change_count; i++) {
        uint64_t *s = &signature[b->spec->changes[i].link];
        if (*s != 0)
            *s = sim_hash_mix(*s + b->spec->changes[i].link);
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
            TopoLinkClass class = {.link = link};
            double rate = topo_link_rate_bytes_per_s(topo_graph_link(b->graph, link));
            g_array_append_val(traffic->classes, class);
            g_array_append_val(traffic->capacity, rate);
            found = GUINT_TO_POINTER(traffic->classes->len);
            g_hash_table_insert(known, &signature[link], found);
        }
        class_of[link] = GPOINTER_TO_UINT(found) - 1;
        g_array_index(traffic->classes, TopoLinkClass, class_of[link]).alike++;
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
        if (g_array_index(traffic->classes, TopoLinkClass, class).link != load->link)
            continue;
        TopoFluidTransfer *transfer =
            &g_array_index(traffic->transfers, TopoFluidTransfer, load->transfer);
        if (transfer->count++ == 0)
            transfer->first = traffic->links->len;
        g_array_append_val(traffic->links, class);
        g_array_append_val(traffic->weights, load->weight);
    }
}

static TopoTraffic *traffic_empty(const TopoGraph *graph)
{
    TopoTraffic *traffic = g_new0(TopoTraffic, 1);
    traffic->graph = graph;
    traffic->classes = g_array_new(FALSE, TRUE, sizeof(TopoLinkClass));
    traffic->capacity = g_array_new(FALSE, TRUE, sizeof(double));
    traffic->transfers = g_array_new(FALSE, TRUE, sizeof(TopoFluidTransfer));
    traffic->links = g_array_new(FALSE, TRUE, sizeof(uint32_t));
    traffic->weights = g_array_new(FALSE, TRUE, sizeof(double));
    return traffic;
}

static void traffic_free(TopoTraffic *traffic)
{
    topo_fluid_free(traffic->fluid);
    g_array_unref(traffic->classes);
    g_array_unref(traffic->capacity);
    g_array_unref(traffic->transfers);
    g_array_unref(traffic->links);
    g_array_unref(traffic->weights);
    g_free(traffic);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TopoTraffic, traffic_free)

static bool lay_all(Builder *b, const TopoTrafficSpec *spec, TopoTraffic *traffic, GError **error)
{
    g_autoptr(TopoLay) lay = topo_lay_new(spec);
    for (size_t i = 0; i < spec->transfer_count; i++) {
        if (!add_transfer(b, lay, traffic, (uint32_t)i, error))
            return false;
    }
    fold_loads(b, traffic);
    return true;
}

/* Links that change and carry something are a class of one. */
static void plan_changes(const TopoTrafficSpec *spec, TopoTraffic *traffic)
{
    for (size_t i = 0; i < spec->change_count; i++) {
        const TopoLinkChange *change = &spec->changes[i];
        TopoLink link = *topo_graph_link(traffic->graph, change->link);
        link.health_fraction = change->health_fraction;
        for (guint class = 0; class < traffic->classes->len; class ++)
            if (g_array_index(traffic->classes, TopoLinkClass, class).link == change->link)
                topo_fluid_set_capacity_at(traffic->fluid, change->at, class,
                                           topo_link_rate_bytes_per_s(&link));
    }
}

/* Lays every transfer over links. */
static TopoTraffic *traffic_new(const TopoTrafficSpec *spec, GError **error)
{
    g_autoptr(TopoTraffic) traffic = traffic_empty(spec->fabric->graph);
    Builder b = {.spec = spec,
                 .graph = traffic->graph,
                 .loads = g_array_new(FALSE, FALSE, sizeof(Load)),
                 .weights = topo_weights_init(traffic->graph)};
    bool is_laid = lay_all(&b, spec, traffic, error);
    g_array_unref(b.loads);
    topo_weights_clear(&b.weights);
    if (!is_laid)
        return NULL;
    traffic->spec = (TopoFluidSpec){
        .capacity_bytes_per_s = (const double *)traffic->capacity->data,
        .link_count = traffic->capacity->len,
        .transfers = (const TopoFluidTransfer *)traffic->transfers->data,
        .transfer_count = traffic->transfers->len,
        .links = (const uint32_t *)traffic->links->data,
        .weights = (const double *)traffic->weights->data,
        .keeps_curves = spec->keeps_curves,
    };
    traffic->fluid = topo_fluid_new(&traffic->spec, error);
    if (!traffic->fluid)
        return NULL;
    plan_changes(spec, traffic);
    return g_steal_pointer(&traffic);
}

static GArray *hottest(const TopoTraffic *traffic, double makespan_s)
{
    uint32_t count = traffic->spec.transfer_count;
    g_autofree TopoHotRun *runs = g_new(TopoHotRun, MAX(count, 1));
    for (uint32_t i = 0; i < count; i++)
        runs[i] =
            (TopoHotRun){traffic->spec.transfers[i].first, traffic->spec.transfers[i].count, i};
    TopoHotBook book = {
        .graph = traffic->graph,
        .fluid = traffic->fluid,
        .spec = &traffic->spec,
        .classes = (const TopoLinkClass *)(const void *)traffic->classes->data,
        .runs = runs,
        .run_count = count,
        .makespan_s = makespan_s,
    };
    return topo_hot_links(&book);
}

SimRun *topo_traffic_run(const SimProgram *p, const TopoTrafficSpec *spec, GArray **hot_links,
                         GError **error)
{
    g_autoptr(TopoTraffic) traffic = traffic_new(spec, error);
    SimRun *run = traffic ? sim_exec_run(p, topo_fluid_net(traffic->fluid), error) : NULL;
    if (run && hot_links)
        *hot_links = hottest(traffic, sim_time_to_seconds(run->makespan));
    return run;
}

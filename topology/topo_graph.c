/* Devices and wires in flat arrays.
 *
 * A vertex takes 16 bytes and a directed link 40, so 100,000 GPUs with all that joins them (about
 * 300,000 vertices, 1.3 million links) fit into 80 MB with both indices. The index is compressed
 * sparse row (Saad 2003, section 3.4): the links of vertex v are ids[first[v]] ..
 * ids[first[v+1]-1], once by sender and once by receiver, filled by a counting sort that keeps the
 * order of ids.
 *
 * The latency of a link is that of the device that sends plus the time of flight,
 *
 *   latency = hop + 5 ns/m * length          (light in glass: c / 1.5 = 0.2 m/ns)
 *
 * where hop stands for switch, NIC and forward error correction. Left out: serialisation, queueing
 * and software, which are for the network model; names, which are made when asked for. */
#include "topo_graph.h"

#include <string.h>

/* Group velocity in silica fibre, index 1.468 at 1310 nm (Corning SMF-28 data sheet): 4.9 ns/m;
 * copper twinax 4.3 to 4.8. */
static const double flight_s_per_m = 5e-9;

typedef struct Index {
    uint32_t *first; /* vertex_count + 1 */
    uint32_t *ids;
} Index;

struct TopoGraph {
    GArray *vertices;                        /* of TopoVertex */
    GArray *links;                           /* of TopoLink */
    GArray *of_kind[TOPO_VERTEX_KIND_COUNT]; /* of uint32_t: vertex by ordinal */
    Index out, in;
    bool is_sealed;
    uint64_t epoch;
};

static const char *const kind_names[] = {
    [TOPO_VERTEX_GPU] = "gpu",         [TOPO_VERTEX_NVSWITCH] = "nvswitch",
    [TOPO_VERTEX_CPU] = "cpu",         [TOPO_VERTEX_PCIE_SWITCH] = "pcie-switch",
    [TOPO_VERTEX_NIC] = "nic",         [TOPO_VERTEX_LEAF] = "leaf",
    [TOPO_VERTEX_SPINE] = "spine",     [TOPO_VERTEX_CORE] = "core",
    [TOPO_VERTEX_STORAGE] = "storage",
};
_Static_assert(G_N_ELEMENTS(kind_names) == TOPO_VERTEX_KIND_COUNT, "a name for each kind");

G_DEFINE_QUARK(topo_graph_error, topo_graph_error)

TopoGraph *topo_graph_new(void)
{
    TopoGraph *graph = g_new0(TopoGraph, 1);
    graph->vertices = g_array_new(FALSE, FALSE, sizeof(TopoVertex));
    graph->links = g_array_new(FALSE, FALSE, sizeof(TopoLink));
    for (size_t i = 0; i < TOPO_VERTEX_KIND_COUNT; i++)
        graph->of_kind[i] = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    return graph;
}

static void index_clear(Index *index)
{
    g_free(index->first);
    g_free(index->ids);
}

void topo_graph_free(TopoGraph *graph)
{
    if (!graph)
        return;
    g_array_unref(graph->vertices);
    g_array_unref(graph->links);
    for (size_t i = 0; i < TOPO_VERTEX_KIND_COUNT; i++)
        g_array_unref(graph->of_kind[i]);
    index_clear(&graph->out);
    index_clear(&graph->in);
    g_free(graph);
}

uint32_t topo_graph_add_vertex(TopoGraph *graph, TopoVertex vertex)
{
    g_assert(!graph->is_sealed && vertex.kind < TOPO_VERTEX_KIND_COUNT);
    uint32_t id = graph->vertices->len;
    vertex.ordinal = graph->of_kind[vertex.kind]->len;
    g_array_append_val(graph->vertices, vertex);
    g_array_append_val(graph->of_kind[vertex.kind], id);
    return id;
}

uint32_t topo_graph_add_link(TopoGraph *graph, TopoLink link)
{
    g_assert(!graph->is_sealed && link.from != link.to);
    g_assert(link.from < graph->vertices->len && link.to < graph->vertices->len);
    if (!(link.payload_fraction > 0.0))
        link.payload_fraction = 1.0;
    g_array_append_val(graph->links, link);
    return graph->links->len - 1;
}

uint32_t topo_graph_add_duplex(TopoGraph *graph, TopoLink link, double back_latency_s)
{
    TopoLink back = link;
    back.from = link.to;
    back.to = link.from;
    back.latency_s = back_latency_s;
    uint32_t id = topo_graph_add_link(graph, link);
    topo_graph_add_link(graph, back);
    return id;
}

static Index index_by(const TopoGraph *graph, bool by_receiver)
{
    uint32_t vertices = graph->vertices->len, links = graph->links->len;
    Index index = {g_new0(uint32_t, (size_t)vertices + 1), g_new(uint32_t, links)};
    for (uint32_t i = 0; i < links; i++) {
        const TopoLink *link = topo_graph_link(graph, i);
        index.first[(by_receiver ? link->to : link->from) + 1]++;
    }
    for (uint32_t v = 0; v < vertices; v++)
        index.first[v + 1] += index.first[v];
    g_autofree uint32_t *next = g_memdup2(index.first, sizeof(uint32_t) * ((size_t)vertices + 1));
    for (uint32_t i = 0; i < links; i++) {
        const TopoLink *link = topo_graph_link(graph, i);
        index.ids[next[by_receiver ? link->to : link->from]++] = i;
    }
    return index;
}

void topo_graph_seal(TopoGraph *graph)
{
    g_assert(!graph->is_sealed);
    graph->out = index_by(graph, false);
    graph->in = index_by(graph, true);
    graph->is_sealed = true;
}

uint32_t topo_graph_vertex_count(const TopoGraph *graph)
{
    return graph->vertices->len;
}

uint32_t topo_graph_link_count(const TopoGraph *graph)
{
    return graph->links->len;
}

uint32_t topo_graph_kind_count(const TopoGraph *graph, TopoVertexKind kind)
{
    return graph->of_kind[kind]->len;
}

const TopoVertex *topo_graph_vertex(const TopoGraph *graph, uint32_t id)
{
    return &g_array_index(graph->vertices, TopoVertex, id);
}

const TopoLink *topo_graph_link(const TopoGraph *graph, uint32_t id)
{
    return &g_array_index(graph->links, TopoLink, id);
}

static TopoLinkSpan index_span(const Index *index, uint32_t vertex)
{
    uint32_t first = index->first[vertex];
    return (TopoLinkSpan){index->ids + first, index->first[vertex + 1] - first};
}

TopoLinkSpan topo_graph_out(const TopoGraph *graph, uint32_t vertex)
{
    return index_span(&graph->out, vertex);
}

TopoLinkSpan topo_graph_in(const TopoGraph *graph, uint32_t vertex)
{
    return index_span(&graph->in, vertex);
}

uint32_t topo_graph_link_between(const TopoGraph *graph, uint32_t from, uint32_t to)
{
    TopoLinkSpan out = topo_graph_out(graph, from);
    for (size_t i = 0; i < out.count; i++) {
        if (topo_graph_link(graph, out.ids[i])->to == to)
            return out.ids[i];
    }
    return TOPO_NONE;
}

uint32_t topo_graph_find(const TopoGraph *graph, TopoVertexKind kind, uint32_t ordinal)
{
    if (ordinal >= graph->of_kind[kind]->len)
        return TOPO_NONE;
    return g_array_index(graph->of_kind[kind], uint32_t, ordinal);
}

const char *topo_vertex_kind_name(TopoVertexKind kind)
{
    return kind_names[kind];
}

char *topo_graph_name(const TopoGraph *graph, uint32_t vertex)
{
    const TopoVertex *v = topo_graph_vertex(graph, vertex);
    return g_strdup_printf("%s/%u", kind_names[v->kind], v->ordinal);
}

bool topo_vertex_parse(const char *name, TopoVertexKind *kind, uint32_t *ordinal, GError **error)
{
    const char *slash = strchr(name, '/');
    size_t length = slash ? (size_t)(slash - name) : 0;
    for (size_t i = 0; slash && i < TOPO_VERTEX_KIND_COUNT; i++) {
        guint64 number;
        if (strlen(kind_names[i]) != length || strncmp(kind_names[i], name, length) != 0 ||
            !g_ascii_string_to_unsigned(slash + 1, 10, 0, TOPO_NONE - 1, &number, NULL))
            continue;
        *kind = (TopoVertexKind)i;
        *ordinal = (uint32_t)number;
        return true;
    }
    g_autoptr(GString) known = g_string_new(NULL);
    for (size_t i = 0; i < TOPO_VERTEX_KIND_COUNT; i++)
        g_string_append_printf(known, " %s/0", kind_names[i]);
    g_set_error(error, TOPO_GRAPH_ERROR, TOPO_GRAPH_ERROR_UNKNOWN_NAME,
                "unknown device '%s', want a kind and a number:%s", name, known->str);
    return false;
}

double topo_link_latency_s(const TopoLink *link)
{
    return link->latency_s + flight_s_per_m * link->length_m;
}

double topo_link_rate_bytes_per_s(const TopoLink *link)
{
    return link->bytes_per_s * link->payload_fraction * link->health_fraction;
}

void topo_graph_set_payload(TopoGraph *graph, uint32_t link, double payload_fraction)
{
    g_assert(link < graph->links->len && payload_fraction > 0.0 && payload_fraction <= 1.0);
    g_array_index(graph->links, TopoLink, link).payload_fraction = payload_fraction;
}

bool topo_graph_set_health(TopoGraph *graph, uint32_t link, double health_fraction, GError **error)
{
    if (!(health_fraction >= 0.0 && health_fraction <= 1.0)) {
        g_set_error(error, TOPO_GRAPH_ERROR, TOPO_GRAPH_ERROR_PARAMETER,
                    "link health %g: must be from 0 (down) to 1 (up)", health_fraction);
        return false;
    }
    if (link >= graph->links->len) {
        g_set_error(error, TOPO_GRAPH_ERROR, TOPO_GRAPH_ERROR_PARAMETER,
                    "link %u: the fabric has %u links", link, graph->links->len);
        return false;
    }
    g_array_index(graph->links, TopoLink, link).health_fraction = health_fraction;
    graph->epoch++;
    return true;
}

uint32_t topo_graph_move_rack(TopoGraph *graph, int32_t rack, double length_m)
{
    uint32_t moved = 0;
    for (uint32_t i = 0; i < graph->links->len; i++) {
        TopoLink *link = &g_array_index(graph->links, TopoLink, i);
        bool is_from = topo_graph_vertex(graph, link->from)->rack == rack;
        bool is_to = topo_graph_vertex(graph, link->to)->rack == rack;
        if (is_from == is_to)
            continue;
        link->length_m = MAX(0.0, link->length_m + length_m);
        moved++;
    }
    return moved;
}

void topo_graph_set_pod(TopoGraph *graph, uint32_t vertex, int32_t pod)
{
    g_array_index(graph->vertices, TopoVertex, vertex).pod = pod;
}

uint64_t topo_graph_epoch(const TopoGraph *graph)
{
    return graph->epoch;
}

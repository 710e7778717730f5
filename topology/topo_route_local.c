/* Inside the islands: NVLink first, PCIe where there is no NVLink.
 *
 * An island is a connected part of the graph once switches of the scale-out network are taken away:
 * a node, or all trays of an NVL72 domain. Ways inside are searched afresh each time, backwards
 * from the target and only as far as the source; an island has tens of devices. GPUs pass on what
 * comes over NVLink (NCCL calls it NVB, for the hybrid cube mesh), never what comes over PCIe; NICs
 * pass on nothing. Doors and islands are those of the healthy graph, ways those of the live one.
 *
 * Left out: the rate of a way, so that a long NVLink way wins over a short one over PCIe. */
#include "topo_route_local.h"

struct TopoRouteLocal {
    const TopoFabric *fabric;
    uint32_t *island;    /* by vertex, or TOPO_NONE in the network */
    uint32_t *door;      /* by vertex: NIC, or itself */
    uint32_t *position;  /* of a GPU among its island's */
    uint32_t *gpu_first; /* by island, into gpus */
    uint32_t *gpus;
    uint32_t *seen; /* by vertex: number of the search that met it */
    uint16_t *hops; /* by vertex: to the target of that search */
    uint32_t search;
    GArray *queue; /* of uint32_t */
};

static bool is_inside(const TopoFabric *fabric, uint32_t vertex)
{
    TopoVertexKind kind = (TopoVertexKind)topo_graph_vertex(fabric->graph, vertex)->kind;
    return kind < TOPO_VERTEX_LEAF && !(kind == TOPO_VERTEX_GPU && fabric->gpus_forward);
}

/* Gives every device inside the nodes the number of its island; returns how many there are. */
static uint32_t number_islands(TopoRouteLocal *local)
{
    const TopoGraph *graph = local->fabric->graph;
    uint32_t count = 0;
    for (uint32_t v = 0; v < topo_graph_vertex_count(graph); v++)
        local->island[v] = TOPO_NONE;
    for (uint32_t v = 0; v < topo_graph_vertex_count(graph); v++) {
        if (local->island[v] != TOPO_NONE || !is_inside(local->fabric, v))
            continue;
        g_array_set_size(local->queue, 0);
        g_array_append_val(local->queue, v);
        local->island[v] = count;
        for (guint head = 0; head < local->queue->len; head++) {
            TopoLinkSpan out = topo_graph_out(graph, g_array_index(local->queue, uint32_t, head));
            for (size_t i = 0; i < out.count; i++) {
                uint32_t to = topo_graph_link(graph, out.ids[i])->to;
                if (local->island[to] != TOPO_NONE || !is_inside(local->fabric, to))
                    continue;
                local->island[to] = count;
                g_array_append_val(local->queue, to);
            }
        }
        count++;
    }
    return count;
}

static void list_gpus(TopoRouteLocal *local, uint32_t islands)
{
    const TopoGraph *graph = local->fabric->graph;
    uint32_t gpus = topo_graph_kind_count(graph, TOPO_VERTEX_GPU);
    local->gpu_first = g_new0(uint32_t, (size_t)islands + 1);
    local->gpus = g_new(uint32_t, gpus);
    if (local->fabric->gpus_forward)
        return;
    for (uint32_t i = 0; i < gpus; i++)
        local->gpu_first[local->island[topo_graph_find(graph, TOPO_VERTEX_GPU, i)] + 1]++;
    for (uint32_t i = 0; i < islands; i++)
        local->gpu_first[i + 1] += local->gpu_first[i];
    g_autofree uint32_t *next =
        g_memdup2(local->gpu_first, sizeof(uint32_t) * ((size_t)islands + 1));
    for (uint32_t i = 0; i < gpus; i++) {
        uint32_t gpu = topo_graph_find(graph, TOPO_VERTEX_GPU, i), island = local->island[gpu];
        local->position[gpu] = next[island] - local->gpu_first[island];
        local->gpus[next[island]++] = gpu;
    }
}

/* Visits what lies @hops away from the vertices queued since @head; returns where they begin. */
static guint spread(TopoRouteLocal *local, guint head, uint32_t *nics, GArray *found)
{
    const TopoGraph *graph = local->fabric->graph;
    guint end = local->queue->len;
    for (; head < end; head++) {
        TopoLinkSpan out = topo_graph_out(graph, g_array_index(local->queue, uint32_t, head));
        for (size_t i = 0; i < out.count; i++) {
            uint32_t to = topo_graph_link(graph, out.ids[i])->to;
            TopoVertexKind kind = (TopoVertexKind)topo_graph_vertex(graph, to)->kind;
            bool passes = (TOPO_ROUTE_VIA_HOST >> kind) & 1u;
            if (local->seen[to] == local->search || (!passes && kind != TOPO_VERTEX_NIC))
                continue;
            local->seen[to] = local->search;
            g_array_append_val(passes ? local->queue : found, to);
            *nics += !passes;
        }
    }
    return end;
}

/* The nearest NIC of @vertex; the n-th user takes the n-th of those that are equally near. */
static uint32_t find_door(TopoRouteLocal *local, uint32_t vertex, GArray *found)
{
    uint32_t nics = 0;
    local->search++;
    local->seen[vertex] = local->search;
    g_array_set_size(local->queue, 0);
    g_array_set_size(found, 0);
    g_array_append_val(local->queue, vertex);
    for (guint head = 0; nics == 0 && head < local->queue->len;)
        head = spread(local, head, &nics, found);
    if (nics == 0)
        return vertex;
    return g_array_index(found, uint32_t,
                         topo_graph_vertex(local->fabric->graph, vertex)->rail % nics);
}

static void find_doors(TopoRouteLocal *local)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (uint32_t v = 0; v < topo_graph_vertex_count(local->fabric->graph); v++) {
        TopoVertexKind kind = (TopoVertexKind)topo_graph_vertex(local->fabric->graph, v)->kind;
        bool has_door =
            (kind == TOPO_VERTEX_GPU || kind == TOPO_VERTEX_CPU) && is_inside(local->fabric, v);
        local->door[v] = has_door ? find_door(local, v, found) : v;
    }
}

TopoRouteLocal *topo_route_local_new(const TopoFabric *fabric)
{
    TopoRouteLocal *local = g_new0(TopoRouteLocal, 1);
    uint32_t vertices = topo_graph_vertex_count(fabric->graph);
    local->fabric = fabric;
    local->island = g_new(uint32_t, vertices);
    local->door = g_new(uint32_t, vertices);
    local->position = g_new0(uint32_t, vertices);
    local->seen = g_new0(uint32_t, vertices);
    local->hops = g_new0(uint16_t, vertices);
    local->queue = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    list_gpus(local, number_islands(local));
    find_doors(local);
    return local;
}

void topo_route_local_free(TopoRouteLocal *local)
{
    if (!local)
        return;
    g_free(local->island);
    g_free(local->door);
    g_free(local->position);
    g_free(local->gpu_first);
    g_free(local->gpus);
    g_free(local->seen);
    g_free(local->hops);
    g_array_unref(local->queue);
    g_free(local);
}

bool topo_route_local_is_near(const TopoRouteLocal *local, uint32_t a, uint32_t b)
{
    return local->island[a] != TOPO_NONE && local->island[a] == local->island[b];
}

TopoLinkSpan topo_route_local_gpus(const TopoRouteLocal *local, uint32_t vertex, size_t *position)
{
    uint32_t island = local->island[vertex];
    *position = local->position[vertex];
    if (island == TOPO_NONE)
        return (TopoLinkSpan){NULL, 0};
    uint32_t first = local->gpu_first[island];
    return (TopoLinkSpan){local->gpus + first, local->gpu_first[island + 1] - first};
}

uint32_t topo_route_local_door(const TopoRouteLocal *local, uint32_t vertex)
{
    return local->door[vertex];
}

/* A new number that no vertex carries, even after the counter has gone round. */
static void begin_search(TopoRouteLocal *local)
{
    if (++local->search != 0)
        return;
    for (uint32_t v = 0; v < topo_graph_vertex_count(local->fabric->graph); v++)
        local->seen[v] = 0;
    local->search = 1;
}

bool topo_route_local_search(TopoRouteLocal *local, uint32_t from, uint32_t to, uint32_t via)
{
    const TopoGraph *graph = local->fabric->graph;
    begin_search(local);
    g_array_set_size(local->queue, 0);
    g_array_append_val(local->queue, to);
    local->seen[to] = local->search;
    local->hops[to] = 0;
    for (guint head = 0; head < local->queue->len; head++) {
        uint32_t v = g_array_index(local->queue, uint32_t, head);
        if (v == from)
            return true;
        TopoLinkSpan in = topo_graph_in(graph, v);
        for (size_t i = 0; i < in.count; i++) {
            const TopoLink *link = topo_graph_link(graph, in.ids[i]);
            uint32_t kind = topo_graph_vertex(graph, link->from)->kind;
            bool passes = link->from == from || ((via >> kind) & 1u);
            if (!passes || link->health_fraction <= 0.0 || local->seen[link->from] == local->search)
                continue;
            local->seen[link->from] = local->search;
            local->hops[link->from] = (uint16_t)(local->hops[v] + 1);
            g_array_append_val(local->queue, link->from);
        }
    }
    return false;
}

void topo_route_local_next(const TopoRouteLocal *local, uint32_t vertex, GArray *links)
{
    const TopoGraph *graph = local->fabric->graph;
    TopoLinkSpan out = topo_graph_out(graph, vertex);
    for (size_t i = 0; i < out.count; i++) {
        const TopoLink *link = topo_graph_link(graph, out.ids[i]);
        if (link->health_fraction > 0.0 && local->seen[link->to] == local->search &&
            local->hops[link->to] + 1 == local->hops[vertex])
            g_array_append_val(links, out.ids[i]);
    }
}

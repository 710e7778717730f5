/* Distance fields: hops of every switch to one target, by breadth-first search against the links.
 *
 * All shortest routes to a target leaf descend the same field d: from switch v any live link to w
 * with d(w) = d(v) - 1 will do, and the policy chooses. A field is 2 bytes a switch, so 3,000
 * leaves of a 100,000-GPU fat tree with 8,000 switches take 48 MB; the oldest field makes room for
 * a new one when all together would exceed a bound. Fields depend on the live links only, so
 * eviction changes the time taken and never a route. The search ends when all switches of its plane
 * are reached, which on a Clos saves most of the lowest tier. On a change of health everything is
 * rebuilt.
 *
 * Left out: weights of links; up*-down* order, so that around dead links a route may go down and up
 * again, which deadlock-free routing engines forbid. */
#include "topo_route_field.h"

#include <string.h>

static const size_t cache_bytes = (size_t)256 << 20;
static const size_t least_slots = 16;

struct TopoRouteField {
    const TopoFabric *fabric;
    uint64_t epoch;
    uint32_t count;                          /* switches */
    uint32_t *index;                         /* by vertex: number of the switch, or TOPO_NONE */
    uint32_t *vertex;                        /* by number */
    uint32_t *out_first, *out_link, *out_to; /* live links by sender */
    uint32_t *in_first, *in_from;            /* the same by receiver */
    uint32_t *reach;                         /* switches joined with it, plane by plane */
    uint32_t *slot_of;                       /* by target: its slot, or TOPO_NONE */
    uint16_t **slots;                        /* fields; NULL until used */
    uint32_t *target_of;
    size_t slot_count, next_slot;
    uint32_t *queue;
};

static void drop_links(TopoRouteField *field)
{
    g_free(field->out_first);
    g_free(field->out_link);
    g_free(field->out_to);
    g_free(field->in_first);
    g_free(field->in_from);
    g_free(field->reach);
}

/* Queues the switches of @ids that have no reach; returns the new end of the queue. */
static uint32_t claim(TopoRouteField *field, const uint32_t *ids, uint32_t count, uint32_t tail)
{
    for (uint32_t e = 0; e < count; e++) {
        if (field->reach[ids[e]] != 0)
            continue;
        field->reach[ids[e]] = 1;
        field->queue[tail++] = ids[e];
    }
    return tail;
}

/* Counts, for every switch, those that hang together with it in either direction: a search that
 * has met as many is done. */
static void measure_reach(TopoRouteField *field)
{
    field->reach = g_new0(uint32_t, field->count);
    for (uint32_t first = 0; first < field->count; first++) {
        uint32_t tail = claim(field, &first, 1, 0);
        for (uint32_t head = 0; head < tail; head++) {
            uint32_t v = field->queue[head], out = field->out_first[v], in = field->in_first[v];
            tail = claim(field, field->out_to + out, field->out_first[v + 1] - out, tail);
            tail = claim(field, field->in_from + in, field->in_first[v + 1] - in, tail);
        }
        for (uint32_t i = 0; i < tail; i++)
            field->reach[field->queue[i]] = tail;
    }
}

/* Collects the live links among switches, by sender and by receiver. */
static void collect_links(TopoRouteField *field)
{
    const TopoGraph *graph = field->fabric->graph;
    g_autoptr(GArray) links = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autoptr(GArray) to = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    field->out_first = g_new0(uint32_t, (size_t)field->count + 1);
    field->in_first = g_new0(uint32_t, (size_t)field->count + 1);
    for (uint32_t i = 0; i < field->count; i++) {
        TopoLinkSpan out = topo_graph_out(graph, field->vertex[i]);
        for (size_t e = 0; e < out.count; e++) {
            const TopoLink *link = topo_graph_link(graph, out.ids[e]);
            uint32_t other = field->index[link->to];
            if (other == TOPO_NONE || link->health_fraction <= 0.0)
                continue;
            g_array_append_val(links, out.ids[e]);
            g_array_append_val(to, other);
            field->in_first[other + 1]++;
        }
        field->out_first[i + 1] = links->len;
    }
    for (uint32_t i = 0; i < field->count; i++)
        field->in_first[i + 1] += field->in_first[i];
    field->in_from = g_new(uint32_t, (size_t)links->len + 1);
    g_autofree uint32_t *next =
        g_memdup2(field->in_first, sizeof(uint32_t) * ((size_t)field->count + 1));
    for (uint32_t i = 0; i < field->count; i++) {
        for (uint32_t e = field->out_first[i]; e < field->out_first[i + 1]; e++)
            field->in_from[next[g_array_index(to, uint32_t, e)]++] = i;
    }
    field->out_link = (uint32_t *)(void *)g_array_free(g_steal_pointer(&links), FALSE);
    field->out_to = (uint32_t *)(void *)g_array_free(g_steal_pointer(&to), FALSE);
    measure_reach(field);
}

static bool is_forwarding(const TopoFabric *fabric, TopoVertexKind kind)
{
    return kind == TOPO_VERTEX_LEAF || kind == TOPO_VERTEX_SPINE || kind == TOPO_VERTEX_CORE ||
           (kind == TOPO_VERTEX_GPU && fabric->gpus_forward);
}

TopoRouteField *topo_route_field_new(const TopoFabric *fabric)
{
    TopoRouteField *field = g_new0(TopoRouteField, 1);
    uint32_t vertices = topo_graph_vertex_count(fabric->graph);
    field->fabric = fabric;
    field->epoch = topo_graph_epoch(fabric->graph);
    field->index = g_new(uint32_t, vertices);
    field->vertex = g_new(uint32_t, vertices);
    for (uint32_t v = 0; v < vertices; v++) {
        TopoVertexKind kind = (TopoVertexKind)topo_graph_vertex(fabric->graph, v)->kind;
        bool has = is_forwarding(fabric, kind);
        field->index[v] = has ? field->count : TOPO_NONE;
        if (has)
            field->vertex[field->count++] = v;
    }
    size_t count = field->count;
    field->slot_count =
        MIN(MAX(cache_bytes / (sizeof(uint16_t) * (count + 1)), least_slots), count);
    field->slots = g_new0(uint16_t *, field->slot_count);
    field->target_of = g_new(uint32_t, field->slot_count);
    field->slot_of = g_new(uint32_t, count);
    memset(field->slot_of, 0xff, sizeof(uint32_t) * count);
    field->queue = g_new(uint32_t, count);
    collect_links(field);
    return field;
}

void topo_route_field_free(TopoRouteField *field)
{
    if (!field)
        return;
    drop_links(field);
    for (size_t i = 0; i < field->slot_count; i++)
        g_free(field->slots[i]);
    g_free(field->slots);
    g_free(field->target_of);
    g_free(field->slot_of);
    g_free(field->queue);
    g_free(field->index);
    g_free(field->vertex);
    g_free(field);
}

void topo_route_field_refresh(TopoRouteField *field)
{
    uint64_t epoch = topo_graph_epoch(field->fabric->graph);
    if (field->epoch == epoch)
        return;
    field->epoch = epoch;
    memset(field->slot_of, 0xff, sizeof(uint32_t) * field->count);
    drop_links(field);
    collect_links(field);
}

bool topo_route_field_has(const TopoRouteField *field, uint32_t vertex)
{
    return field->index[vertex] != TOPO_NONE;
}

static void search(TopoRouteField *field, uint32_t target, uint16_t *hops)
{
    memset(hops, 0xff, sizeof(uint16_t) * field->count);
    uint32_t head = 0, tail = 0;
    hops[target] = 0;
    field->queue[tail++] = target;
    while (head < tail && tail < field->reach[target]) {
        uint32_t v = field->queue[head++];
        uint16_t next = (uint16_t)(hops[v] + 1);
        for (uint32_t e = field->in_first[v]; e < field->in_first[v + 1]; e++) {
            uint32_t from = field->in_from[e];
            if (hops[from] != TOPO_ROUTE_FAR)
                continue;
            hops[from] = next;
            field->queue[tail++] = from;
        }
    }
}

static const uint16_t *hops_to(TopoRouteField *field, uint32_t target)
{
    if (field->slot_of[target] != TOPO_NONE)
        return field->slots[field->slot_of[target]];
    size_t slot = field->next_slot;
    field->next_slot = (slot + 1) % field->slot_count;
    if (!field->slots[slot])
        field->slots[slot] = g_new(uint16_t, field->count);
    else if (field->slot_of[field->target_of[slot]] == slot)
        field->slot_of[field->target_of[slot]] = TOPO_NONE;
    field->slot_of[target] = (uint32_t)slot;
    field->target_of[slot] = target;
    search(field, target, field->slots[slot]);
    return field->slots[slot];
}

uint16_t topo_route_field_hops(TopoRouteField *field, uint32_t from, uint32_t to)
{
    return hops_to(field, field->index[to])[field->index[from]];
}

void topo_route_field_next(TopoRouteField *field, uint32_t from, uint32_t to, GArray *links)
{
    const uint16_t *hops = hops_to(field, field->index[to]);
    uint32_t v = field->index[from];
    for (uint32_t e = field->out_first[v]; e < field->out_first[v + 1]; e++) {
        if (hops[field->out_to[e]] + 1 == hops[v])
            g_array_append_val(links, field->out_link[e]);
    }
}

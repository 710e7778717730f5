/* A fabric given as a list of wires.
 *
 * Nodes are built as everywhere (GPUs, NICs, switches inside), so "nic/5" is the sixth NIC of the
 * cluster; switches and storage come into being with their first mention. Where no switch is named
 * the GPUs themselves pass traffic on, as in a torus. Wires are taken as given: rates may differ,
 * several may join the same pair, and one may be one-way. Left out: any check that the whole makes
 * sense; a route that does not exist is an error when it is asked for. */
#include "topo_fabric_build.h"

#include <math.h>

/* One end of a wire, read. */
typedef struct End {
    TopoVertexKind kind;
    uint32_t ordinal;
} End;

static bool is_switch(TopoVertexKind kind)
{
    return kind >= TOPO_VERTEX_LEAF;
}

static bool check_link(const TopoFabricLink *link, size_t i, GError **error)
{
    if (!(link->bytes_per_s > 0.0) || !isfinite(link->bytes_per_s))
        return topo_fabric_fail(error, "links[%zu].bytes_per_s %g: must be above 0", i,
                                link->bytes_per_s);
    if (!(link->latency_s >= 0.0) || !isfinite(link->latency_s))
        return topo_fabric_fail(error, "links[%zu].latency_s %g: must be at least 0", i,
                                link->latency_s);
    if (!(link->length_m >= 0.0) || !isfinite(link->length_m))
        return topo_fabric_fail(error, "links[%zu].length_m %g: must be at least 0", i,
                                link->length_m);
    if (!(link->health_fraction >= 0.0 && link->health_fraction <= 1.0))
        return topo_fabric_fail(error, "links[%zu].health_fraction %g: must be from 0 to 1", i,
                                link->health_fraction);
    if (g_str_equal(link->from, link->to))
        return topo_fabric_fail(error, "links[%zu] from %s: must lead to another device", i,
                                link->from);
    return true;
}

/* Reads both ends of all wires and counts the switches of each kind. */
static bool read_ends(const TopoFabricSpec *spec, End *ends, uint32_t counts[], GError **error)
{
    for (size_t i = 0; i < spec->link_count; i++) {
        const TopoFabricLink *link = &spec->links[i];
        if (!check_link(link, i, error))
            return false;
        for (size_t side = 0; side < 2; side++) {
            End *end = &ends[2 * i + side];
            if (!topo_vertex_parse(side == 0 ? link->from : link->to, &end->kind, &end->ordinal,
                                   error)) {
                g_prefix_error(error, "fabric.links[%zu]: ", i);
                return false;
            }
            counts[end->kind] = MAX(counts[end->kind], end->ordinal + 1);
        }
    }
    return true;
}

/* Each number below the highest must be mentioned: a gap is a typing error. */
static bool check_gaps(const End *ends, size_t count, const uint32_t counts[], GError **error)
{
    for (int kind = TOPO_VERTEX_LEAF; kind < TOPO_VERTEX_KIND_COUNT; kind++) {
        uint32_t most = (uint32_t)count;
        const char *name = topo_vertex_kind_name((TopoVertexKind)kind);
        if (counts[kind] > most)
            return topo_fabric_fail(error, "links name %s/%u: numbers must leave no gap", name,
                                    counts[kind] - 1);
        g_autofree bool *seen = g_new0(bool, (size_t)counts[kind] + 1);
        for (size_t i = 0; i < count; i++) {
            if ((int)ends[i].kind == kind)
                seen[ends[i].ordinal] = true;
        }
        for (uint32_t i = 0; i < counts[kind]; i++) {
            if (!seen[i])
                return topo_fabric_fail(error,
                                        "links name %s/%u but not %s/%u: numbers must leave no gap",
                                        name, counts[kind] - 1, name, i);
        }
    }
    return true;
}

static bool add_links(const TopoFabricSpec *spec, TopoFabric *fabric, const End *ends,
                      GError **error)
{
    for (size_t i = 0; i < spec->link_count; i++) {
        const TopoFabricLink *given = &spec->links[i];
        uint32_t vertices[2];
        for (size_t side = 0; side < 2; side++) {
            const End *end = &ends[2 * i + side];
            vertices[side] = topo_graph_find(fabric->graph, end->kind, end->ordinal);
            if (vertices[side] == TOPO_NONE)
                return topo_fabric_fail(error, "links[%zu] names %s/%u: the cluster has %u", i,
                                        topo_vertex_kind_name(end->kind), end->ordinal,
                                        topo_graph_kind_count(fabric->graph, end->kind));
        }
        TopoLink link = {
            .from = vertices[0],
            .to = vertices[1],
            .bytes_per_s = given->bytes_per_s,
            .latency_s = given->latency_s,
            .length_m = given->length_m,
            .health_fraction = given->health_fraction,
        };
        if (given->one_way)
            topo_graph_add_link(fabric->graph, link);
        else
            topo_graph_add_duplex(fabric->graph, link, given->latency_s);
    }
    return true;
}

bool topo_fabric_build_custom(const TopoFabricSpec *spec, TopoFabric *fabric, GError **error)
{
    static const uint8_t levels[TOPO_VERTEX_KIND_COUNT] = {
        [TOPO_VERTEX_LEAF] = 1,
        [TOPO_VERTEX_SPINE] = 2,
        [TOPO_VERTEX_CORE] = 3,
    };
    uint32_t counts[TOPO_VERTEX_KIND_COUNT] = {0};
    g_autofree End *ends = g_new0(End, 2 * spec->link_count + 1);
    if (spec->link_count == 0)
        return topo_fabric_fail(error, "links: custom needs at least 1");
    if (!read_ends(spec, ends, counts, error) ||
        !check_gaps(ends, 2 * spec->link_count, counts, error) ||
        !topo_fabric_add_nodes(spec, fabric, true, error))
        return false;
    fabric->gpus_forward = true;
    for (int kind = TOPO_VERTEX_LEAF; kind < TOPO_VERTEX_KIND_COUNT; kind++) {
        topo_fabric_add_switches(fabric, (TopoVertexKind)kind, levels[kind], -1, counts[kind]);
        if (counts[kind] > 0 && is_switch((TopoVertexKind)kind) && kind != TOPO_VERTEX_STORAGE)
            fabric->gpus_forward = false;
    }
    return add_links(spec, fabric, ends, error);
}

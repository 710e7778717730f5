/* A fabric given as a list of wires, a row for many that are alike.
 *
 * Nodes are built as everywhere (GPUs, NICs, switches inside), so "nic/5" is the sixth NIC of the
 * cluster; switches and storage come into being with their first mention. Where no switch is named
 * the GPUs themselves pass traffic on, as in a torus. Wires are taken as given: rates may differ,
 * several may join the same pair, and one may be one-way. A row without latency takes that of the
 * device that sends, as built fabrics do, one without length that of its tier. Left out: any check
 * that the whole makes sense; a route that does not exist is an error when it is asked for. */
#include "topo_fabric_build.h"

#include <math.h>

/* One row of the list, read. */
typedef struct Row {
    TopoDevices from, to;
    size_t pairs;
} Row;

static bool is_switch(TopoVertexKind kind)
{
    return kind >= TOPO_VERTEX_LEAF;
}

static bool check_numbers(const TopoFabricLink *link, size_t i, GError **error)
{
    if (!(link->bytes_per_s > 0.0) || !isfinite(link->bytes_per_s))
        return topo_fabric_fail(error, "links[%zu].bytes_per_s %g: must be above 0", i,
                                link->bytes_per_s);
    if (link->latency_s < 0.0 || isinf(link->latency_s))
        return topo_fabric_fail(error, "links[%zu].latency_s %g: must be at least 0", i,
                                link->latency_s);
    if (link->length_m < 0.0 || isinf(link->length_m))
        return topo_fabric_fail(error, "links[%zu].length_m %g: must be at least 0", i,
                                link->length_m);
    if (!(link->health_fraction >= 0.0 && link->health_fraction <= 1.0))
        return topo_fabric_fail(error, "links[%zu].health_fraction %g: must be from 0 to 1", i,
                                link->health_fraction);
    return true;
}

/* GPUs and NICs are as many as the cluster has; other devices of nodes are known once built. */
static bool check_count(const TopoFabricSpec *spec, size_t i, const TopoDevices *devices,
                        GError **error)
{
    const TopoNode *node = &spec->cluster->node;
    int64_t last = topo_devices_at(devices, devices->count - 1), count;
    if (devices->kind == TOPO_VERTEX_GPU)
        count = spec->cluster->node_count * node->gpus;
    else if (devices->kind == TOPO_VERTEX_NIC)
        count = spec->cluster->node_count * node->nics;
    else
        return true;
    const char *name = topo_vertex_kind_name(devices->kind);
    return last < count || topo_fabric_fail(error,
                                            "links[%zu] names %s/%" G_GINT64_FORMAT
                                            ": the cluster has %" G_GINT64_FORMAT,
                                            i, name, last, count);
}

/* A wire whose ends are one device; pairs of a set with itself have none. */
static bool check_loops(const TopoFabricLink *link, size_t i, const Row *row, GError **error)
{
    for (size_t p = 0; row->from.kind == row->to.kind && p < row->pairs; p++) {
        uint32_t from, to;
        topo_devices_pair_at(&row->from, &row->to, link->pairing, p, &from, &to);
        if (from == to)
            return topo_fabric_fail(error, "links[%zu] from %s/%u: must lead to another device", i,
                                    topo_vertex_kind_name(row->from.kind), from);
    }
    return true;
}

static bool read_row(const TopoFabricSpec *spec, size_t i, Row *row, GError **error)
{
    const TopoFabricLink *link = &spec->links[i];
    if (!check_numbers(link, i, error))
        return false;
    if (!topo_devices_parse(link->from, &row->from, error) ||
        !topo_devices_parse(link->to, &row->to, error)) {
        g_prefix_error(error, "fabric.links[%zu]: ", i);
        return false;
    }
    if (!check_count(spec, i, &row->from, error) || !check_count(spec, i, &row->to, error))
        return false;
    row->pairs = topo_devices_pairs(&row->from, &row->to, link->pairing, error);
    if (row->pairs == 0) {
        g_prefix_error(error, "fabric.links[%zu]: ", i);
        return false;
    }
    return check_loops(link, i, row, error);
}

bool topo_fabric_check_link(const TopoFabricSpec *spec, size_t index, GError **error)
{
    Row row;
    return read_row(spec, index, &row, error);
}

/* Reads all rows and counts the switches of each kind. */
static bool read_rows(const TopoFabricSpec *spec, Row *rows, uint32_t counts[], GError **error)
{
    for (size_t i = 0; i < spec->link_count; i++) {
        if (!read_row(spec, i, &rows[i], error))
            return false;
        const TopoDevices *sides[2] = {&rows[i].from, &rows[i].to};
        for (size_t s = 0; s < 2; s++) {
            uint32_t last = topo_devices_at(sides[s], sides[s]->count - 1);
            counts[sides[s]->kind] = MAX(counts[sides[s]->kind], last + 1);
        }
    }
    return true;
}

static void mark_seen(const TopoDevices *devices, int kind, bool *seen)
{
    for (size_t i = 0; (int)devices->kind == kind && i < devices->count; i++)
        seen[topo_devices_at(devices, i)] = true;
}

/* Each number below the highest must be mentioned: a gap is a typing error. */
static bool check_gaps(const Row *rows, size_t count, const uint32_t counts[], GError **error)
{
    size_t most = 0;
    for (size_t i = 0; i < count; i++)
        most += (size_t)rows[i].from.count + rows[i].to.count;
    for (int kind = TOPO_VERTEX_LEAF; kind < TOPO_VERTEX_KIND_COUNT; kind++) {
        const char *name = topo_vertex_kind_name((TopoVertexKind)kind);
        if (counts[kind] > most)
            return topo_fabric_fail(error, "links name %s/%u: numbers must leave no gap", name,
                                    counts[kind] - 1);
        g_autofree bool *seen = g_new0(bool, (size_t)counts[kind] + 1);
        for (size_t i = 0; i < count; i++) {
            mark_seen(&rows[i].from, kind, seen);
            mark_seen(&rows[i].to, kind, seen);
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

/* What a device of @kind takes to send over a wire whose row says nothing. */
static double sending_latency_s(const TopoFabricSpec *spec, TopoVertexKind kind)
{
    if (is_switch(kind))
        return spec->switch_latency_s + spec->fec_latency_s;
    if (kind == TOPO_VERTEX_NIC)
        return spec->nic_latency_s + spec->fec_latency_s;
    return spec->cluster->node.scale_up_latency_s;
}

/* Length of a wire whose row says nothing, by its end that is furthest up. */
static double length_m(const TopoFabricSpec *spec, TopoVertexKind kind)
{
    if (kind == TOPO_VERTEX_SPINE)
        return spec->spine_length_m;
    return kind == TOPO_VERTEX_CORE ? spec->core_length_m : spec->leaf_length_m;
}

static bool find_end(const TopoFabric *fabric, size_t i, TopoVertexKind kind, uint32_t ordinal,
                     uint32_t *vertex, GError **error)
{
    *vertex = topo_graph_find(fabric->graph, kind, ordinal);
    return *vertex != TOPO_NONE ||
           topo_fabric_fail(error, "links[%zu] names %s/%u: the cluster has %u", i,
                            topo_vertex_kind_name(kind), ordinal,
                            topo_graph_kind_count(fabric->graph, kind));
}

static bool add_row(const TopoFabricSpec *spec, TopoFabric *fabric, size_t i, const Row *row,
                    GError **error)
{
    const TopoFabricLink *given = &spec->links[i];
    bool is_given = !isnan(given->latency_s);
    TopoLink link = {
        .bytes_per_s = given->bytes_per_s,
        .latency_s = is_given ? given->latency_s : sending_latency_s(spec, row->from.kind),
        .length_m = isnan(given->length_m) ? length_m(spec, MAX(row->from.kind, row->to.kind))
                                           : given->length_m,
        .health_fraction = given->health_fraction,
    };
    double back_s = is_given ? given->latency_s : sending_latency_s(spec, row->to.kind);
    for (size_t p = 0; p < row->pairs; p++) {
        uint32_t from, to;
        topo_devices_pair_at(&row->from, &row->to, given->pairing, p, &from, &to);
        if (!find_end(fabric, i, row->from.kind, from, &link.from, error) ||
            !find_end(fabric, i, row->to.kind, to, &link.to, error))
            return false;
        if (given->one_way)
            topo_graph_add_link(fabric->graph, link);
        else
            topo_graph_add_duplex(fabric->graph, link, back_s);
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
    g_autofree Row *rows = g_new0(Row, spec->link_count + 1);
    if (spec->link_count == 0)
        return topo_fabric_fail(error, "links: custom needs at least 1");
    if (!read_rows(spec, rows, counts, error) ||
        !check_gaps(rows, spec->link_count, counts, error) ||
        !topo_fabric_add_nodes(spec, fabric, true, error))
        return false;
    fabric->gpus_forward = true;
    for (int kind = TOPO_VERTEX_LEAF; kind < TOPO_VERTEX_KIND_COUNT; kind++) {
        topo_fabric_add_switches(fabric, (TopoVertexKind)kind, levels[kind], -1, counts[kind]);
        if (counts[kind] > 0 && is_switch((TopoVertexKind)kind) && kind != TOPO_VERTEX_STORAGE)
            fabric->gpus_forward = false;
    }
    for (size_t i = 0; i < spec->link_count; i++) {
        if (!add_row(spec, fabric, i, &rows[i], error))
            return false;
    }
    return true;
}

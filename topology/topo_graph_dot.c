/* A drawing of a small fabric in the DOT language of Graphviz (Gansner, North 2000).
 *
 * One line for each vertex and one for each ordered pair of joined vertices: parallel links are
 * counted, and a pair that is joined alike both ways is drawn once without arrow heads. Devices of
 * one tier stand on one line, cores on top. Dead links are dashed red, degraded ones orange.
 *
 * Left out: positions, which Graphviz finds, and latencies. */
#include "topo_graph.h"

/* What the links of one ordered pair have in common. */
typedef struct Bundle {
    uint32_t count;
    double bytes_per_s;     /* of the first */
    double health_fraction; /* the least */
} Bundle;

static Bundle bundle_of(const TopoGraph *graph, uint32_t from, uint32_t to)
{
    Bundle bundle = {.health_fraction = 1.0};
    TopoLinkSpan out = topo_graph_out(graph, from);
    for (size_t i = 0; i < out.count; i++) {
        const TopoLink *link = topo_graph_link(graph, out.ids[i]);
        if (link->to != to)
            continue;
        if (bundle.count++ == 0)
            bundle.bytes_per_s = link->bytes_per_s;
        bundle.health_fraction = MIN(bundle.health_fraction, link->health_fraction);
    }
    return bundle;
}

static bool is_same(Bundle a, Bundle b)
{
    return a.count == b.count && !(a.bytes_per_s < b.bytes_per_s) &&
           !(a.bytes_per_s > b.bytes_per_s) && !(a.health_fraction < b.health_fraction) &&
           !(a.health_fraction > b.health_fraction);
}

static void write_bundle(const TopoGraph *graph, uint32_t from, uint32_t to, FILE *out)
{
    Bundle forward = bundle_of(graph, from, to);
    bool is_both = is_same(forward, bundle_of(graph, to, from));
    if (is_both && from > to)
        return;
    g_autofree char *from_name = topo_graph_name(graph, from);
    g_autofree char *to_name = topo_graph_name(graph, to);
    fprintf(out, "  \"%s\" -> \"%s\" [label=\"", from_name, to_name);
    if (forward.count > 1)
        fprintf(out, "%u x ", forward.count);
    fprintf(out, "%g GB/s\"%s%s];\n", forward.bytes_per_s * 1e-9, is_both ? ", dir=none" : "",
            forward.health_fraction <= 0.0  ? ", style=dashed, color=red"
            : forward.health_fraction < 1.0 ? ", color=orange"
                                            : "");
}

static void write_vertices(const TopoGraph *graph, FILE *out)
{
    static const char *const shapes[TOPO_VERTEX_KIND_COUNT] = {
        [TOPO_VERTEX_GPU] = "box",
        [TOPO_VERTEX_NVSWITCH] = "hexagon",
        [TOPO_VERTEX_PCIE_SWITCH] = "diamond",
        [TOPO_VERTEX_CPU] = "box3d",
        [TOPO_VERTEX_NIC] = "cds",
        [TOPO_VERTEX_LEAF] = "ellipse",
        [TOPO_VERTEX_SPINE] = "ellipse",
        [TOPO_VERTEX_CORE] = "doublecircle",
        [TOPO_VERTEX_STORAGE] = "cylinder",
    };
    for (int kind = TOPO_VERTEX_KIND_COUNT - 1; kind >= 0; kind--) {
        uint32_t count = topo_graph_kind_count(graph, (TopoVertexKind)kind);
        if (count == 0)
            continue;
        const char *name = topo_vertex_kind_name((TopoVertexKind)kind);
        fprintf(out, "  { rank=same; node [shape=%s];", shapes[kind]);
        for (uint32_t i = 0; i < count; i++)
            fprintf(out, " \"%s/%u\";", name, i);
        fprintf(out, " }\n");
    }
}

bool topo_graph_write_dot(const TopoGraph *graph, FILE *out)
{
    fprintf(out, "digraph fabric {\n");
    write_vertices(graph, out);
    for (uint32_t v = 0; v < topo_graph_vertex_count(graph); v++) {
        TopoLinkSpan span = topo_graph_out(graph, v);
        for (size_t i = 0; i < span.count; i++) {
            uint32_t to = topo_graph_link(graph, span.ids[i])->to;
            if (topo_graph_link_between(graph, v, to) == span.ids[i])
                write_bundle(graph, v, to, out);
        }
    }
    fprintf(out, "}\n");
    return !ferror(out);
}

/* A drawing of a small fabric in SVG 1.1, without a layout program.
 *
 * Devices of one kind stand on one row in order of their numbers, spread over the width of the
 * widest row: cores on top, then spines, leaves, NICs, PCIe switches, sockets, GPUs, NVSwitches.
 * Builders number devices from left to right in every tier, so most lines run down without
 * crossing. Each ordered pair of joined devices is one line, drawn once when it is joined both
 * ways: grey when whole, orange when degraded, red and dashed when down (the worst of the pair);
 * links of one row bend, the more the longer they are, so that they do not hide behind devices.
 * Every line and device has a title that a browser shows under the pointer.
 *
 * Left out: avoiding crossings, rates as labels, arrow heads of links that lead one way. */
#include "topo_graph.h"

#include <math.h>

static const double column = 76.0, row_height = 96.0, margin = 48.0, box_width = 70.0,
                    box_height = 22.0;

/* Rows from the top, and the colour of their devices. */
static const struct {
    TopoVertexKind kind;
    const char *fill;
} rows[] = {
    {TOPO_VERTEX_STORAGE,     "#e7dcc8"},
    {TOPO_VERTEX_CORE,        "#cfd8ea"},
    {TOPO_VERTEX_SPINE,       "#d6e4f0"},
    {TOPO_VERTEX_LEAF,        "#e1eef6"},
    {TOPO_VERTEX_NIC,         "#e9f3e3"},
    {TOPO_VERTEX_PCIE_SWITCH, "#f0f0f0"},
    {TOPO_VERTEX_CPU,         "#e6e6e6"},
    {TOPO_VERTEX_GPU,         "#d9ead3"},
    {TOPO_VERTEX_NVSWITCH,    "#f3e6f2"},
};
_Static_assert(G_N_ELEMENTS(rows) == TOPO_VERTEX_KIND_COUNT, "a row for each kind");

typedef struct Point {
    double x, y;
} Point;

/* Where each row of the picture is; kinds without devices take no room. */
typedef struct Layout {
    double width, height;
    double y[TOPO_VERTEX_KIND_COUNT];
} Layout;

static Layout lay_out(const TopoGraph *graph)
{
    Layout layout = {.height = margin};
    uint32_t widest = 1;
    for (size_t r = 0; r < G_N_ELEMENTS(rows); r++) {
        uint32_t count = topo_graph_kind_count(graph, rows[r].kind);
        widest = MAX(widest, count);
        layout.y[rows[r].kind] = layout.height;
        layout.height += count > 0 ? row_height : 0.0;
    }
    layout.width = 2.0 * margin + column * widest;
    return layout;
}

static Point place(const TopoGraph *graph, const Layout *layout, uint32_t id)
{
    const TopoVertex *vertex = topo_graph_vertex(graph, id);
    uint32_t count = topo_graph_kind_count(graph, (TopoVertexKind)vertex->kind);
    double share = (vertex->ordinal + 0.5) / count;
    return (Point){margin + (layout->width - 2.0 * margin) * share, layout->y[vertex->kind]};
}

/* Links from one device to another, taken together. */
typedef struct Bundle {
    uint32_t count;
    double bytes_per_s;
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
        bundle.count++;
        bundle.bytes_per_s += link->bytes_per_s;
        bundle.health_fraction = MIN(bundle.health_fraction, link->health_fraction);
    }
    return bundle;
}

static void write_line(const TopoGraph *graph, const Layout *layout, uint32_t from, uint32_t to,
                       FILE *out)
{
    Bundle there = bundle_of(graph, from, to), back = bundle_of(graph, to, from);
    if (back.count > 0 && from > to)
        return;
    Point a = place(graph, layout, from), b = place(graph, layout, to);
    double health = MIN(there.health_fraction, back.health_fraction);
    bool is_level = fabs(a.y - b.y) < 1.0;
    double bend = is_level ? row_height * (0.4 + 1.4 * fabs(a.x - b.x) / layout->width) : 0.0;
    const char *style = health <= 0.0  ? "stroke=\"#c00000\" stroke-dasharray=\"6 4\""
                        : health < 1.0 ? "stroke=\"#e08000\""
                                       : "stroke=\"#909090\"";
    g_autofree char *from_name = topo_graph_name(graph, from);
    g_autofree char *to_name = topo_graph_name(graph, to);
    fprintf(out,
            "<path d=\"M%.1f %.1f Q%.1f %.1f %.1f %.1f\" %s><title>%s %s %s, %u x %g GB/s, health "
            "%g</title></path>\n",
            a.x, a.y, 0.5 * (a.x + b.x), 0.5 * (a.y + b.y) + bend, b.x, b.y, style, from_name,
            back.count > 0 ? "-" : "->", to_name, there.count,
            there.bytes_per_s / there.count * 1e-9, health);
}

static void write_device(const TopoGraph *graph, const Layout *layout, uint32_t id,
                         const char *fill, FILE *out)
{
    Point at = place(graph, layout, id);
    const TopoVertex *vertex = topo_graph_vertex(graph, id);
    g_autofree char *name = topo_graph_name(graph, id);
    fprintf(out,
            "<g><rect x=\"%.1f\" y=\"%.1f\" width=\"%.0f\" height=\"%.0f\" rx=\"4\" "
            "fill=\"%s\" stroke=\"#404040\"/><text x=\"%.1f\" y=\"%.1f\">%s</text>"
            "<title>%s, pod %d, rack %d</title></g>\n",
            at.x - 0.5 * box_width, at.y - 0.5 * box_height, box_width, box_height, fill, at.x,
            at.y + 4.0, name, name, vertex->pod, vertex->rack);
}

bool topo_graph_write_svg(const TopoGraph *graph, FILE *out)
{
    Layout layout = lay_out(graph);
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
            "viewBox=\"0 0 %.0f %.0f\">\n<rect width=\"100%%\" height=\"100%%\" "
            "fill=\"white\"/>\n<g fill=\"none\" stroke-width=\"1.5\">\n",
            layout.width, layout.height, layout.width, layout.height);
    for (uint32_t v = 0; v < topo_graph_vertex_count(graph); v++) {
        TopoLinkSpan span = topo_graph_out(graph, v);
        for (size_t i = 0; i < span.count; i++) {
            uint32_t to = topo_graph_link(graph, span.ids[i])->to;
            if (topo_graph_link_between(graph, v, to) == span.ids[i])
                write_line(graph, &layout, v, to, out);
        }
    }
    fprintf(out, "</g>\n<g font-family=\"sans-serif\" font-size=\"%d\" text-anchor=\"middle\">\n",
            9);
    for (size_t r = 0; r < G_N_ELEMENTS(rows); r++) {
        for (uint32_t i = 0; i < topo_graph_kind_count(graph, rows[r].kind); i++)
            write_device(graph, &layout, topo_graph_find(graph, rows[r].kind, i), rows[r].fill,
                         out);
    }
    fprintf(out, "</g>\n</svg>\n");
    return !ferror(out);
}

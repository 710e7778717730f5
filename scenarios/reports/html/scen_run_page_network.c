/* The fabric of a training step and how warm its links were.
 *
 * A fabric of 16,384 GPUs has some 100,000 links, so links are added up by what they join: a vertex
 * of the drawing is a kind of device (all leaves), an edge all links from one kind to another. Of an
 * edge are known the busiest link and the mean over all its links, idle ones too, and, in the second
 * figure, that mean over the step: bytes carried in an interval over what the links could carry. */
#include "scen_run_page.h"

#include "strat_train.h"

#include <math.h>

enum {
    KINDS = TOPO_VERTEX_KIND_COUNT,
    INTERVALS = 48,
};

/* All links from one kind of devices to another. */
typedef struct Edge {
    int64_t links;
    double bytes_per_s; /* of all of them */
    double carried_bytes, waited_s, most;
    char *busiest; /* its name; owned */
    double over_time_bytes[INTERVALS];
} Edge;

/* How far up a kind of devices stands. */
static const int tiers[KINDS] = {
    [TOPO_VERTEX_GPU] = 0,   [TOPO_VERTEX_NVSWITCH] = 1, [TOPO_VERTEX_PCIE_SWITCH] = 1,
    [TOPO_VERTEX_CPU] = 2,   [TOPO_VERTEX_NIC] = 2,      [TOPO_VERTEX_LEAF] = 3,
    [TOPO_VERTEX_SPINE] = 4, [TOPO_VERTEX_CORE] = 5,     [TOPO_VERTEX_STORAGE] = 2,
};

static void count_links(const TopoGraph *graph, Edge *edges)
{
    for (uint32_t i = 0; i < topo_graph_link_count(graph); i++) {
        const TopoLink *link = topo_graph_link(graph, i);
        Edge *edge = &edges[topo_graph_vertex(graph, link->from)->kind * KINDS +
                            topo_graph_vertex(graph, link->to)->kind];
        edge->links++;
        edge->bytes_per_s += topo_link_rate_bytes_per_s(link);
    }
}

/* The kinds that the link called @name joins: "leaf/1 -> spine/2". */
static Edge *edge_of(const char *name, Edge *edges)
{
    g_auto(GStrv) ends = g_strsplit(name, " -> ", 2);
    TopoVertexKind from = 0, to = 0;
    uint32_t ordinal;
    bool is_link = ends[0] && ends[1] && topo_vertex_parse(ends[0], &from, &ordinal, NULL) &&
                   topo_vertex_parse(ends[1], &to, &ordinal, NULL);
    return is_link ? &edges[(int)from * KINDS + (int)to] : NULL;
}

/* Shares the bytes of each interval of @link's curve out over those of @edge. */
static void add_curve(const TopoHotLink *link, SimTime makespan, Edge *edge)
{
    const TopoFluidCurve *curve = link->curve;
    double width = (double)makespan / INTERVALS;
    for (uint32_t i = 0; curve && i < curve->count; i++) {
        double from = (double)i * (double)curve->every_ns;
        double to = MIN(from + (double)curve->every_ns, (double)makespan), length = to - from;
        for (int at = (int)(from / width); at < INTERVALS && (double)at * width < to; at++) {
            double begin = MAX(from, (double)at * width);
            double end = MIN(to, (double)(at + 1) * width);
            if (end > begin)
                edge->over_time_bytes[at] +=
                    (double)link->alike * curve->carried_bytes[i] * (end - begin) / length;
        }
    }
}

static void add_use(const GArray *links, SimTime makespan, Edge *edges)
{
    double step_s = sim_time_to_seconds(makespan);
    for (guint i = 0; i < links->len; i++) {
        const TopoHotLink *link = &g_array_index(links, TopoHotLink, i);
        Edge *edge = edge_of(link->name, edges);
        if (!edge)
            continue;
        edge->carried_bytes +=
            (double)link->alike * link->carried_fraction * link->bytes_per_s * step_s;
        edge->waited_s += link->waited_s;
        if (link->carried_fraction > edge->most) {
            edge->most = link->carried_fraction;
            g_free(edge->busiest);
            edge->busiest = g_strdup(link->name);
        }
        add_curve(link, makespan, edge);
    }
}

static char *kind_text(const TopoGraph *graph, int kind)
{
    return g_strdup_printf("%u x %s", topo_graph_kind_count(graph, (TopoVertexKind)kind),
                           topo_vertex_kind_name((TopoVertexKind)kind));
}

static void add_drawing(ScenPage *page, const TopoGraph *graph, const Edge *edges, double step_s)
{
    ScenPageFigure *figure = scen_page_figure(
        page, SCEN_PAGE_GRAPH, "fabric", "How warm the links were",
        "Kinds of devices, and all links between two of them: the colour is the use of the busiest "
        "one over the step, the width how many there are.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_FROM, "From", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_TO, "To", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "Busiest link used", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_ASIDE, "Mean of all", NULL);
    scen_page_column(figure, SCEN_PAGE_COUNT, SCEN_PAGE_SIZE, "Links", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_ASIDE, "Rate of one, mean", "GB/s");
    scen_page_column(figure, SCEN_PAGE_TIME, SCEN_PAGE_ASIDE, "Held transfers back", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_ASIDE, "Busiest link", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_FROM_TIER, "Tier from", NULL);
    scen_page_column(figure, SCEN_PAGE_NUMBER, SCEN_PAGE_TO_TIER, "Tier to", NULL);
    for (int i = 0; i < KINDS * KINDS; i++) {
        const Edge *edge = &edges[i];
        if (edge->links == 0)
            continue;
        g_autofree char *from = kind_text(graph, i / KINDS), *to = kind_text(graph, i % KINDS);
        scen_page_cell_text(figure, from);
        scen_page_cell_text(figure, to);
        scen_page_cell(figure, edge->most);
        scen_page_cell(figure, edge->carried_bytes / (edge->bytes_per_s * step_s));
        scen_page_cell(figure, (double)edge->links);
        scen_page_cell(figure, edge->bytes_per_s / (double)edge->links / 1e9);
        scen_page_cell(figure, edge->waited_s);
        scen_page_cell_text(figure, edge->busiest ? edge->busiest : "none carried anything");
        scen_page_cell(figure, tiers[i / KINDS]);
        scen_page_cell(figure, tiers[i % KINDS]);
    }
}

static void add_over_time(ScenPage *page, const Edge *edges, double step_s)
{
    ScenPageFigure *figure =
        scen_page_figure(page, SCEN_PAGE_HEAT, "links-over-time", "Links over the step",
                         "Use of all links from one kind of device to another, the mean over them "
                         "and over a forty-eighth of the step.");
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_LANE, "Links", NULL);
    scen_page_column(figure, SCEN_PAGE_TEXT, SCEN_PAGE_X, "From", NULL);
    scen_page_column(figure, SCEN_PAGE_SHARE, SCEN_PAGE_Y, "Mean use", NULL);
    for (int i = 0; i < KINDS * KINDS; i++) {
        const Edge *edge = &edges[i];
        if (edge->carried_bytes <= 0.0)
            continue;
        g_autofree char *name =
            g_strdup_printf("%s to %s", topo_vertex_kind_name((TopoVertexKind)(i / KINDS)),
                            topo_vertex_kind_name((TopoVertexKind)(i % KINDS)));
        for (int at = 0; at < INTERVALS; at++) {
            g_autofree char *from = g_strdup_printf("%.4g s", step_s * at / INTERVALS);
            scen_page_cell_text(figure, name);
            scen_page_cell_text(figure, from);
            scen_page_cell(figure,
                           edge->over_time_bytes[at] / (edge->bytes_per_s * step_s / INTERVALS));
        }
    }
}

void scen_run_page_network(ScenPage *page, const StratCosting *costing,
                           const StratTrainResult *result)
{
    g_autoptr(GArray) links = strat_train_links(costing, result, NULL);
    g_autoptr(TopoFabric) fabric = links ? topo_fabric_new(&costing->fabric, NULL) : NULL;
    if (!links || links->len == 0 || !fabric || !topo_fabric_apply(fabric, &costing->changes, NULL))
        return;
    SimTime makespan = result->run->makespan;
    g_autofree Edge *edges = g_new0(Edge, KINDS * KINDS);
    count_links(fabric->graph, edges);
    add_use(links, makespan, edges);
    scen_page_section(page, "Network", NULL);
    add_drawing(page, fabric->graph, edges, sim_time_to_seconds(makespan));
    add_over_time(page, edges, sim_time_to_seconds(makespan));
    for (int i = 0; i < KINDS * KINDS; i++)
        g_free(edges[i].busiest);
}

/*
 * The hardware graph by example: links by their ends, names, latency by length, health, and the
 * drawing of a small fabric, letter by letter.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "topo_fabric.h"

static bool is_near(double a, double b, double tolerance)
{
    return fabs(a - b) <= tolerance;
}

/* Two leaves with a NIC each and a spine between them; returns the link from nic/0 to leaf/0. */
static uint32_t add_two_leaves(TopoGraph *graph)
{
    uint32_t nic[2], leaf[2];
    for (int i = 0; i < 2; i++)
        nic[i] = topo_graph_add_vertex(graph, (TopoVertex){.kind = TOPO_VERTEX_NIC, .rack = 7 + i});
    for (int i = 0; i < 2; i++)
        leaf[i] = topo_graph_add_vertex(graph, (TopoVertex){.kind = TOPO_VERTEX_LEAF, .rack = -1});
    uint32_t spine =
        topo_graph_add_vertex(graph, (TopoVertex){.kind = TOPO_VERTEX_SPINE, .rack = -1});
    TopoLink link = {.bytes_per_s = 50e9, .latency_s = 1e-6, .length_m = 4.0, .health_fraction = 1};
    uint32_t first = TOPO_NONE;
    for (int i = 0; i < 2; i++) {
        link.from = nic[i];
        link.to = leaf[i];
        uint32_t id = topo_graph_add_duplex(graph, link, 2e-6);
        first = i == 0 ? id : first;
    }
    for (int i = 0; i < 4; i++) {
        link.from = leaf[i / 2];
        link.to = spine;
        topo_graph_add_duplex(graph, link, 2e-6);
    }
    topo_graph_seal(graph);
    return first;
}

Test(topo_graph, links_are_found_from_both_of_their_ends)
{
    g_autoptr(TopoGraph) graph = topo_graph_new();
    uint32_t first = add_two_leaves(graph);
    cr_expect(topo_graph_vertex_count(graph) == 5);
    cr_expect(topo_graph_link_count(graph) == 12);
    cr_expect(topo_graph_kind_count(graph, TOPO_VERTEX_LEAF) == 2);
    uint32_t leaf = topo_graph_find(graph, TOPO_VERTEX_LEAF, 0);
    TopoLinkSpan out = topo_graph_out(graph, leaf), in = topo_graph_in(graph, leaf);
    cr_assert(out.count == 3 && in.count == 3);
    for (size_t i = 0; i < 3; i++) {
        cr_expect(topo_graph_link(graph, out.ids[i])->from == leaf);
        cr_expect(topo_graph_link(graph, in.ids[i])->to == leaf);
        cr_expect(i == 0 || out.ids[i] > out.ids[i - 1], "ascending");
    }
    uint32_t nic = topo_graph_find(graph, TOPO_VERTEX_NIC, 0);
    cr_expect(topo_graph_link_between(graph, nic, leaf) == first);
    cr_expect(topo_graph_link_between(graph, leaf, nic) == first + 1);
    cr_expect(topo_graph_link_between(graph, nic, nic) == TOPO_NONE);
}

Test(topo_graph, names_are_read_back)
{
    g_autoptr(TopoGraph) graph = topo_graph_new();
    add_two_leaves(graph);
    for (uint32_t v = 0; v < topo_graph_vertex_count(graph); v++) {
        TopoVertexKind kind;
        uint32_t ordinal;
        g_autofree char *name = topo_graph_name(graph, v);
        cr_assert(topo_vertex_parse(name, &kind, &ordinal, NULL), "%s", name);
        cr_expect(topo_graph_find(graph, kind, ordinal) == v, "%s", name);
    }
    static const char *const wrong[] = {"",        "leaf", "leaf/",           "leaf/x", "leef/1",
                                        "leaf/-1", "/1",   "leaf/4294967295", "leaf/1 "};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        TopoVertexKind kind;
        uint32_t ordinal;
        g_autoptr(GError) error = NULL;
        cr_expect(!topo_vertex_parse(wrong[i], &kind, &ordinal, &error), "%s", wrong[i]);
        cr_expect(g_error_matches(error, TOPO_GRAPH_ERROR, TOPO_GRAPH_ERROR_UNKNOWN_NAME));
    }
}

Test(topo_graph, a_rack_moved_by_100_m_is_500_ns_farther_away)
{
    g_autoptr(TopoGraph) graph = topo_graph_new();
    uint32_t first = add_two_leaves(graph);
    double before_s = topo_link_latency_s(topo_graph_link(graph, first));
    double other_s = topo_link_latency_s(topo_graph_link(graph, first + 2));
    cr_expect(is_near(before_s, 1e-6 + 4.0 * 5e-9, 1e-18));
    cr_expect(topo_graph_move_rack(graph, 7, 100.0) == 2, "both directions of one cable");
    cr_expect(
        is_near(topo_link_latency_s(topo_graph_link(graph, first)) - before_s, 500e-9, 1e-15));
    cr_expect(is_near(topo_link_latency_s(topo_graph_link(graph, first + 2)), other_s, 0));
    topo_graph_move_rack(graph, 7, -1000.0);
    cr_expect(is_near(topo_graph_link(graph, first)->length_m, 0.0, 0));
}

Test(topo_graph, health_is_a_fraction_of_the_rate)
{
    g_autoptr(TopoGraph) graph = topo_graph_new();
    uint32_t first = add_two_leaves(graph);
    uint64_t epoch = topo_graph_epoch(graph);
    cr_assert(topo_graph_set_health(graph, first, 0.25, NULL));
    cr_expect(topo_graph_epoch(graph) > epoch);
    cr_expect(is_near(topo_link_rate_bytes_per_s(topo_graph_link(graph, first)), 12.5e9, 1e-3));
    static const double wrong[] = {-0.1, 1.1, 0.0 / 0.0};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        cr_expect(!topo_graph_set_health(graph, first, wrong[i], &error));
        cr_expect(g_error_matches(error, TOPO_GRAPH_ERROR, TOPO_GRAPH_ERROR_PARAMETER));
    }
    cr_expect(!topo_graph_set_health(graph, 12, 1.0, NULL), "there are 12 links");
}

Test(topo_graph, the_drawing_of_two_leaves_is_pinned)
{
    static const char want[] = "digraph fabric {\n"
                               "  { rank=same; node [shape=ellipse]; \"spine/0\"; }\n"
                               "  { rank=same; node [shape=ellipse]; \"leaf/0\"; \"leaf/1\"; }\n"
                               "  { rank=same; node [shape=cds]; \"nic/0\"; \"nic/1\"; }\n"
                               "  \"nic/0\" -> \"leaf/0\" [label=\"50 GB/s\"];\n"
                               "  \"nic/1\" -> \"leaf/1\" [label=\"50 GB/s\", dir=none];\n"
                               "  \"leaf/0\" -> \"nic/0\" [label=\"50 GB/s\", style=dashed, "
                               "color=red];\n"
                               "  \"leaf/0\" -> \"spine/0\" [label=\"2 x 50 GB/s\", dir=none];\n"
                               "  \"leaf/1\" -> \"spine/0\" [label=\"2 x 50 GB/s\", dir=none];\n"
                               "}\n";
    g_autoptr(TopoGraph) graph = topo_graph_new();
    uint32_t first = add_two_leaves(graph);
    topo_graph_set_health(graph, first + 1, 0.0, NULL);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    cr_expect(topo_graph_write_dot(graph, out));
    fclose(out);
    cr_expect_str_eq(text, want);
    free(text);
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

Test(topo_graph, a_picture_has_every_device_and_a_line_for_each_pair_that_is_joined)
{
    g_autoptr(TopoGraph) graph = topo_graph_new();
    uint32_t first = add_two_leaves(graph);
    topo_graph_set_health(graph, first + 1, 0.0, NULL);
    topo_graph_set_health(graph, first + 2, 0.5, NULL);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    cr_expect(topo_graph_write_svg(graph, out));
    fclose(out);
    cr_expect(count_of(text, "<text ") == 5 && count_of(text, "<path ") == 4);
    cr_expect(count_of(text, "</g>") == count_of(text, "<g>") + count_of(text, "<g "));
    cr_expect(count_of(text, "leaf/0 - spine/0, 2 x 50 GB/s, health 1<") == 1);
    cr_expect(count_of(text, "stroke-dasharray=\"6 4\"><title>nic/0 - leaf/0") == 1);
    cr_expect(count_of(text, "stroke=\"#e08000\"><title>nic/1 - leaf/1") == 1);
    cr_expect(g_str_has_suffix(text, "</svg>\n"));
    free(text);
}

/*
 * Platforms for SimGrid, without SimGrid: every route has a pair of hosts to itself, equal routes
 * are one, and the file says of each link and route what the graph does.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "topo_simgrid_platform.h"

enum {
    LINKS = 40,
};

/* A chain: link i is of (i + 1) GB/s and i microseconds. */
static TopoGraph *make_chain(void)
{
    TopoGraph *graph = topo_graph_new();
    topo_graph_add_vertex(graph, (TopoVertex){.kind = TOPO_VERTEX_LEAF});
    for (uint32_t i = 0; i < LINKS; i++) {
        uint32_t next = topo_graph_add_vertex(graph, (TopoVertex){.kind = TOPO_VERTEX_LEAF});
        topo_graph_add_link(graph, (TopoLink){.from = next - 1,
                                              .to = next,
                                              .bytes_per_s = 1e9 * (i + 1),
                                              .latency_s = 1e-6 * i,
                                              .health_fraction = 1.0});
    }
    topo_graph_seal(graph);
    return graph;
}

static char *write_text(const TopoSimgridPlatform *platform)
{
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    cr_assert(topo_simgrid_platform_write(platform, file));
    fclose(file);
    return text;
}

Test(topo_simgrid_platform, routes_have_pairs_of_hosts_to_themselves)
{
    g_autoptr(TopoGraph) graph = make_chain();
    g_autoptr(TopoSimgridPlatform) platform = topo_simgrid_platform_new(graph);
    for (uint32_t count = 1; count <= 150; count++) {
        uint32_t link = count % LINKS;
        cr_assert(topo_simgrid_platform_route(platform, &link, 1, 1.0 * count) == count - 1);
        uint32_t hosts = topo_simgrid_platform_host_count(platform);
        cr_expect(hosts * (hosts - 1) >= count && (hosts - 1) * (hosts - 2) < count + 1,
                  "%u hosts for %u routes", hosts, count);
        g_autofree bool *is_taken = g_new0(bool, hosts *hosts);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t from, to;
            topo_simgrid_platform_ends(platform, i, &from, &to);
            cr_assert(from < hosts && to < hosts && from != to);
            cr_assert(!is_taken[from * hosts + to], "route %u of %u", i, count);
            is_taken[from * hosts + to] = true;
        }
    }
}

Test(topo_simgrid_platform, equal_routes_are_one)
{
    g_autoptr(TopoGraph) graph = make_chain();
    g_autoptr(TopoSimgridPlatform) platform = topo_simgrid_platform_new(graph);
    const uint32_t links[] = {3, 4, 5};
    uint32_t bound = topo_simgrid_platform_route(platform, links, 3, 2e9);
    uint32_t other = topo_simgrid_platform_route(platform, links, 3, 1e9);
    uint32_t open = topo_simgrid_platform_route(platform, links, 3, INFINITY);
    uint32_t shorter = topo_simgrid_platform_route(platform, links, 2, INFINITY);
    cr_expect(bound != other && other != open && open != shorter && bound != open);
    cr_expect(topo_simgrid_platform_route(platform, links, 3, 2e9) == bound);
    cr_expect(topo_simgrid_platform_route(platform, links, 3, 7e9) == open,
              "the links keep a bound of 7 GB/s anyway");
    cr_expect(topo_simgrid_platform_route_count(platform) == 4);
    cr_expect(topo_simgrid_platform_has_link(platform, 5));
    cr_expect(!topo_simgrid_platform_has_link(platform, 6));
}

Test(topo_simgrid_platform, the_file_says_what_the_graph_does)
{
    static const char *const lines[] = {
        "<host id=\"h1\" speed=\"1Gf\"/>\n",
        "<link id=\"l0\" sharing_policy=\"SHARED\" bandwidth=\"1000000000Bps\" latency=\"0s\"/>\n",
        "<link id=\"l4\" sharing_policy=\"SHARED\" bandwidth=\"2500000000Bps\" "
        "latency=\"3.9999999999999998e-06s\"/>\n",
        "<link id=\"r0\" sharing_policy=\"FATPIPE\" bandwidth=\"2000000000Bps\" latency=\"0s\"/>\n",
        "<link id=\"r1\" sharing_policy=\"FATPIPE\" bandwidth=\"1000000000Bps\" "
        "latency=\"1.0000000000000001e-09s\"/>\n",
        "<route src=\"h0\" dst=\"h1\" symmetrical=\"NO\"><link_ctn id=\"r0\"/>"
        "<link_ctn id=\"l3\"/><link_ctn id=\"l4\"/></route>\n",
        "<route src=\"h1\" dst=\"h0\" symmetrical=\"NO\"><link_ctn id=\"r1\"/>"
        "<link_ctn id=\"l0\"/></route>\n",
    };
    g_autoptr(TopoGraph) graph = make_chain();
    cr_assert(topo_graph_set_health(graph, 4, 0.5, NULL));
    g_autoptr(TopoSimgridPlatform) platform = topo_simgrid_platform_new(graph);
    const uint32_t links[] = {3, 4, 0};
    topo_simgrid_platform_route(platform, links, 2, 2e9);
    topo_simgrid_platform_route(platform, links + 2, 1, INFINITY);
    g_autofree char *text = write_text(platform);
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
        cr_expect(strstr(text, lines[i]) != NULL, "no %sin:\n%s", lines[i], text);
    cr_expect(strstr(text, "\"l5\"") == NULL && strstr(text, "\"h2\"") == NULL);
}

/* A full disk, for one. */
Test(topo_simgrid_platform, a_file_that_takes_no_more_is_noticed)
{
    g_autoptr(TopoGraph) graph = make_chain();
    g_autoptr(TopoSimgridPlatform) platform = topo_simgrid_platform_new(graph);
    uint32_t link = 1;
    topo_simgrid_platform_route(platform, &link, 1, INFINITY);
    FILE *full = fopen("/dev/full", "w");
    cr_assert(full != NULL);
    cr_expect(!topo_simgrid_platform_write(platform, full));
    fclose(full);
}

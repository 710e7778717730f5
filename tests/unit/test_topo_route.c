/*
 * Routes by example: how many links a path of each kind has, which rail it takes, what happens
 * where links are dead, and what a metre of fibre adds.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "topo_route.h"

static const TopoNode node = {
    .gpus = 4,
    .scale_up_gpus = 4,
    .scale_up = "nvswitch",
    .scale_up_bytes_per_s = 600e9,
    .scale_up_latency_s = 1e-6,
    .nics = 4,
    .nic_bytes_per_s = 50e9,
    .nic_latency_s = 1.3e-6,
    .host_bytes_per_s = 63e9,
};

static TopoFabric *build(const char *name, int64_t nodes, int64_t radix, const TopoNode *of)
{
    TopoCluster cluster = {.node = *of, .node_count = nodes, .gpu_count = nodes * of->gpus};
    TopoFabricSpec spec = topo_fabric_spec_default(name, &cluster);
    spec.radix = radix;
    GError *error = NULL;
    TopoFabric *fabric = topo_fabric_new(&spec, &error);
    cr_assert(fabric != NULL, "%s", error ? error->message : "");
    return fabric;
}

static TopoRouter *router_by(const TopoFabric *fabric, const char *policy)
{
    const TopoRoutePolicy *row = topo_route_by_name(policy, NULL);
    cr_assert(row != NULL);
    return topo_router_new(fabric, row, 7);
}

static GArray *new_links(void)
{
    return g_array_new(FALSE, FALSE, sizeof(uint32_t));
}

/* Names of the vertices on the way, "gpu/0 pcie-switch/0 ...". */
static char *way(const TopoFabric *fabric, const GArray *links)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < links->len; i++) {
        const TopoLink *link = topo_graph_link(fabric->graph, g_array_index(links, uint32_t, i));
        g_autofree char *from = topo_graph_name(fabric->graph, link->from);
        g_autofree char *to = topo_graph_name(fabric->graph, link->to);
        g_string_append_printf(text, i == 0 ? "%s %s" : "%.0s %s", from, to);
    }
    return g_string_free(text, FALSE);
}

static char *way_between(const TopoFabric *fabric, const char *policy, size_t src, size_t dst)
{
    g_autoptr(TopoRouter) router = router_by(fabric, policy);
    g_autoptr(GArray) links = new_links();
    GError *error = NULL;
    cr_assert(topo_route(router, src, dst, 0, links, &error), "%s", error ? error->message : "");
    return way(fabric, links);
}

/* fat-tree k=8: leaf of 4 NICs (one node), pod of 16. To other nodes: GPU, PCIe, NIC, leaf ... */
static const struct {
    const char *fabric;
    size_t src, dst;
    const char *want;
} ways[] = {
    {"fat-tree",       0, 0,  ""                                                          },
    {"fat-tree",       0, 3,  "gpu/0 nvswitch/0 gpu/3"                                    },
    {"fat-tree",       0, 5,
     "gpu/0 pcie-switch/0 nic/0 leaf/0 spine/0 leaf/1 nic/5 pcie-switch/2 "
     "gpu/5"                                                                              },
    {"fat-tree",       0, 17,
     "gpu/0 pcie-switch/0 nic/0 leaf/0 spine/0 core/0 spine/4 leaf/4 nic/17 "
     "pcie-switch/8 gpu/17"                                                               },
    {"rail-optimised", 1, 5,  "gpu/1 pcie-switch/0 nic/1 leaf/1 nic/5 pcie-switch/2 gpu/5"},
    {"rail-optimised", 1, 6,
     "gpu/1 pcie-switch/0 nic/1 leaf/1 spine/0 leaf/2 nic/6 pcie-switch/3 "
     "gpu/6"                                                                              },
    {"rail-only",      1, 6,
     "gpu/1 nvswitch/0 gpu/2 pcie-switch/1 nic/2 leaf/2 nic/6 "
     "pcie-switch/3 gpu/6"                                                                },
    {"single-switch",  1, 6,  "gpu/1 pcie-switch/0 nic/1 leaf/0 nic/6 pcie-switch/3 gpu/6"},
};

Test(topo_route, shortest_ways_are_these)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        int64_t radix = strcmp(ways[i].fabric, "single-switch") == 0 ? 64 : 8;
        g_autoptr(TopoFabric) fabric = build(ways[i].fabric, 8, radix, &node);
        g_autofree char *got = way_between(fabric, "shortest", ways[i].src, ways[i].dst);
        cr_expect_str_eq(got, ways[i].want, "case %zu: %s", i, got);
    }
}

Test(topo_route, pxn_changes_rails_over_nvlink_before_it_leaves)
{
    g_autoptr(TopoFabric) fabric = build("rail-optimised", 8, 8, &node);
    g_autofree char *got = way_between(fabric, "rail", 1, 6);
    cr_expect_str_eq(got,
                     "gpu/1 nvswitch/0 gpu/2 pcie-switch/1 nic/2 leaf/2 nic/6 pcie-switch/3 gpu/6");
    g_autofree char *same_rail = way_between(fabric, "rail", 1, 5);
    cr_expect_str_eq(same_rail, "gpu/1 pcie-switch/0 nic/1 leaf/1 nic/5 pcie-switch/2 gpu/5");
}

Test(topo_route, without_nvlink_other_rails_are_met_at_the_spine)
{
    TopoNode pcie = node;
    pcie.scale_up = "pcie";
    g_autoptr(TopoFabric) fabric = build("rail-optimised", 8, 8, &pcie);
    g_autoptr(TopoRouter) router = router_by(fabric, "rail");
    g_autoptr(GArray) links = new_links();
    cr_assert(topo_route(router, 1, 6, 0, links, NULL));
    g_autofree char *got = way(fabric, links);
    cr_expect(strstr(got, "nic/1 leaf/1 spine/") != NULL, "%s", got);
    g_autofree char *near = way_between(fabric, "shortest", 0, 3);
    cr_expect_str_eq(near, "gpu/0 pcie-switch/0 cpu/0 cpu/1 pcie-switch/1 gpu/3");
}

Test(topo_route, the_cube_mesh_relays_through_a_gpu)
{
    TopoNode dgx1 = node;
    dgx1.scale_up = "nvlink-mesh";
    dgx1.gpus = dgx1.scale_up_gpus = 8;
    g_autoptr(TopoFabric) fabric = build("leaf-spine", 2, 16, &dgx1);
    g_autofree char *direct = way_between(fabric, "shortest", 0, 4);
    cr_expect_str_eq(direct, "gpu/0 gpu/4");
    g_autofree char *relayed = way_between(fabric, "shortest", 0, 7);
    cr_expect_str_eq(relayed, "gpu/0 gpu/3 gpu/7");
    g_autofree char *shared = way_between(fabric, "shortest", 1, 8);
    cr_expect_str_eq(shared, "gpu/1 pcie-switch/0 nic/0 leaf/0 nic/4 pcie-switch/4 gpu/8",
                     "two GPUs share a NIC: %s", shared);
}

Test(topo_route, a_domain_of_many_nodes_stays_on_nvlink)
{
    TopoNode tray = node;
    tray.scale_up_gpus = 72;
    g_autoptr(TopoFabric) fabric = build("nvl72", 36, 64, &tray);
    g_autofree char *inside = way_between(fabric, "shortest", 0, 71);
    cr_expect_str_eq(inside, "gpu/0 nvswitch/0 gpu/71");
    g_autofree char *outside = way_between(fabric, "rail", 0, 73);
    cr_expect_str_eq(
        outside, "gpu/0 nvswitch/0 gpu/1 pcie-switch/1 nic/1 leaf/1 nic/73 pcie-switch/73 gpu/73");
}

Test(topo_route, a_dead_link_is_avoided_and_a_cut_is_an_error)
{
    g_autoptr(TopoFabric) fabric = build("leaf-spine", 4, 8, &node);
    TopoGraph *graph = fabric->graph;
    g_autoptr(TopoRouter) router = router_by(fabric, "shortest");
    g_autoptr(GArray) links = new_links();
    uint32_t leaf = topo_graph_find(graph, TOPO_VERTEX_LEAF, 0);
    for (uint32_t spine = 0; spine < 4; spine++) {
        g_array_set_size(links, 0);
        cr_assert(topo_route(router, 0, 5, 0, links, NULL));
        uint32_t up = g_array_index(links, uint32_t, 3);
        cr_expect(topo_graph_link(graph, up)->to ==
                  topo_graph_find(graph, TOPO_VERTEX_SPINE, spine));
        cr_expect(links->len == 8);
        cr_assert(topo_graph_set_health(graph, up, 0.0, NULL));
    }
    g_array_set_size(links, 0);
    g_autoptr(GError) error = NULL;
    cr_expect(!topo_route(router, 0, 5, 0, links, &error), "leaf/0 is cut off");
    cr_expect(g_error_matches(error, TOPO_GRAPH_ERROR, TOPO_GRAPH_ERROR_NO_PATH));
    cr_expect(strstr(error->message, "no path from gpu/0 to gpu/5: 4 of") != NULL, "%s",
              error->message);
    cr_expect(links->len == 0);
    cr_expect(topo_route(router, 5, 0, 0, links, NULL), "the other way is up");
    uint32_t up = topo_graph_out(graph, leaf).ids[5];
    cr_assert(topo_graph_set_health(graph, up, 0.5, NULL));
    g_array_set_size(links, 0);
    cr_assert(topo_route(router, 0, 5, 0, links, NULL), "a degraded link carries");
    cr_expect(fabs(topo_path_rate_bytes_per_s(graph, links) - 25e9) < 1.0);
}

Test(topo_route, a_dead_nic_is_replaced_by_a_neighbour_over_nvlink)
{
    g_autoptr(TopoFabric) fabric = build("rail-optimised", 8, 8, &node);
    uint32_t nic = topo_graph_find(fabric->graph, TOPO_VERTEX_NIC, 1);
    TopoLinkSpan spans[2] = {topo_graph_out(fabric->graph, nic), topo_graph_in(fabric->graph, nic)};
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < spans[side].count; i++)
            topo_graph_set_health(fabric->graph, spans[side].ids[i], 0.0, NULL);
    }
    g_autofree char *sent = way_between(fabric, "shortest", 1, 5);
    cr_expect(strstr(sent, "gpu/1 nvswitch/0 gpu/2 pcie-switch/1 nic/2 leaf/2") == sent, "%s",
              sent);
    g_autofree char *received = way_between(fabric, "shortest", 5, 1);
    cr_expect(g_str_has_suffix(received, "nic/2 pcie-switch/1 gpu/2 nvswitch/0 gpu/1"), "%s",
              received);
}

Test(topo_route, a_dead_nvlink_leaves_pcie)
{
    g_autoptr(TopoFabric) fabric = build("leaf-spine", 2, 8, &node);
    uint32_t nvlink = topo_graph_out(fabric->graph, fabric->gpus[0]).ids[0];
    topo_graph_set_health(fabric->graph, nvlink, 0.0, NULL);
    g_autofree char *got = way_between(fabric, "shortest", 0, 1);
    cr_expect_str_eq(got, "gpu/0 pcie-switch/0 gpu/1");
}

Test(topo_route, planes_keep_a_flow_on_its_port)
{
    g_autoptr(TopoFabric) fabric = build("dual-plane", 8, 8, &node);
    g_autoptr(TopoRouter) router = router_by(fabric, "ecmp");
    g_autoptr(GArray) links = new_links();
    size_t first_plane = 0;
    uint32_t leaves = topo_graph_kind_count(fabric->graph, TOPO_VERTEX_LEAF);
    for (uint64_t flow = 0; flow < 200; flow++) {
        g_array_set_size(links, 0);
        cr_assert(topo_route(router, 0, 22, flow, links, NULL));
        cr_assert(links->len == 8);
        uint32_t up = topo_graph_link(fabric->graph, g_array_index(links, uint32_t, 2))->to;
        uint32_t down = topo_graph_link(fabric->graph, g_array_index(links, uint32_t, 5))->from;
        bool is_first = topo_graph_vertex(fabric->graph, up)->ordinal < leaves / 2;
        cr_expect(is_first == (topo_graph_vertex(fabric->graph, down)->ordinal < leaves / 2));
        first_plane += is_first;
    }
    cr_expect(first_plane > 60 && first_plane < 140, "%zu of 200 flows on the first", first_plane);
}

Test(topo_route, latency_is_hops_and_5_ns_a_metre)
{
    TopoCluster cluster = {.node = node, .node_count = 32, .gpu_count = 128};
    TopoFabricSpec spec = topo_fabric_spec_default("fat-tree", &cluster);
    spec.radix = 8;
    spec.fec_latency_s = 0.1e-6;
    g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, NULL);
    cr_assert(fabric != NULL);
    g_autoptr(TopoRouter) router = router_by(fabric, "shortest");
    g_autoptr(GArray) links = new_links();
    cr_assert(topo_route(router, 0, 127, 0, links, NULL));
    double pcie_s = 2.0 * spec.pcie_switch_latency_s;
    double metres = 2.0 * (spec.leaf_length_m + spec.spine_length_m + spec.core_length_m);
    double want_s = pcie_s + 1.3e-6 + 6.0 * 0.1e-6 + 5e-9 * metres;
    double got_s = topo_path_latency_s(fabric->graph, links);
    cr_expect(fabs(got_s - want_s) < 1e-12, "%.17g, want %.17g", got_s, want_s);
    topo_graph_move_rack(fabric->graph, 0, 100.0);
    double moved_s = topo_path_latency_s(fabric->graph, links);
    cr_expect(fabs(moved_s - got_s - 500e-9) < 1e-12, "%.17g more", moved_s - got_s);
}

Test(topo_route, storage_is_reached_from_gpu_and_cpu)
{
    static const TopoFabricLink wires[] = {
        {"nic/0",  "leaf/0",    50e9, 1e-7, 2, 1, false, 0},
        {"nic/4",  "leaf/0",    50e9, 1e-7, 2, 1, false, 0},
        {"leaf/0", "storage/0", 10e9, 2e-7, 9, 1, false, 0},
    };
    TopoCluster cluster = {.node = node, .node_count = 2, .gpu_count = 8};
    TopoFabricSpec spec = topo_fabric_spec_default("custom", &cluster);
    spec.links = wires;
    spec.link_count = G_N_ELEMENTS(wires);
    g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, NULL);
    cr_assert(fabric != NULL);
    g_autoptr(TopoRouter) router = router_by(fabric, "shortest");
    g_autoptr(GArray) links = new_links();
    uint32_t storage = topo_graph_find(fabric->graph, TOPO_VERTEX_STORAGE, 0);
    uint32_t cpu = topo_graph_find(fabric->graph, TOPO_VERTEX_CPU, 0);
    cr_assert(topo_route_between(router, cpu, storage, 0, links, NULL));
    g_autofree char *up = way(fabric, links);
    cr_expect_str_eq(up, "cpu/0 pcie-switch/0 nic/0 leaf/0 storage/0");
    g_array_set_size(links, 0);
    cr_assert(topo_route_between(router, storage, fabric->gpus[6], 0, links, NULL));
    g_autofree char *down = way(fabric, links);
    cr_expect(strstr(down, "storage/0 leaf/0 nic/4 pcie-switch/2 gpu/4 nvswitch/1 gpu/6") == down,
              "%s: the only wired NIC of the node is another GPU's", down);
}

Test(topo_route, wrong_ranks_and_names_are_errors)
{
    g_autoptr(TopoFabric) fabric = build("leaf-spine", 2, 8, &node);
    g_autoptr(TopoRouter) router = router_by(fabric, "shortest");
    g_autoptr(GArray) links = new_links();
    g_autoptr(GError) error = NULL;
    cr_expect(!topo_route(router, 0, 8, 0, links, &error));
    cr_expect_str_eq(error->message, "rank 8: the fabric has 8");
    g_clear_error(&error);
    cr_expect(topo_route_by_name("hot-potato", &error) == NULL);
    cr_expect_str_eq(error->message, "unknown routing policy 'hot-potato', known: shortest d-mod-k "
                                     "ecmp adaptive rail");
}

/*
 * The ways of a pair: every one is a sound route, together they give a lone pair the whole rate of
 * its NIC (or of its NVLinks) on every fabric, those of a dual-plane fabric never share a plane,
 * what is dead is left to the others, and which links a way takes depends on nothing that was asked
 * before.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "topo_route.h"

static const double nic_bytes_per_s = 50e9, nvlink_bytes_per_s = 600e9;

static const struct {
    const char *fabric;
    int64_t nodes, radix;
    const char *scale_up;
    int64_t domain;
    int64_t ways; /* between nodes */
} worlds[] = {
    {"single-switch",  8,  64, "nvswitch",    4, 1},
    {"leaf-spine",     8,  8,  "nvswitch",    4, 1},
    {"fat-tree",       16, 8,  "pcie",        4, 1},
    {"rail-optimised", 16, 8,  "nvswitch",    4, 1},
    {"rail-only",      16, 8,  "nvswitch",    4, 1},
    {"dual-tor",       8,  16, "nvlink-mesh", 4, 2},
    {"dual-plane",     8,  8,  "nvswitch",    4, 2},
    {"nvl72",          8,  16, "nvswitch",    8, 1},
    {"dragonfly+",     5,  4,  "nvswitch",    4, 1},
    {"torus-2d",       9,  64, "pcie",        4, 1},
    {"torus-3d",       16, 64, "pcie",        4, 1},
};

static TopoFabric *build_with(size_t world, int64_t flows_per_pair, int64_t nvlink_generation)
{
    TopoCluster cluster = {
        .node = {.gpus = 4,
                 .scale_up_gpus = worlds[world].domain,
                 .scale_up = worlds[world].scale_up,
                 .scale_up_bytes_per_s = nvlink_bytes_per_s,
                 .scale_up_latency_s = 1e-6,
                 .nics = 4,
                 .nic_bytes_per_s = nic_bytes_per_s,
                 .nic_latency_s = 1.3e-6,
                 .host_bytes_per_s = 63e9},
        .node_count = worlds[world].nodes,
        .gpu_count = worlds[world].nodes * 4,
    };
    TopoFabricSpec spec = topo_fabric_spec_default(worlds[world].fabric, &cluster);
    spec.radix = worlds[world].radix;
    spec.flows_per_pair = flows_per_pair;
    spec.nvlink_generation = nvlink_generation;
    GError *error = NULL;
    TopoFabric *fabric = topo_fabric_new(&spec, &error);
    cr_assert(fabric != NULL, "%s", error ? error->message : "");
    return fabric;
}

static size_t world_of(const char *fabric)
{
    size_t world = 0;
    while (strcmp(worlds[world].fabric, fabric) != 0)
        world++;
    return world;
}

static GArray *new_links(void)
{
    return g_array_new(FALSE, FALSE, sizeof(uint32_t));
}

static TopoRouter *router_by(const TopoFabric *fabric, const char *policy)
{
    return topo_router_new(fabric, topo_route_by_name(policy, NULL), 11);
}

static bool is_sound(const TopoFabric *fabric, const GArray *links, size_t src, size_t dst)
{
    uint32_t at = fabric->gpus[src];
    for (guint i = 0; i < links->len; i++) {
        const TopoLink *link = topo_graph_link(fabric->graph, g_array_index(links, uint32_t, i));
        if (link->from != at || link->health_fraction <= 0.0)
            return false;
        at = link->to;
    }
    return at == fabric->gpus[dst];
}

/* What a pair reaches when it is alone and each of its ways carries the same: on every link the
 * rate over the share of the pair that crosses it. */
static double rate_of_pair(const TopoFabric *fabric, TopoRouter *router, size_t src, size_t dst)
{
    g_autofree double *share = g_new0(double, topo_graph_link_count(fabric->graph));
    int64_t ways = topo_route_ways(router, src, dst);
    g_autoptr(GArray) links = new_links();
    double least = INFINITY;
    for (int64_t way = 0; way < ways; way++) {
        g_array_set_size(links, 0);
        cr_assert(topo_route_way(router, src, dst, way, links, NULL));
        cr_assert(is_sound(fabric, links, src, dst), "way %zu of %zu to %zu", (size_t)way, src,
                  dst);
        for (guint i = 0; i < links->len; i++)
            share[g_array_index(links, uint32_t, i)] += 1.0 / (double)ways;
    }
    for (uint32_t i = 0; i < topo_graph_link_count(fabric->graph); i++) {
        if (share[i] > 0.0)
            least = fmin(least,
                         topo_link_rate_bytes_per_s(topo_graph_link(fabric->graph, i)) / share[i]);
    }
    return least;
}

Test(topo_route_ways, a_lone_pair_has_the_whole_nic_on_every_fabric_by_every_policy)
{
    size_t count;
    const TopoRoutePolicy *policies = topo_route_all(&count);
    for (size_t w = 0; w < G_N_ELEMENTS(worlds); w++) {
        g_autoptr(TopoFabric) fabric = build_with(w, 0, 0);
        cr_expect(fabric->flows_per_pair == worlds[w].ways, "%s", worlds[w].fabric);
        for (size_t p = 0; p < count; p++) {
            g_autoptr(TopoRouter) router = topo_router_new(fabric, &policies[p], 11);
            for (size_t src = 0; src < fabric->gpu_count; src += 3) {
                for (size_t dst = 0; dst < fabric->gpu_count; dst++) {
                    if (src / 4 == dst / 4 && src != dst)
                        continue; /* a mesh and PCIe have less */
                    double got = rate_of_pair(fabric, router, src, dst);
                    cr_assert(fabric->gpus_forward || got >= nic_bytes_per_s * (1.0 - 1e-12),
                              "%s %s %zu to %zu: %g", worlds[w].fabric, policies[p].name, src, dst,
                              got);
                }
            }
        }
    }
}

Test(topo_route_ways, one_way_on_two_ports_has_half_of_the_nic_and_takes_both_ports_in_turn)
{
    g_autoptr(TopoFabric) fabric = build_with(world_of("dual-plane"), 1, 0);
    g_autoptr(TopoRouter) router = router_by(fabric, "ecmp");
    g_autoptr(GArray) links = new_links();
    uint32_t leaves = topo_graph_kind_count(fabric->graph, TOPO_VERTEX_LEAF);
    int first_plane = 0, pairs = 0;
    for (size_t src = 0; src < 16; src++) {
        for (size_t dst = 16; dst < 32; dst++, pairs++) {
            cr_assert(fabs(rate_of_pair(fabric, router, src, dst) - 0.5 * nic_bytes_per_s) < 1.0);
            g_array_set_size(links, 0);
            cr_assert(topo_route_way(router, src, dst, 0, links, NULL));
            uint32_t leaf = topo_graph_link(fabric->graph, g_array_index(links, uint32_t, 2))->to;
            first_plane += topo_graph_vertex(fabric->graph, leaf)->ordinal < leaves / 2;
        }
    }
    cr_expect(first_plane > pairs / 3 && first_plane < pairs * 2 / 3, "%d of %d", first_plane,
              pairs);
}

/* Planes of a route on dual-plane, as bits: those of all leaves that it passes. */
static unsigned planes_of(const TopoFabric *fabric, const GArray *links)
{
    uint32_t leaves = topo_graph_kind_count(fabric->graph, TOPO_VERTEX_LEAF);
    unsigned planes = 0;
    for (guint i = 0; i < links->len; i++) {
        const TopoLink *link = topo_graph_link(fabric->graph, g_array_index(links, uint32_t, i));
        const TopoVertex *to = topo_graph_vertex(fabric->graph, link->to);
        if (to->kind == TOPO_VERTEX_LEAF)
            planes |= to->ordinal < leaves / 2 ? 1u : 2u;
    }
    return planes;
}

/* Planes of the two ways of every pair of different nodes must be @first and @second. */
static void expect_planes(const TopoFabric *fabric, unsigned first, unsigned second)
{
    g_autoptr(TopoRouter) router = router_by(fabric, "ecmp");
    g_autoptr(GArray) links = new_links();
    for (size_t src = 0; src < fabric->gpu_count; src++) {
        for (size_t dst = 0; dst < fabric->gpu_count; dst++) {
            if (src / 4 == dst / 4)
                continue;
            unsigned planes[2];
            for (int64_t way = 0; way < 2; way++) {
                g_array_set_size(links, 0);
                cr_assert(topo_route_way(router, src, dst, way, links, NULL));
                planes[way] = planes_of(fabric, links);
            }
            cr_assert(planes[0] == first && planes[1] == second, "%zu to %zu: %u and %u", src, dst,
                      planes[0], planes[1]);
        }
    }
}

Test(topo_route_ways, two_planes_carry_a_way_each_until_one_is_dead)
{
    g_autoptr(TopoFabric) fabric = build_with(world_of("dual-plane"), 0, 0);
    TopoGraph *graph = fabric->graph;
    expect_planes(fabric, 1, 2);
    uint32_t leaves = topo_graph_kind_count(graph, TOPO_VERTEX_LEAF);
    for (uint32_t leaf = 0; leaf < leaves / 2; leaf++) {
        TopoLinkSpan out = topo_graph_out(graph, topo_graph_find(graph, TOPO_VERTEX_LEAF, leaf));
        for (size_t i = 0; i < out.count; i++)
            topo_graph_set_health(graph, out.ids[i], 0.0, NULL);
    }
    expect_planes(fabric, 2, 2);
    g_autoptr(TopoRouter) router = router_by(fabric, "ecmp");
    cr_expect(fabs(rate_of_pair(fabric, router, 0, 31) - 0.5 * nic_bytes_per_s) < 1.0);
}

Test(topo_route_ways, a_dead_port_leaves_the_other_of_the_pairs_that_use_it_alone)
{
    g_autoptr(TopoFabric) fabric = build_with(world_of("dual-tor"), 0, 0);
    TopoGraph *graph = fabric->graph;
    g_autoptr(TopoRouter) router = router_by(fabric, "rail");
    uint32_t nic = topo_graph_find(graph, TOPO_VERTEX_NIC, 0);
    uint32_t leaf = topo_graph_find(graph, TOPO_VERTEX_LEAF, 0);
    topo_graph_set_health(graph, topo_graph_link_between(graph, nic, leaf), 0.0, NULL);
    cr_expect(fabs(rate_of_pair(fabric, router, 0, 28) - 0.5 * nic_bytes_per_s) < 1.0);
    cr_expect(rate_of_pair(fabric, router, 28, 0) >= nic_bytes_per_s, "the way back is up");
    cr_expect(rate_of_pair(fabric, router, 1, 29) >= nic_bytes_per_s);
}

Test(topo_route_ways, drawn_nvswitches_share_what_a_pair_sends)
{
    g_autoptr(TopoFabric) fabric = build_with(world_of("rail-optimised"), 0, 4);
    g_autoptr(TopoRouter) router = router_by(fabric, "rail");
    cr_expect(topo_route_ways(router, 0, 1) == 4);
    cr_expect(fabs(rate_of_pair(fabric, router, 0, 1) - nvlink_bytes_per_s) < 1.0);
    topo_graph_set_health(fabric->graph, topo_graph_out(fabric->graph, fabric->gpus[0]).ids[2], 0.0,
                          NULL);
    cr_expect(topo_route_ways(router, 0, 1) == 3);
    cr_expect(fabs(rate_of_pair(fabric, router, 0, 1) - 0.75 * nvlink_bytes_per_s) < 1.0);
    cr_expect(topo_route_ways(router, 2, 1) == 4);
}

/* 32 balls in 32 bins leave 11.6 of them empty, with a deviation of 1.5 (Johnson, Kotz 1977). */
Test(topo_route_ways, hashes_spread_the_ways_of_one_port)
{
    TopoCluster cluster = {
        .node = {.gpus = 8, .scale_up_gpus = 1, .nics = 8, .nic_bytes_per_s = nic_bytes_per_s},
        .node_count = 32,
        .gpu_count = 256,
    };
    TopoFabricSpec spec = topo_fabric_spec_default("leaf-spine", &cluster);
    spec.flows_per_pair = 32;
    g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, NULL);
    cr_assert(fabric != NULL);
    g_autoptr(TopoRouter) router = router_by(fabric, "ecmp");
    g_autoptr(GArray) links = new_links();
    for (size_t dst = 200; dst < 232; dst++) {
        g_autoptr(GHashTable) used = g_hash_table_new(NULL, NULL);
        for (int64_t way = 0; way < topo_route_ways(router, 0, dst); way++) {
            g_array_set_size(links, 0);
            cr_assert(topo_route_way(router, 0, dst, way, links, NULL));
            g_hash_table_add(used, GUINT_TO_POINTER(g_array_index(links, uint32_t, 3)));
        }
        guint bins = g_hash_table_size(used);
        cr_expect(bins >= 14 && bins <= 27, "%u of 32 uplinks", bins);
    }
}

Test(topo_route_ways, depend_on_nothing_that_was_asked_before)
{
    for (size_t w = 0; w < G_N_ELEMENTS(worlds); w++) {
        g_autoptr(TopoFabric) fabric = build_with(w, 4, 0);
        g_autoptr(TopoRouter) busy = router_by(fabric, "rail"), fresh = router_by(fabric, "rail");
        g_autoptr(GArray) a = new_links();
        g_autoptr(GArray) b = new_links();
        for (size_t dst = 0; dst < fabric->gpu_count; dst++)
            cr_assert(topo_route_way(busy, dst, 0, 1, a, NULL));
        for (size_t dst = fabric->gpu_count; dst-- > 1;) {
            g_array_set_size(a, 0);
            g_array_set_size(b, 0);
            cr_assert(topo_route_way(busy, 0, dst, 3, a, NULL));
            cr_assert(topo_route_way(fresh, 0, dst, 3, b, NULL));
            cr_expect(a->len == b->len && memcmp(a->data, b->data, a->len * sizeof(uint32_t)) == 0,
                      "%s to %zu", worlds[w].fabric, dst);
        }
    }
}

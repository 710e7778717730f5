/*
 * What every route on every fabric obeys: it hangs together, visits nothing twice, uses no dead
 * link, is no longer than a plain breadth-first search of the whole graph says (where NICs of a
 * node share a leaf), and comes out the same from fresh and used routers. Then the laws of single
 * policies: d-mod-k carries every shift without a collision (Zahavi 2010), hashes spread like fair
 * dice, adaptive routing balances.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "sim_random.h"
#include "topo_route.h"

static const struct {
    const char *fabric;
    int64_t nodes, radix;
    const char *scale_up;
    int64_t domain;
    bool is_railed; /* a neighbour's NIC may be on a shorter way, which only PXN takes */
} worlds[] = {
    {"single-switch",  8,  64, "nvswitch",    4, false},
    {"leaf-spine",     8,  8,  "nvswitch",    4, false},
    {"fat-tree",       16, 8,  "pcie",        4, false},
    {"rail-optimised", 16, 8,  "nvswitch",    4, true },
    {"rail-only",      16, 8,  "nvswitch",    4, true },
    {"dual-tor",       8,  16, "nvlink-mesh", 4, true },
    {"dual-plane",     8,  8,  "nvswitch",    4, true },
    {"nvl72",          8,  16, "nvswitch",    8, true },
    {"dragonfly+",     5,  4,  "nvswitch",    4, false},
    {"torus-2d",       9,  64, "pcie",        4, false},
    {"torus-3d",       16, 64, "pcie",        4, false},
};

static TopoFabric *build(size_t world)
{
    TopoCluster cluster = {
        .node = {.gpus = 4,
                 .scale_up_gpus = worlds[world].domain,
                 .scale_up = worlds[world].scale_up,
                 .scale_up_bytes_per_s = 600e9,
                 .scale_up_latency_s = 1e-6,
                 .nics = 4,
                 .nic_bytes_per_s = 50e9,
                 .nic_latency_s = 1.3e-6,
                 .host_bytes_per_s = 63e9},
        .node_count = worlds[world].nodes,
        .gpu_count = worlds[world].nodes * 4,
    };
    TopoFabricSpec spec = topo_fabric_spec_default(worlds[world].fabric, &cluster);
    spec.radix = worlds[world].radix;
    GError *error = NULL;
    TopoFabric *fabric = topo_fabric_new(&spec, &error);
    cr_assert(fabric != NULL, "%s", error ? error->message : "");
    return fabric;
}

static bool is_sound(const TopoFabric *fabric, const GArray *links, size_t src, size_t dst)
{
    const TopoGraph *graph = fabric->graph;
    g_autofree bool *visited = g_new0(bool, topo_graph_vertex_count(graph));
    uint32_t at = fabric->gpus[src];
    visited[at] = true;
    for (guint i = 0; i < links->len; i++) {
        const TopoLink *link = topo_graph_link(graph, g_array_index(links, uint32_t, i));
        if (link->from != at || visited[link->to] || link->health_fraction <= 0.0)
            return false;
        at = link->to;
        visited[at] = true;
    }
    return at == fabric->gpus[dst];
}

/* Hops from one GPU to all vertices over live links, whoever forwards. */
static int *naive_hops(const TopoFabric *fabric, size_t src)
{
    uint32_t count = topo_graph_vertex_count(fabric->graph), tail = 0;
    int *hops = g_new(int, count);
    g_autofree uint32_t *queue = g_new(uint32_t, count);
    memset(hops, 0xff, sizeof(int) * count);
    hops[fabric->gpus[src]] = 0;
    queue[tail++] = fabric->gpus[src];
    for (uint32_t head = 0; head < tail; head++) {
        TopoLinkSpan out = topo_graph_out(fabric->graph, queue[head]);
        for (size_t i = 0; i < out.count; i++) {
            const TopoLink *link = topo_graph_link(fabric->graph, out.ids[i]);
            if (link->health_fraction <= 0.0 || hops[link->to] >= 0)
                continue;
            hops[link->to] = hops[queue[head]] + 1;
            queue[tail++] = link->to;
        }
    }
    return hops;
}

/* All pairs by all policies; returns how many pairs have no path. With @check_length, no route is
 * longer than the naive search found, PXN by two links at most. */
static size_t check_all_pairs(const TopoFabric *fabric, size_t world, bool check_length)
{
    size_t count, missing = 0;
    const TopoRoutePolicy *policies = topo_route_all(&count);
    g_autoptr(GArray) links = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (size_t p = 0; p < count; p++) {
        g_autoptr(TopoRouter) router = topo_router_new(fabric, &policies[p], 3);
        for (size_t src = 0; src < fabric->gpu_count; src++) {
            g_autofree int *hops = naive_hops(fabric, src);
            for (size_t dst = 0; dst < fabric->gpu_count; dst++) {
                g_array_set_size(links, 0);
                if (!topo_route(router, src, dst, src ^ dst, links, NULL)) {
                    missing++;
                    continue;
                }
                cr_assert(is_sound(fabric, links, src, dst), "%s %s %zu to %zu",
                          worlds[world].fabric, policies[p].name, src, dst);
                int least = hops[fabric->gpus[dst]];
                int slack = policies[p].prefers_rail ? 2 : 0;
                cr_assert(!check_length || (int)links->len <= least + slack,
                          "%s %s %zu to %zu: %u links, %d would do", worlds[world].fabric,
                          policies[p].name, src, dst, links->len, least);
            }
        }
    }
    return missing;
}

Test(topo_route_laws, every_pair_has_a_shortest_path_without_loops)
{
    for (size_t w = 0; w < G_N_ELEMENTS(worlds); w++) {
        g_autoptr(TopoFabric) fabric = build(w);
        cr_expect(check_all_pairs(fabric, w, !worlds[w].is_railed) == 0, "%s", worlds[w].fabric);
    }
}

Test(topo_route_laws, paths_back_are_as_long)
{
    for (size_t w = 0; w < G_N_ELEMENTS(worlds); w++) {
        g_autoptr(TopoFabric) fabric = build(w);
        g_autoptr(TopoRouter) router =
            topo_router_new(fabric, topo_route_by_name("shortest", NULL), 0);
        g_autoptr(GArray) there = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        g_autoptr(GArray) back = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        for (size_t src = 0; src < fabric->gpu_count; src++) {
            for (size_t dst = 0; dst < src; dst++) {
                g_array_set_size(there, 0);
                g_array_set_size(back, 0);
                cr_assert(topo_route(router, src, dst, 0, there, NULL));
                cr_assert(topo_route(router, dst, src, 0, back, NULL));
                cr_expect(there->len == back->len, "%s %zu %zu", worlds[w].fabric, src, dst);
            }
        }
    }
}

Test(topo_route_laws, dead_links_are_never_used_and_routes_depend_on_nothing_else)
{
    for (size_t w = 0; w < G_N_ELEMENTS(worlds); w++) {
        g_autoptr(TopoFabric) fabric = build(w);
        g_autoptr(TopoRouter) old = topo_router_new(fabric, topo_route_by_name("ecmp", NULL), 3);
        SimRandom stream = sim_random_stream(w, "dead-links");
        uint32_t count = topo_graph_link_count(fabric->graph);
        g_autoptr(GArray) a = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        g_autoptr(GArray) b = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        topo_route(old, 0, fabric->gpu_count - 1, 0, a, NULL);
        for (uint32_t i = 0; i < count / 20; i++)
            topo_graph_set_health(fabric->graph, (uint32_t)sim_random_below(&stream, count), 0,
                                  NULL);
        check_all_pairs(fabric, w, false);
        g_autoptr(TopoRouter) fresh = topo_router_new(fabric, topo_route_by_name("ecmp", NULL), 3);
        for (size_t dst = fabric->gpu_count; dst-- > 0;) {
            g_array_set_size(a, 0);
            g_array_set_size(b, 0);
            cr_expect(topo_route(old, 0, dst, 5, a, NULL) == topo_route(fresh, 0, dst, 5, b, NULL));
            cr_expect(a->len == b->len && memcmp(a->data, b->data, a->len * sizeof(uint32_t)) == 0);
        }
    }
}

/* Flows on each link when rank i sends to i + @shift. */
static uint32_t most_flows(const TopoFabric *fabric, const char *policy, size_t shift,
                           const TopoGraph *graph)
{
    g_autofree uint32_t *flows = g_new0(uint32_t, topo_graph_link_count(graph));
    g_autoptr(TopoRouter) router = topo_router_new(fabric, topo_route_by_name(policy, NULL), 1);
    g_autoptr(GArray) links = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint32_t most = 0;
    for (size_t src = 0; src < fabric->gpu_count; src++) {
        g_array_set_size(links, 0);
        cr_assert(topo_route(router, src, (src + shift) % fabric->gpu_count, 0, links, NULL));
        for (guint i = 0; i < links->len; i++) {
            uint32_t id = g_array_index(links, uint32_t, i);
            const TopoLink *link = topo_graph_link(graph, id);
            bool is_network = topo_graph_vertex(graph, link->from)->kind >= TOPO_VERTEX_LEAF &&
                              topo_graph_vertex(graph, link->to)->kind >= TOPO_VERTEX_LEAF;
            flows[id] += is_network;
            most = MAX(most, flows[id]);
        }
    }
    return most;
}

Test(topo_route_laws, d_mod_k_carries_every_shift_without_a_collision_and_hashes_do_not)
{
    TopoCluster cluster = {
        .node = {.gpus = 4, .scale_up_gpus = 1, .nics = 4, .nic_bytes_per_s = 50e9},
        .node_count = 32,
        .gpu_count = 128,
    };
    TopoFabricSpec spec = topo_fabric_spec_default("fat-tree", &cluster);
    spec.radix = 8;
    g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, NULL);
    cr_assert(fabric != NULL);
    uint32_t worst_hash = 0;
    for (size_t shift = 4; shift < 128; shift++) {
        uint32_t most = most_flows(fabric, "d-mod-k", shift, fabric->graph);
        cr_assert(most <= 1, "shift by %zu: %u flows on a link", shift, most);
        worst_hash = MAX(worst_hash, most_flows(fabric, "ecmp", shift, fabric->graph));
    }
    cr_expect(worst_hash >= 3, "128 flows thrown at random collide: %u", worst_hash);
}

/* Chi-square of @flows flows between two ranks over the links out of their leaf. */
static double chi_square(const TopoFabric *fabric, uint64_t seed, size_t flows, size_t choices)
{
    g_autoptr(TopoRouter) router = topo_router_new(fabric, topo_route_by_name("ecmp", NULL), seed);
    g_autoptr(GArray) links = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autofree size_t *hits = g_new0(size_t, topo_graph_link_count(fabric->graph));
    for (uint64_t flow = 0; flow < flows; flow++) {
        g_array_set_size(links, 0);
        cr_assert(topo_route(router, 0, fabric->gpu_count - 1, flow, links, NULL));
        hits[g_array_index(links, uint32_t, 3)]++;
    }
    double want = (double)flows / (double)choices, sum = 0.0;
    size_t used = 0;
    for (uint32_t i = 0; i < topo_graph_link_count(fabric->graph); i++) {
        double off = (double)hits[i] - want;
        sum += hits[i] > 0 ? off * off / want : 0.0;
        used += hits[i] > 0;
    }
    return sum + (double)(choices - used) * want;
}

/* With 32 choices chi-square has 31 degrees of freedom: above 61.1 with probability 0.001. */
Test(topo_route_laws, hashes_spread_like_fair_dice)
{
    TopoCluster cluster = {
        .node = {.gpus = 8, .scale_up_gpus = 1, .nics = 8, .nic_bytes_per_s = 50e9},
        .node_count = 32,
        .gpu_count = 256,
    };
    TopoFabricSpec spec = topo_fabric_spec_default("leaf-spine", &cluster);
    g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, NULL);
    cr_assert(fabric != NULL);
    for (uint64_t seed = 0; seed < 8; seed++) {
        double got = chi_square(fabric, seed, 6400, 32);
        cr_expect(got < 61.1 && got > 8.0, "seed %zu: chi-square %g", (size_t)seed, got);
    }
}

Test(topo_route_laws, adaptive_routing_fills_all_ways_evenly)
{
    TopoCluster cluster = {
        .node = {.gpus = 8, .scale_up_gpus = 1, .nics = 8, .nic_bytes_per_s = 50e9},
        .node_count = 32,
        .gpu_count = 256,
    };
    TopoFabricSpec spec = topo_fabric_spec_default("leaf-spine", &cluster);
    g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, NULL);
    cr_assert(fabric != NULL);
    g_autofree double *load = g_new0(double, topo_graph_link_count(fabric->graph));
    g_autoptr(TopoRouter) router = topo_router_new(fabric, topo_route_by_name("adaptive", NULL), 0);
    topo_router_set_load(router, load);
    g_autoptr(GArray) links = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (uint64_t flow = 0; flow < 64; flow++) {
        g_array_set_size(links, 0);
        cr_assert(topo_route(router, flow % 32, 255 - flow % 32, flow, links, NULL));
        for (guint i = 0; i < links->len; i++)
            load[g_array_index(links, uint32_t, i)] += 1e9;
    }
    for (uint32_t i = 0; i < topo_graph_link_count(fabric->graph); i++) {
        const TopoLink *link = topo_graph_link(fabric->graph, i);
        bool is_up = topo_graph_vertex(fabric->graph, link->from)->kind == TOPO_VERTEX_LEAF &&
                     topo_graph_vertex(fabric->graph, link->to)->kind == TOPO_VERTEX_SPINE;
        cr_expect(!is_up || load[i] < 2.5e9, "link %u carries %g", i, load[i]);
    }
}

/*
 * Changes to a fabric by example: which links a text names, what routes do about them, what a
 * moved rack adds, and faults that overlap, link by link.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "topo_fabric_change.h"
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

/* Eight nodes, two to a rack, a leaf each, four spines. */
static TopoFabric *build(void)
{
    TopoCluster cluster = {.node = node, .node_count = 8, .gpu_count = 32};
    TopoFabricSpec spec = topo_fabric_spec_default("leaf-spine", &cluster);
    spec.radix = 8;
    spec.nodes_per_rack = 2;
    TopoFabric *fabric = topo_fabric_new(&spec, NULL);
    cr_assert(fabric != NULL);
    return fabric;
}

static uint32_t count_unwell(const TopoFabric *fabric)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < topo_graph_link_count(fabric->graph); i++)
        count += topo_graph_link(fabric->graph, i)->health_fraction < 1.0;
    return count;
}

static const struct {
    const char *link;
    bool both_ways;
    uint32_t links;
} names[] = {
    {"leaf/0 -> spine/1",           false, 1 },
    {"leaf/0->spine/1",             false, 1 },
    {"leaf/0 -> spine/1",           true,  2 },
    {"leaf/0..7 -> spine/1",        false, 8 },
    {"leaf/0..7/2 -> spine/0..3/3", true,  16},
    {"nic/0..3 -> leaf/0",          false, 4 },
    {"spine/1",                     false, 16},
    {"nic/5",                       false, 4 },
    {"gpu/0 -> nvswitch/0",         true,  2 },
};

Test(topo_fabric_change, a_text_names_these_links)
{
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(TopoFabric) fabric = build();
        g_autoptr(GError) error = NULL;
        TopoLinkHealth change = {names[i].link, names[i].both_ways, 0.5};
        cr_assert(topo_fabric_set_health(fabric, &change, &error), "%s",
                  error ? error->message : "");
        uint32_t got = count_unwell(fabric);
        cr_expect(got == names[i].links, "%s: %u links", names[i].link, got);
    }
}

Test(topo_fabric_change, what_names_nothing_is_refused)
{
    static const struct {
        TopoLinkHealth change;
        const char *want;
    } wrong[] = {
        {{"leaf/0 -> spine/4", false, 0.0}, "the fabric has no spine/4: 4 of the kind, from 0"},
        {{"leaf/0 -> leaf/1", true, 0.0},   "link 'leaf/0 -> leaf/1': nothing joins these"    },
        {{"core/0", false, 0.0},            "the fabric has no core/0"                        },
        {{"leaf/0 => spine/1", false, 0.0}, "unknown device"                                  },
        {{"leaf/0 -> ", false, 0.0},        "unknown device ''"                               },
        {{"leaf/0 -> spine/1", false, 1.5}, "link health 1.5: must be from 0"                 },
    };
    g_autoptr(TopoFabric) fabric = build();
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        cr_assert(!topo_fabric_set_health(fabric, &wrong[i].change, &error), "case %zu", i);
        cr_expect(strstr(error->message, wrong[i].want) != NULL, "%s", error->message);
    }
    cr_expect(count_unwell(fabric) == 0);
}

static double latency_s(const TopoFabric *fabric, size_t src, size_t dst)
{
    g_autoptr(TopoRouter) router = topo_router_new(fabric, topo_route_by_name("shortest", NULL), 0);
    g_autoptr(GArray) links = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    cr_assert(topo_route(router, src, dst, 0, links, NULL));
    return topo_path_latency_s(fabric->graph, links);
}

Test(topo_fabric_change, a_moved_rack_is_5_ns_a_metre_further_away_at_each_end)
{
    static const struct {
        size_t src, dst;
        double metres;
    } sends[] = {
        {0,  5,  200.0}, /* both in rack 0: out to the leaf, and back in */
        {0,  31, 100.0},
        {31, 0,  100.0},
        {12, 31, 0.0  },
        {0,  1,  0.0  },
    };
    g_autoptr(TopoFabric) there = build(), moved = build();
    const TopoRackMove move = {0, 100.0};
    cr_assert(topo_fabric_move_rack(moved, &move, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(sends); i++) {
        double more_s = latency_s(moved, sends[i].src, sends[i].dst) -
                        latency_s(there, sends[i].src, sends[i].dst);
        cr_expect(fabs(more_s - 5e-9 * sends[i].metres) < 1e-15, "%zu to %zu: %g s more",
                  sends[i].src, sends[i].dst, more_s);
    }
    g_autoptr(GError) error = NULL;
    const TopoRackMove nowhere = {4, 100.0};
    cr_expect(!topo_fabric_move_rack(moved, &nowhere, &error));
    cr_expect_str_eq(error->message, "rack 4: the racks are 0 to 3 (nodes_per_rack)");
}

Test(topo_fabric_change, routes_avoid_what_is_dead_from_the_start)
{
    g_autoptr(TopoFabric) fabric = build();
    const TopoLinkHealth health[] = {
        {"leaf/0..7 -> spine/0..2", true, 0.0}
    };
    const TopoFabricChanges changes = {.health = health, .health_count = 1};
    cr_assert(topo_fabric_apply(fabric, &changes, NULL));
    g_autoptr(TopoRouter) router = topo_router_new(fabric, topo_route_by_name("ecmp", NULL), 5);
    uint32_t spine = topo_graph_find(fabric->graph, TOPO_VERTEX_SPINE, 3);
    g_autoptr(GArray) links = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (size_t dst = 4; dst < 32; dst++) {
        g_array_set_size(links, 0);
        cr_assert(topo_route_way(router, 0, dst, 0, links, NULL));
        cr_expect(topo_graph_link(fabric->graph, g_array_index(links, uint32_t, 3))->to == spine);
    }
}

Test(topo_fabric_change, of_faults_that_overlap_the_worst_holds)
{
    static const TopoLinkHealth health[] = {
        {"leaf/1 -> spine/0", false, 0.8}
    };
    static const TopoLinkFault faults[] = {
        {"leaf/0 -> spine/0", false, 0.5, 1e-3, 4e-3    },
        {"leaf/0 -> spine/0", false, 0.0, 2e-3, 3e-3    },
        {"leaf/1 -> spine/0", false, 0.9, 2e-3, INFINITY},
        {"leaf/0 -> spine/0", false, 0.7, 3e-3, 5e-3    },
    };
    static const struct {
        SimTime at;
        uint32_t leaf;
        double health;
    } want[] = {
        {1000000, 0, 0.5},
        {2000000, 0, 0.0},
        {2000000, 1, 0.8},
        {3000000, 0, 0.5},
        {3000000, 0, 0.5},
        {4000000, 0, 0.7},
        {5000000, 0, 1.0},
    };
    const TopoFabricChanges changes = {health, 1, NULL, 0, faults, G_N_ELEMENTS(faults)};
    g_autoptr(TopoFabric) fabric = build();
    cr_assert(topo_fabric_apply(fabric, &changes, NULL));
    g_autoptr(GArray) got = topo_fabric_link_changes(fabric, &changes, NULL);
    cr_assert(got && got->len == G_N_ELEMENTS(want));
    for (guint i = 0; i < got->len; i++) {
        const TopoLinkChange *change = &g_array_index(got, TopoLinkChange, i);
        const TopoLink *link = topo_graph_link(fabric->graph, change->link);
        cr_expect(change->at == want[i].at, "change %u", i);
        cr_expect(topo_graph_vertex(fabric->graph, link->from)->ordinal == want[i].leaf);
        cr_expect(fabs(change->health_fraction - want[i].health) < 1e-12, "change %u: %g", i,
                  change->health_fraction);
    }
}

Test(topo_fabric_change, faults_that_make_no_sense_are_refused)
{
    static const struct {
        TopoLinkFault fault;
        const char *want;
    } wrong[] = {
        {{"leaf/0 -> spine/0", false, 0.0, 1e-3, INFINITY}, "and never comes back"              },
        {{"leaf/0 -> spine/0", false, 0.5, 2e-3, 2e-3},     "from 0.002 s to 0.002 s does not"  },
        {{"leaf/0 -> spine/0", false, 0.5, -1.0, 2e-3},     "from -1 s to 0.002 s does not last"},
        {{"leaf/0 -> spine/9", false, 0.5, 0.0, 2e-3},      "the fabric has no spine/9"         },
        {{"leaf/0 -> spine/0", false, -0.5, 0.0, 2e-3},     "link health -0.5"                  },
    };
    g_autoptr(TopoFabric) fabric = build();
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL, again = NULL;
        const TopoFabricChanges changes = {.faults = &wrong[i].fault, .fault_count = 1};
        cr_assert(!topo_fabric_check_fault(fabric, &wrong[i].fault, &error), "case %zu", i);
        cr_expect(strstr(error->message, wrong[i].want) != NULL, "%s", error->message);
        cr_expect(!topo_fabric_link_changes(fabric, &changes, &again));
        cr_expect_str_eq(again->message, error->message);
    }
}

/*
 * The fluid network against SimGrid, on the same flows over the same links.
 *
 * Alone, a flow takes its latency and its bytes over the narrowest link in both, so they agree to
 * rounding: the fluid network counts whole ns. Under contention both are max-min fair, but SimGrid
 * divides a full link in inverse proportion to the latencies of the routes, as TCP does by round
 * trip, and the fluid network in equal parts, as fabrics with credits and fair arbitration do. Both
 * fill the link, so the last flow through it ends at the same time; flows over longer routes end
 * later in SimGrid, flows over shorter ones sooner. Every pattern is therefore compared twice: as
 * the simulator shares (within the bounds of the table), and with the fluid network sharing by
 * latency, which must explain all that is left.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim_random.h"
#include "simgrid_referee.h"

enum {
    NODE_GPUS = 4,
};

/* Where a pattern runs. */
typedef struct World {
    const char *fabric;
    int64_t nodes, radix;
    double oversubscription; /* of leaves */
    const char *scale_up;
    const char *policy;
} World;

/* Relative differences of mean and last completion, and the largest of a single flow. */
typedef struct Gap {
    double mean, last, worst;
} Gap;

static TopoFabric *build(const World *world)
{
    TopoCluster cluster = {
        .node = {.gpus = NODE_GPUS,
                 .scale_up_gpus = NODE_GPUS,
                 .scale_up = world->scale_up,
                 .scale_up_bytes_per_s = 600e9,
                 .scale_up_latency_s = 1e-6,
                 .nics = NODE_GPUS,
                 .nic_bytes_per_s = 50e9,
                 .nic_latency_s = 1.3e-6,
                 .host_bytes_per_s = 63e9},
        .node_count = world->nodes,
        .gpu_count = world->nodes * NODE_GPUS,
    };
    TopoFabricSpec spec = topo_fabric_spec_default(world->fabric, &cluster);
    spec.radix = world->radix;
    spec.leaf_oversubscription = world->oversubscription;
    GError *error = NULL;
    TopoFabric *fabric = topo_fabric_new(&spec, &error);
    cr_assert(fabric != NULL, "%s: %s", world->fabric, error ? error->message : "");
    return fabric;
}

static double *referee(const RouteFlows *flows)
{
    g_autoptr(GError) error = NULL;
    double *ends_s = simgrid_referee_ends_s(flows, NULL, &error);
    cr_assert(ends_s != NULL, "%s", error ? error->message : "");
    return ends_s;
}

static double relative(double got, double want)
{
    return fabs(got - want) / want;
}

/* Times are counted from the start of each flow, the last from the start of all. */
static Gap compare(const RouteFlows *flows, const double *got_s, const double *want_s)
{
    Gap gap = {0};
    double got_mean = 0.0, want_mean = 0.0, got_last = 0.0, want_last = 0.0;
    for (guint i = 0; i < flows->flows->len; i++) {
        double start_s = route_flows_at(flows, i)->start_s;
        got_mean += got_s[i] - start_s;
        want_mean += want_s[i] - start_s;
        got_last = fmax(got_last, got_s[i]);
        want_last = fmax(want_last, want_s[i]);
        gap.worst = fmax(gap.worst, relative(got_s[i] - start_s, want_s[i] - start_s));
    }
    gap.mean = relative(got_mean, want_mean);
    gap.last = relative(got_last, want_last);
    return gap;
}

static const World lonely[] = {
    {"single-switch",  8,  64, 1.0, "nvswitch", "shortest"},
    {"leaf-spine",     8,  8,  1.0, "nvswitch", "ecmp"    },
    {"fat-tree",       16, 8,  1.0, "nvswitch", "d-mod-k" },
    {"rail-optimised", 16, 8,  1.0, "nvswitch", "rail"    },
    {"dragonfly+",     5,  4,  1.0, "nvswitch", "shortest"},
    {"torus-3d",       16, 64, 1.0, "pcie",     "shortest"},
};

/* One after the other, so that nothing is shared: near, in the next node, far. */
Test(simgrid_fluid, a_flow_alone_takes_as_long_in_both)
{
    static const double sizes[] = {64e3, 256e3, 1e6, 16e6, 1e9};
    for (size_t i = 0; i < G_N_ELEMENTS(lonely); i++) {
        g_autoptr(TopoFabric) fabric = build(&lonely[i]);
        g_autoptr(RouteFlows) flows = route_flows_new(fabric, lonely[i].policy);
        size_t to[] = {1, 5, fabric->gpu_count / 2 + 2, fabric->gpu_count - 1};
        double start_s = 0.0;
        for (size_t k = 0; k < G_N_ELEMENTS(sizes) * G_N_ELEMENTS(to); k++, start_s += 0.25)
            route_flows_add(flows, 0, to[k % G_N_ELEMENTS(to)], sizes[k / G_N_ELEMENTS(to)],
                            start_s);
        g_autofree double *fluid_s = route_flows_fluid_ends_s(flows, ROUTE_SHARING_EQUAL, NULL);
        g_autofree double *simgrid_s = referee(flows);
        for (guint k = 0; k < flows->flows->len; k++) {
            const RouteFlow *flow = route_flows_at(flows, k);
            double fluid = fluid_s[k] - flow->start_s, simgrid = simgrid_s[k] - flow->start_s;
            cr_expect(relative(fluid, simgrid) < (flow->bytes >= 1e6 ? 0.01 : 0.05),
                      "%s, %g bytes over %u links: fluid %g s, SimGrid %g s", lonely[i].fabric,
                      flow->bytes, flow->count, fluid, simgrid);
        }
        Gap gap = compare(flows, fluid_s, simgrid_s);
        cr_log_info("%s alone: worst %g", lonely[i].fabric, gap.worst);
    }
}

/* Every rank to the one half the cluster away, with sizes and starts that differ. */
static void add_permutation(RouteFlows *flows, size_t gpus)
{
    SimRandom draws = sim_random_stream(3, "simgrid/permutation");
    for (size_t i = 0; i < gpus; i++) {
        double bytes = 1e6 * (double)(8 + sim_random_below(&draws, 25));
        double start_s = 1e-6 * (double)sim_random_below(&draws, 200);
        route_flows_add(flows, i, (i + gpus / 2) % gpus, bytes, start_s);
    }
}

/* Sixteen ranks from all over to the first, at once. */
static void add_incast(RouteFlows *flows, size_t gpus)
{
    for (size_t i = 0; i < 16; i++)
        route_flows_add(flows, gpus - 1 - i * (gpus - NODE_GPUS) / 16, 0, 16e6, 0.0);
}

/* Two flows a rank, to leaves one and three away; the hash puts some of them on one uplink. */
static void add_collisions(RouteFlows *flows, size_t gpus)
{
    for (size_t i = 0; i < gpus; i++) {
        route_flows_add(flows, i, (i + NODE_GPUS) % gpus, 16e6, 0.0);
        route_flows_add(flows, i, (i + 3 * NODE_GPUS) % gpus, 24e6, 0.0);
    }
}

/* Even nodes are one job, which sends long messages, odd nodes another, which begins later and
 * sends short ones, four in a row. */
static void add_two_jobs(RouteFlows *flows, size_t gpus)
{
    for (size_t i = 0; i < gpus; i++) {
        size_t to = (i + 6 * NODE_GPUS) % gpus;
        if (i / NODE_GPUS % 2 == 0) {
            route_flows_add(flows, i, to, 64e6 + 1e5 * (double)i, 0.0);
            continue;
        }
        for (int n = 0; n < 4; n++)
            route_flows_add(flows, i, to, 4e6 + 1e4 * (double)i, 1e-3 + 0.5e-3 * n);
    }
}

static void add_all_to_all(RouteFlows *flows, size_t gpus)
{
    for (size_t i = 0; i < gpus; i++) {
        for (size_t shift = 1; shift < gpus; shift++)
            route_flows_add(flows, i, (i + shift) % gpus, 4e6, 0.0);
    }
}

/* Routes of unequal latency meet in three of them, and there SimGrid prefers the short ones.
 * Incast on the fat-tree: three of 16 senders are in the receiver's pod, at 1.7 us instead of 3 us;
 * they get 1.8 times the rate of the others and end after 65 % of the time, so the mean is 7 %
 * less. Collisions: flows that stay on a leaf overtake those that share their NIC and go over a
 * spine. Torus: neighbours at one hop overtake routes of up to four, link after link, so that the
 * mean moves by 23 %. In all of them the last flow ends at the same time. */
static const struct {
    const char *name;
    World world;
    void (*add)(RouteFlows *flows, size_t gpus);
    double mean; /* bound of the gap, sharing equally */
} patterns[] = {
    {"permutation", {"leaf-spine", 16, 12, 2.0, "nvswitch", "ecmp"},    add_permutation, 0.001},
    {"incast",      {"single-switch", 16, 64, 1.0, "nvswitch", "ecmp"}, add_incast,      0.001},
    {"two depths",  {"fat-tree", 16, 8, 1.0, "nvswitch", "ecmp"},       add_incast,      0.08 },
    {"collisions",  {"leaf-spine", 16, 16, 1.0, "nvswitch", "ecmp"},    add_collisions,  0.05 },
    {"two jobs",    {"leaf-spine", 16, 10, 4.0, "nvswitch", "d-mod-k"}, add_two_jobs,    0.001},
    {"all-to-all",  {"torus-3d", 4, 64, 1.0, "pcie", "shortest"},       add_all_to_all,  0.25 },
};

/* How much longer the flows take than each alone on its links: 1 means that nothing was shared. */
static double slowdown(const RouteFlows *flows, const double *ends_s)
{
    double together = 0.0, alone = 0.0;
    for (guint i = 0; i < flows->flows->len; i++) {
        const RouteFlow *flow = route_flows_at(flows, i);
        double rate = INFINITY;
        for (uint32_t k = flow->first; k < flow->first + flow->count; k++) {
            uint32_t link = g_array_index(flows->links, uint32_t, k);
            rate = fmin(rate, topo_link_rate_bytes_per_s(topo_graph_link(flows->graph, link)));
        }
        together += ends_s[i] - flow->start_s;
        alone += route_flows_latency_s(flows, i) + flow->bytes / rate;
    }
    return together / alone;
}

static void compare_pattern(size_t i)
{
    const char *name = patterns[i].name;
    g_autoptr(TopoFabric) fabric = build(&patterns[i].world);
    g_autoptr(RouteFlows) flows = route_flows_new(fabric, patterns[i].world.policy);
    patterns[i].add(flows, fabric->gpu_count);
    cr_assert(flows->flows->len <= 300);
    g_autofree double *simgrid_s = referee(flows);
    g_autofree double *equal_s = route_flows_fluid_ends_s(flows, ROUTE_SHARING_EQUAL, NULL);
    g_autofree double *by_latency_s =
        route_flows_fluid_ends_s(flows, ROUTE_SHARING_BY_ROUND_TRIP, NULL);
    double slower = slowdown(flows, simgrid_s);
    Gap equal = compare(flows, equal_s, simgrid_s);
    Gap by_latency = compare(flows, by_latency_s, simgrid_s);
    cr_log_info("%s, %u flows, %.2f times as long as alone: mean %.2g, last %.2g, worst %.2g; "
                "shared by latency, worst %.2g",
                name, flows->flows->len, slower, equal.mean, equal.last, equal.worst,
                by_latency.worst);
    cr_expect(slower > 1.5, "%s: hardly contended, %g", name, slower);
    cr_expect(equal.mean < patterns[i].mean, "%s: mean off by %g", name, equal.mean);
    cr_expect(equal.last < 0.001, "%s: last off by %g", name, equal.last);
    cr_expect(by_latency.worst < 1e-4, "%s: sharing by latency leaves %g", name, by_latency.worst);
}

Test(simgrid_fluid, flows_that_share_links_end_together)
{
    for (size_t i = 0; i < G_N_ELEMENTS(patterns); i++)
        compare_pattern(i);
}

/* SimGrid sees the true link, the fluid network one of half its rate: the comparison must fail, or
 * it would prove nothing. */
Test(simgrid_fluid, a_wrong_capacity_is_caught)
{
    g_autoptr(TopoFabric) fabric = build(&patterns[0].world);
    g_autoptr(RouteFlows) flows = route_flows_new(fabric, patterns[0].world.policy);
    patterns[0].add(flows, fabric->gpu_count);
    g_autofree double *simgrid_s = referee(flows);
    uint32_t up = TOPO_NONE;
    for (uint32_t k = 0; k < route_flows_at(flows, 0)->count; k++) {
        uint32_t link = g_array_index(flows->links, uint32_t, k);
        uint32_t to = topo_graph_link(fabric->graph, link)->to;
        if (topo_graph_vertex(fabric->graph, to)->kind == TOPO_VERTEX_SPINE)
            up = link;
    }
    cr_assert(up != TOPO_NONE && topo_graph_set_health(fabric->graph, up, 0.5, NULL));
    g_autofree double *fluid_s = route_flows_fluid_ends_s(flows, ROUTE_SHARING_EQUAL, NULL);
    Gap gap = compare(flows, fluid_s, simgrid_s);
    cr_log_info("one uplink of half its rate: mean %g, last %g, worst %g", gap.mean, gap.last,
                gap.worst);
    cr_expect(gap.mean > 10.0 * patterns[0].mean, "mean off by %g only", gap.mean);
    cr_expect(gap.last > 0.05 || gap.worst > 0.5, "a flow over it takes twice as long: %g",
              gap.worst);
}

/* A link that is down cannot be told to SimGrid; the child process that tries dies. */
Test(simgrid_fluid, a_referee_that_dies_is_an_error)
{
    g_autoptr(TopoFabric) fabric = build(&lonely[0]);
    g_autoptr(RouteFlows) flows = route_flows_new(fabric, lonely[0].policy);
    route_flows_add(flows, 0, 5, 1e6, 0.0);
    uint32_t link = g_array_index(flows->links, uint32_t, 0);
    cr_assert(topo_graph_set_health(fabric->graph, link, 0.0, NULL));
    g_autoptr(GError) error = NULL;
    g_autofree double *ends_s = simgrid_referee_ends_s(flows, NULL, &error);
    cr_assert(ends_s == NULL && error != NULL);
    cr_expect(g_error_matches(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED), "%s", error->message);
    cr_expect(strstr(error->message, "died") != NULL, "%s", error->message);
    cr_expect(strstr(error->message, "rate") != NULL, "its last words: %s", error->message);
}

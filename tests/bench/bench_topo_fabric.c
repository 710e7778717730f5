/*
 * Fabrics at full size: seconds to build, routes a second between random ranks by every policy, and
 * the most memory that the process has held. Issue 3 wants 100,000 GPUs built and 100,000 routes
 * found under 5 s and 4 GB, and 28,000 routes a second on 16,384 GPUs. Prints a line each and fails
 * only over 4 GB, which no machine changes. With --quick, a tenth of the GPUs and routes.
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "sim_random.h"
#include "topo_route.h"

/* DGX H100: topology/catalog/nodes.yaml. */
static const TopoNode node = {
    .gpus = 8,
    .scale_up_gpus = 8,
    .scale_up = "nvswitch",
    .scale_up_bytes_per_s = 450e9,
    .scale_up_latency_s = 1e-6,
    .nics = 8,
    .nic_bytes_per_s = 50e9,
    .nic_latency_s = 1.3e-6,
    .host_bytes_per_s = 63e9,
};

static const struct {
    const char *fabric;
    int64_t gpus, radix;
    size_t routes;
} cases[] = {
    {"rail-optimised", 16384,  64,  100000},
    {"fat-tree",       100000, 128, 100000},
    {"rail-optimised", 100000, 128, 100000},
    {"dual-plane",     100000, 128, 100000},
    {"dragonfly+",     100000, 64,  100000},
    {"torus-3d",       4096,   64,  100000},
};

static double since_s(int64_t began_us)
{
    return (double)(g_get_monotonic_time() - began_us) * 1e-6;
}

static double peak_bytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024.0;
}

/* Routes @count random pairs by @policy; returns the seconds, without the router's own start. */
static double route(const TopoFabric *fabric, const TopoRoutePolicy *policy, size_t count,
                    double *ret_start_s)
{
    int64_t began_us = g_get_monotonic_time();
    g_autoptr(TopoRouter) router = topo_router_new(fabric, policy, 1);
    *ret_start_s = since_s(began_us);
    g_autoptr(GArray) links = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    SimRandom stream = sim_random_stream(1, "bench/routes");
    size_t hops = 0;
    began_us = g_get_monotonic_time();
    for (size_t i = 0; i < count; i++) {
        size_t src = sim_random_below(&stream, fabric->gpu_count);
        size_t dst = sim_random_below(&stream, fabric->gpu_count);
        g_array_set_size(links, 0);
        if (!topo_route(router, src, dst, i, links, NULL))
            g_error("no path from %zu to %zu", src, dst);
        hops += links->len;
    }
    double spent_s = since_s(began_us);
    printf("  %-9s %5.2f s for %zu routes of %.1f links: %8.0f routes/s\n", policy->name, spent_s,
           count, (double)hops / (double)count, (double)count / spent_s);
    return spent_s;
}

static void measure(size_t index, int64_t shrink)
{
    TopoCluster cluster = {.node = node, .gpu_count = cases[index].gpus / shrink / 8 * 8};
    cluster.node_count = cluster.gpu_count / node.gpus;
    TopoFabricSpec spec = topo_fabric_spec_default(cases[index].fabric, &cluster);
    spec.radix = cases[index].radix;
    GError *error = NULL;
    int64_t began_us = g_get_monotonic_time();
    g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, &error);
    if (!fabric)
        g_error("%s", error->message);
    double built_s = since_s(began_us);
    printf("%s, %zu GPUs: %u vertices, %u links, built in %.2f s\n", cases[index].fabric,
           fabric->gpu_count, topo_graph_vertex_count(fabric->graph),
           topo_graph_link_count(fabric->graph), built_s);
    size_t count;
    const TopoRoutePolicy *policies = topo_route_all(&count);
    double slowest_s = 0.0, start_s = 0.0;
    for (size_t i = 0; i < count; i++) {
        double spent_s =
            route(fabric, &policies[i], cases[index].routes / (size_t)shrink, &start_s);
        slowest_s = MAX(slowest_s, spent_s);
    }
    printf("  built, router started (%.2f s) and routed by the slowest: %.2f s; peak %.2f GB\n",
           start_s, built_s + start_s + slowest_s, peak_bytes() * 1e-9);
}

int main(int argc, char **argv)
{
    int64_t shrink = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 10 : 1;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        measure(i, shrink);
    return peak_bytes() > 4e9;
}

/*
 * How fast the fluid network and SimGrid carry the same contended traffic.
 *
 * Patterns: every GPU of a leaf-spine fabric with a part of the capacity above its leaves sends
 * messages to the GPU half the cluster away, hashed over the spines, with sizes and starts that
 * differ, so that shares change with every begin and end. Prints flows a second of both and their
 * ratio: of the simulation alone, and from the routed flows to their ends, which adds the making of
 * the program here, the child process, the platform file and its loading there. Then how far the
 * mean completion is apart.
 *
 * Steps: shipped scenarios as `orrery run --network` takes them, from the scenario to the result.
 *
 * Fails only if SimGrid does. With --quick, an eighth of the flows and no steps.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scen_load.h"
#include "scen_simulate.h"
#include "sim_random.h"
#include "simgrid_referee.h"

enum {
    NODE_GPUS = 4,
    ROUNDS = 4, /* the fastest counts */
};

/* How many messages each GPU sends over which fabric. */
typedef struct Pattern {
    const char *name;
    double oversubscription; /* of the leaves */
    int64_t messages;
} Pattern;

static const Pattern patterns[] = {
    {"2:1 leaf-spine",                     2.0, 1},
    {"4:1 leaf-spine",                     4.0, 1},
    {"4:1 leaf-spine, two messages a GPU", 4.0, 2},
};

static const char *const steps[] = {"quickstart", "training/llama-3-8b-two-leaves",
                                    "training/two-jobs-one-spine"};

static TopoFabric *build(int64_t flows, double oversubscription)
{
    TopoCluster cluster = {
        .node = {.gpus = NODE_GPUS,
                 .scale_up_gpus = NODE_GPUS,
                 .scale_up = "nvswitch",
                 .scale_up_bytes_per_s = 600e9,
                 .scale_up_latency_s = 1e-6,
                 .nics = NODE_GPUS,
                 .nic_bytes_per_s = 50e9,
                 .nic_latency_s = 1.3e-6,
                 .host_bytes_per_s = 63e9},
        .node_count = flows / NODE_GPUS,
        .gpu_count = flows,
    };
    TopoFabricSpec spec = topo_fabric_spec_default("leaf-spine", &cluster);
    spec.radix = 48;
    spec.leaf_oversubscription = oversubscription;
    GError *error = NULL;
    TopoFabric *fabric = topo_fabric_new(&spec, &error);
    if (fabric == NULL)
        g_error("bench: %s", error->message);
    return fabric;
}

static void add_flows(RouteFlows *flows, size_t gpus, int64_t messages)
{
    SimRandom draws = sim_random_stream(1, "bench/simgrid");
    for (size_t i = 0; i < gpus * (size_t)messages; i++) {
        double bytes = 1e6 * (double)(8 + sim_random_below(&draws, 25));
        double start_s = 1e-6 * (double)sim_random_below(&draws, 1000);
        route_flows_add(flows, i % gpus, (i + gpus / 2) % gpus, bytes, start_s);
    }
}

static double mean_s(const RouteFlows *flows, const double *ends_s)
{
    double sum_s = 0.0;
    for (guint i = 0; i < flows->flows->len; i++)
        sum_s += ends_s[i] - route_flows_at(flows, i)->start_s;
    return sum_s / flows->flows->len;
}

/* The least of the seconds that a model took. */
typedef struct Took {
    double run_s;   /* of the simulation alone */
    double whole_s; /* from the routed flows to their ends */
} Took;

static double seconds_since(int64_t began_us)
{
    return (double)(g_get_monotonic_time() - began_us) * 1e-6;
}

static double *ask_fluid(const RouteFlows *flows, Took *took)
{
    double run_s = 0.0;
    int64_t began_us = g_get_monotonic_time();
    double *ends_s = route_flows_fluid_ends_s(flows, ROUTE_SHARING_EQUAL, &run_s);
    *took = (Took){fmin(took->run_s, run_s), fmin(took->whole_s, seconds_since(began_us))};
    return ends_s;
}

static double *ask_simgrid(const RouteFlows *flows, Took *took)
{
    double run_s = 0.0;
    g_autoptr(GError) error = NULL;
    int64_t began_us = g_get_monotonic_time();
    double *ends_s = simgrid_referee_ends_s(flows, &run_s, &error);
    if (ends_s == NULL)
        g_error("bench: %s", error->message);
    *took = (Took){fmin(took->run_s, run_s), fmin(took->whole_s, seconds_since(began_us))};
    return ends_s;
}

static void compare(const Pattern *pattern, bool is_quick)
{
    g_autoptr(TopoFabric) fabric = build(is_quick ? 128 : 1024, pattern->oversubscription);
    g_autoptr(RouteFlows) flows = route_flows_new(fabric, "ecmp");
    add_flows(flows, fabric->gpu_count, pattern->messages);
    Took fluid = {INFINITY, INFINITY}, simgrid = {INFINITY, INFINITY};
    double apart = 0.0;
    for (int i = 0; i < ROUNDS; i++) {
        g_autofree double *fluid_s = ask_fluid(flows, &fluid);
        g_autofree double *simgrid_s = ask_simgrid(flows, &simgrid);
        apart = mean_s(flows, fluid_s) / mean_s(flows, simgrid_s) - 1.0;
    }
    guint count = flows->flows->len;
    printf("%s, %u flows: topo_fluid %.0f flows/s, SimGrid %.0f flows/s, ratio %.1f; "
           "with set-up %.0f and %.0f, ratio %.1f; mean completion apart by %.2g\n",
           pattern->name, count, count / fluid.run_s, count / simgrid.run_s,
           simgrid.run_s / fluid.run_s, count / fluid.whole_s, count / simgrid.whole_s,
           simgrid.whole_s / fluid.whole_s, apart);
}

/* Seconds on the wall, the least of several, from @scenario to its result on @network; the step
 * into @step_s. */
static double run_step(ScenScenario *scenario, const char *network, double *step_s)
{
    double least = INFINITY;
    scenario->network = network;
    for (int i = 0; i < ROUNDS; i++) {
        g_autoptr(GError) error = NULL;
        int64_t began_us = g_get_monotonic_time();
        g_autoptr(StratTrainResult) result = scen_simulate(scenario, &error);
        if (result == NULL)
            g_error("bench: %s: %s", network, error->message);
        least = fmin(least, seconds_since(began_us));
        *step_s = sim_time_to_seconds(result->step_ns);
    }
    return least;
}

static void compare_step(const char *name)
{
    g_autofree char *path = g_strdup_printf("%s/scenarios/%s.yaml", TEST_SOURCE_DIR, name);
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenScenario) scenario = scen_scenario_load(path, NULL, &error);
    if (scenario == NULL)
        g_error("bench: %s", error->message);
    double fluid_step_s, simgrid_step_s;
    double fluid_s = run_step(scenario, "fluid", &fluid_step_s);
    double simgrid_s = run_step(scenario, "simgrid", &simgrid_step_s);
    printf("step of %s: topo_fluid %.1f ms, SimGrid %.1f ms, ratio %.1f; steps apart by %.2g\n",
           name, fluid_s * 1e3, simgrid_s * 1e3, simgrid_s / fluid_s,
           fluid_step_s / simgrid_step_s - 1.0);
}

int main(int argc, char **argv)
{
    bool is_quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    for (size_t i = 0; i < G_N_ELEMENTS(patterns); i++)
        compare(&patterns[i], is_quick);
    for (size_t i = 0; i < G_N_ELEMENTS(steps) && !is_quick; i++)
        compare_step(steps[i]);
    return 0;
}

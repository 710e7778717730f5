/*
 * Transfers alone on every fabric, by three models: closed forms on the fabric, the fluid network,
 * SimGrid. One after another, so nothing is shared but by the edges of one transfer: sends to a
 * neighbour, to the next node and far away, and collectives of many GPUs. All three read the same
 * routes and prices; what is compared is what they make of them.
 *
 * From 1 MB they must agree within a hundredth, from 64 kB within a twentieth. Three rows get a
 * twentieth for all of their collectives, because these are in their own way: hashed spines on
 * which edges of one ring collide, rows of a torus, a thin cable between leaves. There the edges
 * share full links, in SimGrid by latency, and the one that comes off worst ends later.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "topo_simgrid.h"
#include "toy_world.h"

enum {
    NODE_GPUS = 4,
    MOST = 20, /* transfers */
};

/* Where they run; nodes hold four GPUs. */
static const struct {
    const char *fabric;
    int64_t nodes, radix;
    const char *scale_up;
    int64_t domain;
    const char *policy;
    double collective; /* bound from 1 MB */
} worlds[] = {
    {"single-switch",  8,  64, "nvswitch",    4, "shortest", 0.01},
    {"leaf-spine",     8,  8,  "nvswitch",    4, "ecmp",     0.05},
    {"fat-tree",       16, 8,  "pcie",        4, "d-mod-k",  0.01},
    {"rail-optimised", 16, 8,  "nvswitch",    4, "rail",     0.01},
    {"rail-only",      16, 16, "nvswitch",    4, "rail",     0.01},
    {"dual-tor",       8,  16, "nvlink-mesh", 4, "ecmp",     0.01},
    {"dual-plane",     8,  8,  "nvswitch",    4, "ecmp",     0.01},
    {"nvl72",          8,  16, "nvswitch",    8, "ecmp",     0.01},
    {"dragonfly+",     5,  4,  "nvswitch",    4, "shortest", 0.01},
    {"torus-2d",       9,  64, "pcie",        4, "shortest", 0.05},
    {"torus-3d",       16, 64, "pcie",        4, "shortest", 0.01},
    {"custom",         2,  64, "nvswitch",    4, "shortest", 0.05},
};

/* Two nodes, two rails, and a cable of half the rate between the leaves. */
/* clang-format off */
static const TopoFabricLink wires[] = {
    {.from = "nic/0..1", .to = "leaf/0..1", .bytes_per_s = 50e9, .latency_s = 1e-6, .health_fraction = 1.0},
    {.from = "nic/4..5", .to = "leaf/0..1", .bytes_per_s = 50e9, .latency_s = 1e-6, .health_fraction = 1.0},
    {.from = "leaf/0", .to = "leaf/1", .bytes_per_s = 25e9, .latency_s = 0.5e-6, .health_fraction = 1.0},
};
/* clang-format on */

/* One fabric with its transfers. */
typedef struct Lonely {
    TopoCluster cluster;
    TopoFabric *fabric;
    TopoRouter *router;
    TopoTransfer transfers[MOST];
    TopoRanks groups[MOST];
    uint32_t group_ends[MOST];
    TopoTrafficSpec spec;
    SimProgram *p;
} Lonely;

static void lonely_init(Lonely *l, size_t world)
{
    *l = (Lonely){.p = sim_program_new()};
    l->cluster = (TopoCluster){
        .node = {.gpus = NODE_GPUS,
                 .scale_up_gpus = worlds[world].domain,
                 .scale_up = worlds[world].scale_up,
                 .scale_up_bytes_per_s = 600e9,
                 .scale_up_latency_s = 1e-6,
                 .nics = NODE_GPUS,
                 .nic_bytes_per_s = 50e9,
                 .nic_latency_s = 1.3e-6,
                 .host_bytes_per_s = 63e9,
                 .scale_up_protocols = toy_wires(0.8, 7e-6, 0.6e-6),
                 .scale_out_protocols = toy_wires(0.9, 19e-6, 3.1e-6)},
        .node_count = worlds[world].nodes,
        .gpu_count = worlds[world].nodes * NODE_GPUS,
    };
    TopoFabricSpec spec = topo_fabric_spec_default(worlds[world].fabric, &l->cluster);
    spec.radix = worlds[world].radix;
    spec.links = wires;
    spec.link_count = G_N_ELEMENTS(wires);
    g_autoptr(GError) error = NULL;
    l->fabric = topo_fabric_new(&spec, &error);
    cr_assert(l->fabric != NULL, "%s: %s", worlds[world].fabric, error ? error->message : "");
    l->router = topo_router_new(l->fabric, topo_route_by_name(worlds[world].policy, NULL), 7);
    l->spec = (TopoTrafficSpec){
        .cluster = &l->cluster,
        .fabric = l->fabric,
        .router = l->router,
        .transfers = l->transfers,
        .groups = l->groups,
        .group_ends = l->group_ends,
        .crowd = TOPO_CROWD_NODE,
    };
}

static void lonely_clear(Lonely *l)
{
    topo_router_free(l->router);
    topo_fabric_free(l->fabric);
    sim_program_free(l->p);
}

static void lonely_add(Lonely *l, TopoCollectiveOp op, double bytes, int64_t stride, int64_t count)
{
    uint32_t i = (uint32_t)l->spec.transfer_count++;
    cr_assert(i < MOST);
    l->transfers[i] = (TopoTransfer){
        .op = op,
        .ranks = count,
        .ranks_per_domain = topo_ranks_per_domain(&l->cluster, 0, stride, count),
        .bytes = bytes,
    };
    l->groups[i] = (TopoRanks){0, stride, count};
    l->group_ends[i] = i + 1;
}

/* One after another, in one stream. */
static void lonely_seal(Lonely *l)
{
    sim_program_add_class(l->p, "ranks", 1);
    SimOp op = {
        .group = SIM_GROUP_NONE,
        .bucket = sim_program_bucket(l->p, "comm"),
        .label = sim_program_label(l->p, "transfer"),
        .kind = SIM_OP_COLLECTIVE,
    };
    for (op.transfer = 0; op.transfer < l->spec.transfer_count; op.transfer++)
        sim_program_add_op(l->p, &op);
    cr_assert(sim_program_seal(l->p, NULL));
}

static SimRun *run_by(const char *net, const Lonely *l)
{
    g_autoptr(GError) error = NULL;
    SimRun *run = strcmp(net, "simgrid") == 0
                      ? topo_simgrid_run(l->p, &l->spec, NULL, &error)
                      : topo_net_run(topo_net_by_name(net, NULL), l->p, &l->spec, NULL, &error);
    cr_assert(run != NULL, "%s: %s", net, error ? error->message : "");
    return run;
}

static double seconds(const SimRun *run, uint32_t op)
{
    return sim_time_to_seconds(run->end[op] - run->start[op]);
}

static double gap(const SimRun *a, const SimRun *b, uint32_t op)
{
    return fabs(seconds(a, op) / seconds(b, op) - 1.0);
}

/* Returns the largest gap between any two of the models. */
static double compare(const Lonely *l, const char *fabric, double bound)
{
    double worst = 0.0;
    g_autoptr(SimRun) closed = run_by("alpha-beta", l);
    g_autoptr(SimRun) fluid = run_by("fluid", l);
    g_autoptr(SimRun) simgrid = run_by("simgrid", l);
    for (uint32_t i = 0; i < l->spec.transfer_count; i++) {
        const TopoTransfer *t = &l->transfers[i];
        double apart = fmax(gap(closed, fluid, i), gap(simgrid, fluid, i));
        cr_expect(apart < (t->bytes >= 1e6 ? bound : 0.05),
                  "%s, %s of %g bytes between %d from 0 by %d: closed form %g, fluid %g, SimGrid "
                  "%g s",
                  fabric, topo_collective_op_name(t->op), t->bytes, (int)t->ranks,
                  (int)l->groups[i].stride, seconds(closed, i), seconds(fluid, i),
                  seconds(simgrid, i));
        worst = fmax(worst, apart);
    }
    return worst;
}

Test(simgrid_alone, three_models_agree_on_a_send_over_every_fabric)
{
    static const double sizes[] = {64e3, 256e3, 1e6, 16e6, 1e9};
    size_t kinds;
    topo_fabric_all(&kinds);
    cr_assert(kinds == G_N_ELEMENTS(worlds), "a fabric is missing here");
    for (size_t w = 0; w < G_N_ELEMENTS(worlds); w++) {
        Lonely l;
        lonely_init(&l, w);
        int64_t gpus = (int64_t)l.fabric->gpu_count;
        const int64_t to[] = {1, NODE_GPUS + 1, gpus / 2 + 2, gpus - 1};
        for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
            for (size_t k = 0; k < G_N_ELEMENTS(to); k++)
                lonely_add(&l, TOPO_OP_SEND, sizes[i], to[k], 2);
        }
        lonely_seal(&l);
        cr_log_info("%s: sends are %.2g apart", worlds[w].fabric,
                    compare(&l, worlds[w].fabric, 0.01));
        lonely_clear(&l);
    }
}

Test(simgrid_alone, three_models_agree_on_a_collective_over_every_fabric)
{
    static const double sizes[] = {256e3, 16e6};
    for (size_t w = 0; w < G_N_ELEMENTS(worlds); w++) {
        Lonely l;
        lonely_init(&l, w);
        int64_t gpus = (int64_t)l.fabric->gpu_count;
        for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
            lonely_add(&l, TOPO_OP_ALL_REDUCE, sizes[i], 1, gpus);
            lonely_add(&l, TOPO_OP_ALL_GATHER, sizes[i], 1, gpus);
            lonely_add(&l, TOPO_OP_ALL_TO_ALL, sizes[i], 1, MIN(gpus, 32));
            lonely_add(&l, TOPO_OP_ALL_REDUCE, sizes[i], NODE_GPUS, gpus / NODE_GPUS);
        }
        lonely_seal(&l);
        cr_log_info("%s: collectives are %.2g apart", worlds[w].fabric,
                    compare(&l, worlds[w].fabric, worlds[w].collective));
        lonely_clear(&l);
    }
}

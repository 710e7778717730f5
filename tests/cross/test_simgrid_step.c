/*
 * Whole programs over SimGrid against the same programs over the fluid network.
 *
 * Where nothing is shared both must agree to the ns that each of them rounds by: random programs
 * with everything in them, on wires two hundred times as wide as the library's rates. A training
 * step must agree within a hundredth where transfers have room. Where they have not, the two differ
 * in two ways (topo_simgrid.c): SimGrid lets the edges of a collective run apart, and prefers short
 * routes on full links; the bound is 6 %, of which the worst row needs 5.7 %.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "drawn_program.h"
#include "scen_load.h"
#include "scen_simulate.h"
#include "sim_error.h"
#include "sim_random.h"
#include "topo_simgrid.h"
#include "toy_world.h"

enum {
    NODES = 8,
    NODE_GPUS = 4,
    PROGRAMS = 40,
};

static TopoCluster make_cluster(double slower)
{
    TopoNode node = {
        .gpus = NODE_GPUS,
        .scale_up_gpus = NODE_GPUS,
        .scale_up = "nvswitch",
        .scale_up_bytes_per_s = 600e9 / slower,
        .scale_up_latency_s = 1e-6,
        .nics = NODE_GPUS,
        .nic_bytes_per_s = 50e9 / slower,
        .nic_latency_s = 1.3e-6,
        .host_bytes_per_s = 63e9,
        .scale_up_protocols = toy_wires(1.0, 7e-6, 0.6e-6),
        .scale_out_protocols = toy_wires(1.0, 19e-6, 3.1e-6),
    };
    return (TopoCluster){.node = node, .node_count = NODES, .gpu_count = NODES * NODE_GPUS};
}

/* Transfers between ranks of a small cluster; prices may be those of slower wires. */
typedef struct Bench {
    TopoCluster wires, prices;
    TopoFabric *fabric;
    TopoRouter *router;
    TopoTransfer transfers[DRAWN_TRANSFERS];
    TopoRanks groups[DRAWN_TRANSFERS];
    uint32_t group_ends[DRAWN_TRANSFERS];
    TopoTrafficSpec spec;
} Bench;

static void bench_init(Bench *b, const char *kind, double slower)
{
    g_autoptr(GError) error = NULL;
    *b = (Bench){.wires = make_cluster(1.0), .prices = make_cluster(slower)};
    TopoFabricSpec spec = topo_fabric_spec_default(kind, &b->wires);
    spec.radix = 16;
    b->fabric = topo_fabric_new(&spec, &error);
    cr_assert(b->fabric != NULL, "%s", error ? error->message : "");
    b->router = topo_router_new(b->fabric, topo_route_by_name("ecmp", NULL), 7);
    b->spec = (TopoTrafficSpec){
        .cluster = &b->prices,
        .fabric = b->fabric,
        .router = b->router,
        .transfers = b->transfers,
        .groups = b->groups,
        .group_ends = b->group_ends,
    };
}

static void bench_clear(Bench *b)
{
    topo_router_free(b->router);
    topo_fabric_free(b->fabric);
}

static void bench_add(Bench *b, TopoTransfer transfer, TopoRanks group)
{
    uint32_t i = (uint32_t)b->spec.transfer_count++;
    transfer.ranks = group.count;
    transfer.ranks_per_domain =
        topo_ranks_per_domain(&b->wires, group.first, group.stride, group.count);
    b->transfers[i] = transfer;
    b->groups[i] = group;
    b->group_ends[i] = i + 1;
}

/* Sends, collectives of several sizes, and traffic that a computation paces. */
static void draw_transfers(Bench *b, uint64_t seed)
{
    static const TopoCollectiveOp ops[] = {TOPO_OP_SEND, TOPO_OP_ALL_REDUCE, TOPO_OP_ALL_GATHER,
                                           TOPO_OP_REDUCE_SCATTER, TOPO_OP_ALL_TO_ALL};
    SimRandom bits = sim_random_stream(seed, "transfers");
    while (b->spec.transfer_count < DRAWN_TRANSFERS) {
        TopoTransfer t = {.op = ops[sim_random_below(&bits, G_N_ELEMENTS(ops))]};
        TopoRanks group = {.count = t.op == TOPO_OP_SEND ? 2 : 2 << sim_random_below(&bits, 3)};
        group.stride = 1 << sim_random_below(&bits, 3);
        int64_t room = NODES * NODE_GPUS - (group.count - 1) * group.stride;
        if (room <= 0)
            continue;
        group.first = (int64_t)sim_random_below(&bits, (uint64_t)room);
        t.bytes = 1e3 * (double)sim_random_below(&bits, 4000);
        if (sim_random_below(&bits, 5) == 0)
            t.paced_s = 1e-3;
        if (sim_random_below(&bits, 10) == 0)
            t.measured_s = 3e-4;
        bench_add(b, t, group);
    }
}

static SimRun *run_fluid(const SimProgram *p, const TopoTrafficSpec *spec)
{
    g_autoptr(GError) error = NULL;
    SimRun *run = topo_net_run(topo_net_by_name("fluid", NULL), p, spec, NULL, &error);
    cr_assert(run != NULL, "%s", error ? error->message : "");
    return run;
}

static SimRun *run_simgrid(const SimProgram *p, const TopoTrafficSpec *spec)
{
    g_autoptr(GError) error = NULL;
    SimRun *run = topo_simgrid_run(p, spec, NULL, &error);
    cr_assert(run != NULL, "%s", error ? error->message : "");
    return run;
}

/* The largest difference of a duration, and of a start, in ns. */
static void compare(const SimRun *a, const SimRun *b, int64_t *longer, int64_t *later)
{
    cr_assert(a->op_count == b->op_count);
    *longer = *later = 0;
    for (uint32_t i = 0; i < a->op_count; i++) {
        *longer = MAX(*longer, ABS(a->end[i] - a->start[i] - (b->end[i] - b->start[i])));
        *later = MAX(*later, ABS(a->start[i] - b->start[i]));
    }
}

Test(simgrid_step, programs_with_room_are_the_same_to_the_ns)
{
    int64_t worst_longer = 0, worst_later = 0;
    for (uint64_t seed = 0; seed < PROGRAMS; seed++) {
        Bench b;
        bench_init(&b, seed % 2 ? "leaf-spine" : "rail-optimised", 200.0);
        draw_transfers(&b, seed);
        DrawnProgram drawn = drawn_program(seed, 5000);
        g_autoptr(SimRun) fluid = run_fluid(drawn.p, &b.spec);
        g_autoptr(SimRun) simgrid = run_simgrid(drawn.p, &b.spec);
        int64_t longer, later;
        compare(fluid, simgrid, &longer, &later);
        worst_longer = MAX(worst_longer, longer);
        worst_later = MAX(worst_later, later);
        cr_expect(longer <= 2, "seed %d: an operation is %d ns longer", (int)seed, (int)longer);
        drawn_program_clear(&drawn);
        bench_clear(&b);
    }
    cr_log_info("worst: %d ns longer, %d ns later", (int)worst_longer, (int)worst_later);
    cr_expect(worst_later < 100, "starts drift by rounding only: %d ns", (int)worst_later);
}

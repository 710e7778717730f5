/* Alone, every network model says the same: the closed form that knows no fabric, told how long a
 * flight takes on it, against the transfer laid over the links of every fabric there is. */
#include "topo_net.h"
#include "topo_traffic.h"

#include "toy_world.h"

#include <criterion/criterion.h>

#include <math.h>

enum { GPUS = 128 };

/* Where the wires of the closed form are those of the fabric. */
typedef struct World {
    const char *fabric, *routing;
    int64_t gpus, domain; /* of a node, of a scale-up domain */
} World;

/* A hash makes a group's own edges collide, so wherever there is a choice it is D-mod-k's. */
static const World worlds[] = {
    {"single-switch",  "shortest", 8, 8 },
    {"leaf-spine",     "d-mod-k",  8, 8 },
    {"fat-tree",       "d-mod-k",  8, 8 },
    {"rail-optimised", "rail",     8, 8 },
    {"rail-only",      "rail",     8, 8 },
    {"dual-tor",       "d-mod-k",  8, 8 },
    {"dual-plane",     "d-mod-k",  8, 8 },
    {"nvl72",          "rail",     4, 64},
    {"dragonfly+",     "d-mod-k",  8, 8 },
    {"torus-2d",       "shortest", 1, 1 },
    {"torus-3d",       "shortest", 1, 1 },
    {"custom",         "shortest", 8, 8 },
};

static const TopoFabricLink stars[] = {
    {.from = "nic/0..127",
     .to = "leaf/0",
     .bytes_per_s = 50e9,
     .latency_s = NAN,
     .length_m = NAN,
     .health_fraction = 1.0},
};

static TopoCluster cluster_of(const World *world)
{
    TopoNode node = toy_world().cluster.node;
    node.gpus = node.nics = world->gpus;
    node.scale_up_gpus = world->domain;
    node.scale_up = world->domain > 1 ? "nvswitch" : "pcie";
    node.scale_up_bytes_per_s = 450e9;
    node.scale_up_latency_s = 0.5e-6;
    node.nic_bytes_per_s = 50e9;
    node.host_bytes_per_s = 63e9;
    node.scale_up_protocols = toy_wires(0.9, 10e-6, 2e-6);
    node.scale_out_protocols = toy_wires(0.8, 20e-6, 3e-6);
    return (TopoCluster){
        .node = node, .gpu_count = GPUS, .node_count = GPUS / world->gpus, .name = world->fabric};
}

/* From every member to its like in the next of the domains, which hold @k members each; a chain
 * does not close. */
static double longest_flight_s(const TopoFabric *fabric, TopoRouter *router, const TopoRanks *group,
                               int64_t k, bool closes)
{
    double longest = 0.0;
    for (int64_t i = 0; k < group->count && i < group->count - (closes ? 0 : k); i++) {
        int64_t from = group->first + i * group->stride;
        int64_t to = group->first + (i + k) % group->count * group->stride;
        g_autoptr(GArray) path = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        cr_assert(topo_route(router, (size_t)from, (size_t)to, 0, path, NULL));
        longest = fmax(longest, topo_path_latency_s(fabric->graph, path));
    }
    return longest;
}

/* Seconds of @transfer, run once by @group, on @net. */
static double run_alone(const char *net, const TopoCluster *cluster, const TopoFabric *fabric,
                        TopoRouter *router, const TopoTransfer *transfer, const TopoRanks *group)
{
    uint32_t group_end = 1;
    TopoTrafficSpec spec = {.cluster = cluster,
                            .fabric = fabric,
                            .router = router,
                            .transfers = transfer,
                            .transfer_count = 1,
                            .groups = group,
                            .group_ends = &group_end};
    g_autoptr(SimProgram) program = sim_program_new();
    uint32_t class = sim_program_add_class(program, "all", group->count);
    SimOp op = {.rank_class = class,
                .group = SIM_GROUP_NONE,
                .bucket = sim_program_bucket(program, "comm"),
                .label = sim_program_label(program, "transfer"),
                .kind = SIM_OP_COLLECTIVE};
    sim_program_add_op(program, &op);
    g_autoptr(GError) error = NULL;
    cr_assert(sim_program_seal(program, &error));
    g_autoptr(SimRun) run = topo_net_run(topo_net_by_name(net, NULL), program, &spec, NULL, &error);
    cr_assert(run != NULL, "%s on %s: %s", net, fabric ? cluster->name : "no fabric",
              error ? error->message : "");
    return sim_time_to_seconds(run->makespan);
}

typedef struct Case {
    TopoCollectiveOp op;
    const char *algorithm;
    TopoRanks group;
} Case;

/* Inside a domain, over a rail, over whole nodes, over everything. */
static const Case cases[] = {
    {TOPO_OP_SEND,           "send", {0, 1, 2}  },
    {TOPO_OP_SEND,           "send", {0, 64, 2} },
    {TOPO_OP_ALL_REDUCE,     "ring", {0, 1, 8}  },
    {TOPO_OP_ALL_GATHER,     "ring", {3, 8, 16} },
    {TOPO_OP_REDUCE_SCATTER, "ring", {0, 1, 32} },
    {TOPO_OP_ALL_REDUCE,     "ring", {0, 1, 128}},
    {TOPO_OP_BROADCAST,      "ring", {0, 1, 64} },
};

static void compare(const World *world, const TopoFabric *fabric, TopoRouter *router, const Case *c,
                    double bytes)
{
    TopoCluster cluster = cluster_of(world);
    TopoTransfer transfer = {.op = c->op,
                             .ranks = c->group.count,
                             .ranks_per_domain = topo_ranks_per_domain(
                                 &cluster, c->group.first, c->group.stride, c->group.count),
                             .bytes = bytes,
                             .algorithm = topo_collective_by_name(c->algorithm, NULL)};
    cluster.node.nic_latency_s =
        longest_flight_s(fabric, router, &c->group, transfer.ranks_per_domain,
                         c->op != TOPO_OP_BROADCAST && c->op != TOPO_OP_SEND);
    double closed_s = run_alone("alpha-beta", &cluster, NULL, NULL, &transfer, &c->group);
    double laid_s = run_alone("alpha-beta", &cluster, fabric, router, &transfer, &c->group);
    double fluid_s = run_alone("fluid", &cluster, fabric, router, &transfer, &c->group);
    double tolerance = bytes >= 1e6 ? 0.01 : 0.05;
    cr_expect(fabs(fluid_s / closed_s - 1.0) < tolerance,
              "%s, %s of %d, %g bytes: fluid %g s, closed form %g s", world->fabric,
              topo_collective_op_name(c->op), (int)c->group.count, bytes, fluid_s, closed_s);
    cr_expect(fabs(fluid_s - laid_s) <= 2e-9,
              "%s, %s of %d, %g bytes: fluid %.9f s, alone on the fabric %.9f s", world->fabric,
              topo_collective_op_name(c->op), (int)c->group.count, bytes, fluid_s, laid_s);
}

Test(net_uncontended, the_models_agree_on_every_fabric)
{
    static const double sizes[] = {64e3, 256e3, 1e6, 16e6, 1e9};
    size_t count;
    topo_fabric_all(&count);
    cr_assert_eq(count, G_N_ELEMENTS(worlds), "a fabric is missing from this test");
    for (size_t w = 0; w < G_N_ELEMENTS(worlds); w++) {
        TopoCluster cluster = cluster_of(&worlds[w]);
        TopoFabricSpec spec = topo_fabric_spec_default(worlds[w].fabric, &cluster);
        if (w == 0)
            spec.radix = GPUS;
        spec.links = stars;
        spec.link_count = G_N_ELEMENTS(stars);
        g_autoptr(GError) error = NULL;
        g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, &error);
        cr_assert(fabric, "%s: %s", worlds[w].fabric, error ? error->message : "");
        g_autoptr(TopoRouter) router =
            topo_router_new(fabric, topo_route_by_name(worlds[w].routing, NULL), 1);
        for (size_t c = 0; c < G_N_ELEMENTS(cases); c++)
            for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
                compare(&worlds[w], fabric, router, &cases[c], sizes[s]);
    }
}

/* Payload on the links from NICs (of all wires up), and on those between switches, a byte of
 * tensor. */
typedef struct Tiers {
    const TopoGraph *graph;
    double up, between;
} Tiers;

static void add_tiers(void *ctx, const TopoEdge *edge)
{
    Tiers *tiers = ctx;
    for (guint i = 0; i < edge->link_count; i++) {
        const TopoLink *link = topo_graph_link(tiers->graph, edge->links[i]);
        int from = topo_graph_vertex(tiers->graph, link->from)->kind;
        int to = topo_graph_vertex(tiers->graph, link->to)->kind;
        if (from == TOPO_VERTEX_NIC && to == TOPO_VERTEX_LEAF)
            tiers->up += edge->weight;
        if (from == TOPO_VERTEX_LEAF && to == TOPO_VERTEX_SPINE)
            tiers->between += edge->weight;
    }
}

/* 128 GPUs on 16 nodes: every GPU sends its eighth of the tensor up once, and of the switches that
 * reduce each passes one sum of each rail on. Eight rails of 16 nodes below leaves of 8 NICs: two
 * switches a rail, whose sums meet in a spine. */
Test(net_uncontended, switches_that_reduce_send_every_byte_up_once)
{
    const World *world = &worlds[3];
    TopoCluster cluster = cluster_of(world);
    cluster.reducing_radix = 8;
    TopoFabricSpec spec = topo_fabric_spec_default(world->fabric, &cluster);
    spec.nics_per_leaf = 8;
    g_autoptr(GError) error = NULL;
    g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, &error);
    cr_assert(fabric, "%s", error ? error->message : "");
    g_autoptr(TopoRouter) router =
        topo_router_new(fabric, topo_route_by_name(world->routing, NULL), 1);
    TopoTransfer transfer = {.op = TOPO_OP_ALL_REDUCE,
                             .ranks = GPUS,
                             .ranks_per_domain = 8,
                             .bytes = 1e9,
                             .algorithm = topo_collective_by_name("hierarchical-sharp", NULL)};
    TopoRanks all = {0, 1, GPUS};
    double closed_s = run_alone("alpha-beta", &cluster, NULL, NULL, &transfer, &all);
    double fluid_s = run_alone("fluid", &cluster, fabric, router, &transfer, &all);
    cr_expect(fabs(fluid_s / closed_s - 1.0) < 0.01, "fluid %g s, closed form %g s", fluid_s,
              closed_s);
    uint32_t group_end = 1;
    TopoTrafficSpec traffic = {.cluster = &cluster,
                               .fabric = fabric,
                               .router = router,
                               .transfers = &transfer,
                               .transfer_count = 1,
                               .groups = &all,
                               .group_ends = &group_end};
    g_autoptr(TopoLay) lay = topo_lay_new(&traffic);
    Tiers tiers = {.graph = fabric->graph};
    TopoLoad load;
    cr_assert(topo_lay_transfer(lay, 0, add_tiers, &tiers, &load, &error));
    cr_expect(fabs(tiers.up - GPUS / 8.0) < 1e-9, "%g tensors go up", tiers.up);
    cr_expect(fabs(tiers.between - 2.0) < 1e-9, "%g tensors of sums go on", tiers.between);
}

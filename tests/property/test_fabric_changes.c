/* What changes to the fabric do to a step: dead links are gone round, degraded ones cost time, a
 * fault of a part of the step costs something in between, a moved rack adds its metres and nothing
 * else, and the two planes of a fabric carry what one NIC sends. */
#include "scen_load.h"
#include "scen_simulate.h"
#include "topo_lay.h"

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

/* Data-parallel traffic of 32 GPUs in four nodes, two to a leaf and to a rack; sixteen spines. */
static const char *const plan =
    "model: {layers: 8, hidden: 2048, heads: 16, vocab: 32000, max_sequence: 1024}\n"
    "cluster: {node: dgx-h100, gpus: 32}\n"
    "plan: {base: megatron-core-2024, tensor: 8, global_batch: 32}\n"
    "network: fluid\n";
static const char *const two_leaves =
    "fabric:\n"
    "  {kind: leaf-spine, nics_per_leaf: 16, routing: d-mod-k, nodes_per_rack: 2%s}\n";

static ScenScenario *load(const char *fabric)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strconcat(plan, fabric, NULL);
    ScenLoadOptions options = {0};
    ScenScenario *scenario = scen_scenario_parse("changes", text, strlen(text), &options, &error);
    cr_assert(scenario, "%s", error ? error->message : "");
    return scenario;
}

static ScenScenario *load_two_leaves(const char *more)
{
    g_auto(GStrv) halves = g_strsplit(two_leaves, "%s", 2);
    g_autofree char *fabric = g_strconcat(halves[0], more, halves[1], NULL);
    return load(fabric);
}

/* Nanoseconds of a step on two leaves with @more keys of the fabric. */
static int64_t step_with(const char *more)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenScenario) scenario = load_two_leaves(more);
    g_autoptr(StratTrainResult) result = scen_simulate(scenario, &error);
    cr_assert(result, "%s", error ? error->message : "");
    return result->step_ns;
}

Test(fabric_changes, a_dead_uplink_is_gone_round_at_a_price)
{
    int64_t whole = step_with("");
    int64_t dead = step_with(", health: [{link: leaf/0 -> spine/0, both_ways: true, health: 0}]");
    int64_t most = step_with(", health: [{link: 'leaf/0..1 -> spine/1..15', both_ways: true, "
                             "health: 0}]");
    cr_expect(dead >= whole, "%" G_GINT64_FORMAT " after %" G_GINT64_FORMAT, dead, whole);
    cr_expect(most > dead, "one uplink for sixteen NICs: %" G_GINT64_FORMAT, most);
}

Test(fabric_changes, a_fault_of_a_part_of_the_step_costs_less_than_one_from_the_start)
{
    static const char fault[] = ", faults: [{link: leaf/0 -> spine/0, both_ways: true, health: "
                                "%s, at: %" G_GINT64_FORMAT " us, until: %" G_GINT64_FORMAT " us}]";
    int64_t whole = step_with("");
    int64_t degraded =
        step_with(", health: [{link: leaf/0 -> spine/0, both_ways: true, health: 0.5}]");
    int64_t worse =
        step_with(", health: [{link: leaf/0 -> spine/0, both_ways: true, health: 0.1}]");
    cr_expect(degraded > whole && worse > degraded,
              "%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, whole, degraded,
              worse);
    /* Gradients travel at the end of the step, so its last tenth has some of them. */
    int64_t from_us = whole / 10000 * 9, to_us = whole / 1000;
    g_autofree char *slow = g_strdup_printf(fault, "0.5", from_us, to_us);
    g_autofree char *down = g_strdup_printf(fault, "0", from_us, to_us);
    g_autofree char *never = g_strdup_printf(fault, "0", to_us * 10, to_us * 20);
    g_autofree char *always = g_strdup_printf(fault, "0.5", (int64_t)0, to_us * 20);
    int64_t for_a_while = step_with(slow), cut = step_with(down);
    cr_expect(for_a_while > whole && for_a_while < degraded,
              "%" G_GINT64_FORMAT " between %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT,
              for_a_while, whole, degraded);
    cr_expect(cut > for_a_while, "down costs more than half: %" G_GINT64_FORMAT, cut);
    cr_expect(step_with(never) == whole, "after the step");
    cr_expect(step_with(always) == degraded, "from the first to the last nanosecond");
}

/* Two uplinks carry the same, so while either is slow the transfers are. */
Test(fabric_changes, alike_links_fail_and_recover_one_by_one)
{
    int64_t at_us = step_with("") / 10000;
    g_autofree char *relay = g_strdup_printf(
        ", faults: [{link: leaf/0 -> spine/0, health: 0.2, at: %" G_GINT64_FORMAT
        " us, until: %" G_GINT64_FORMAT " us}, {link: leaf/0 -> spine/1, health: 0.2, at: "
        "%" G_GINT64_FORMAT " us, until: %" G_GINT64_FORMAT " us}]",
        at_us * 5, at_us * 8, at_us * 7, at_us * 20);
    g_autofree char *alone =
        g_strdup_printf(", faults: [{link: leaf/0 -> spine/0, health: 0.2, at: %" G_GINT64_FORMAT
                        " us, until: %" G_GINT64_FORMAT " us}]",
                        at_us * 5, at_us * 20);
    g_autofree char *first =
        g_strdup_printf(", faults: [{link: leaf/0 -> spine/0, health: 0.2, at: %" G_GINT64_FORMAT
                        " us, until: %" G_GINT64_FORMAT " us}]",
                        at_us * 5, at_us * 8);
    int64_t both = step_with(relay), whole = step_with(alone), half = step_with(first);
    cr_expect(ABS(both - whole) <= 1 && whole > half,
              "%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, both, whole, half);
}

/* The load of a send of a megabyte from GPU 0 to @dst, and in @rate what its links let through. */
typedef struct Send {
    const TopoFabric *fabric;
    double *weight; /* by link */
    TopoLoad load;
    double rate;
} Send;

static void take_edge(void *ctx, const TopoEdge *edge)
{
    Send *send = ctx;
    for (guint i = 0; i < edge->link_count; i++)
        send->weight[edge->links[i]] += edge->weight;
}

static void lay_send(const ScenScenario *scenario, int64_t dst, Send *send)
{
    g_autoptr(GError) error = NULL;
    TopoFabricSpec spec = scen_fabric_spec(&scenario->fabric, &scenario->cluster);
    TopoFabricChanges changes = scen_fabric_changes(&scenario->fabric);
    g_autoptr(TopoFabric) fabric = topo_fabric_new(&spec, NULL);
    cr_assert(fabric && topo_fabric_apply(fabric, &changes, NULL));
    const TopoRoutePolicy *policy = topo_route_by_name(scenario->fabric.routing, NULL);
    g_autoptr(TopoRouter) router = topo_router_new(fabric, policy, 1);
    int64_t near = dst / scenario->cluster.node.scale_up_gpus == 0 ? 2 : 1;
    const TopoTransfer transfer = {
        .op = TOPO_OP_SEND, .ranks = 2, .ranks_per_domain = near, .bytes = 1e6};
    const TopoRanks group = {0, dst, 2};
    const uint32_t end = 1;
    const TopoTrafficSpec traffic = {
        .cluster = &scenario->cluster,
        .fabric = fabric,
        .router = router,
        .transfers = &transfer,
        .transfer_count = 1,
        .groups = &group,
        .group_ends = &end,
    };
    g_autoptr(TopoLay) lay = topo_lay_new(&traffic);
    uint32_t links = topo_graph_link_count(fabric->graph);
    send->weight = g_new0(double, links);
    cr_assert(topo_lay_transfer(lay, 0, take_edge, send, &send->load, &error), "%s",
              error ? error->message : "");
    send->rate = INFINITY;
    for (uint32_t i = 0; i < links; i++) {
        if (send->weight[i] > 0.0)
            send->rate =
                fmin(send->rate, topo_link_rate_bytes_per_s(topo_graph_link(fabric->graph, i)) /
                                     send->weight[i]);
    }
    g_clear_pointer(&send->weight, g_free);
}

/* 100 m are 500 ns a crossing of the rack's edge: none inside it, one to another rack, two to the
 * leaf and back. */
Test(fabric_changes, a_moved_rack_adds_its_metres_to_a_send_and_nothing_else)
{
    static const struct {
        int64_t dst;
        const char *moves;
        int crossings;
    } cases[] = {
        {16, "{rack: 0, by: 100 m}",                       1},
        {16, "{rack: 1, by: 100 m}",                       1},
        {16, "{rack: 0, by: 100 m}, {rack: 1, by: 100 m}", 2},
        {8,  "{rack: 0, by: 100 m}",                       2},
        {8,  "{rack: 1, by: 100 m}",                       0},
        {1,  "{rack: 0, by: 100 m}",                       0},
    };
    g_autoptr(ScenScenario) plain = load_two_leaves("");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *more = g_strdup_printf(", moved_racks: [%s]", cases[i].moves);
        g_autoptr(ScenScenario) moved = load_two_leaves(more);
        Send before, after;
        lay_send(plain, cases[i].dst, &before);
        lay_send(moved, cases[i].dst, &after);
        double more_s = after.load.latency_s - before.load.latency_s;
        cr_expect(fabs(more_s - cases[i].crossings * 500e-9) < 1e-15, "case %zu: %g s", i, more_s);
        cr_expect(fabs(after.load.bytes - before.load.bytes) < 1e-3);
    }
}

/* The rate that the library reaches on a NIC must fit through the links, whatever the fabric. */
static const char *const fabrics[] = {
    "fabric: {kind: single-switch}\n",
    "fabric: {kind: leaf-spine}\n",
    "fabric: {kind: fat-tree}\n",
    "fabric: {kind: rail-optimised}\n",
    "fabric: {kind: rail-only}\n",
    "fabric: {kind: dual-tor}\n",
    "fabric: {kind: dual-plane}\n",
    "fabric: {kind: dragonfly+, radix: 16}\n",
    "fabric: {kind: dual-plane, radix: 16, nics_per_leaf: 2, routing: shortest}\n",
    "fabric: {kind: dual-tor, radix: 32, nics_per_leaf: 1, routing: d-mod-k}\n",
};

/* Bytes per second of payload through one NIC. */
static double payload(const ScenScenario *scenario)
{
    const TopoNode *node = &scenario->cluster.node;
    const TopoProtocolFit *sends = &node->scale_out_protocols.op[TOPO_PROTOCOL_ALL_TO_ALL];
    return node->nic_bytes_per_s * sends->protocol[TOPO_PROTOCOL_SIMPLE].fraction;
}

Test(fabric_changes, a_send_alone_has_room_for_what_the_library_reaches)
{
    for (size_t i = 0; i < G_N_ELEMENTS(fabrics); i++) {
        g_autoptr(ScenScenario) scenario = load(fabrics[i]);
        for (int64_t dst = 8; dst < 32; dst += 5) {
            Send send;
            lay_send(scenario, dst, &send);
            cr_expect(send.rate >= payload(scenario) * (1.0 - 1e-12), "%s to %zu: %g", fabrics[i],
                      (size_t)dst, send.rate);
            cr_expect(send.load.rate_bound_bytes_per_s <= send.rate, "%s", fabrics[i]);
        }
    }
    g_autoptr(ScenScenario) one = load("fabric: {kind: dual-plane, flows_per_pair: 1}\n");
    Send send;
    lay_send(one, 24, &send);
    cr_expect(fabs(send.rate - 0.5 * payload(one)) < 1.0, "one port alone");
}

Test(fabric_changes, drawn_nvswitches_change_nothing_for_a_pair)
{
    g_autoptr(ScenScenario) drawn = load("fabric: {kind: rail-optimised, nvlink_generation: 4}\n");
    Send send;
    lay_send(drawn, 1, &send);
    cr_expect(fabs(send.rate - drawn->cluster.node.scale_up_bytes_per_s) < 1.0, "%g", send.rate);
}

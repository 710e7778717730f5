/* Hierarchical algorithms: inside each domain, then between domains on one rail a local rank.
 *
 * With m domains of k ranks, rank i of domain a is (a, i); rail i joins the ranks (a, i) of all a.
 * Three stages of an all-reduce (Cho and others 2019, "BlueConnect", section 4; NCCL's CollNet and
 * NVLSTree, 2.17):
 *
 *   1. reduce-scatter inside the domain: (a, i) holds the domain's sum of chunk i, S/k bytes;
 *   2. all-reduce of chunk i along rail i, by a ring, a double binary tree or in the switches;
 *   3. all-gather inside the domain.
 *
 * A rank sends (k-1)/k S, then f(m) S/k over its own NIC, then (k-1)/k S again; a domain sends
 * f(m) S through its k NICs, f = 2 (m-1)/m for the ring. Reduce-scatter stops half-way and
 * all-gather is the way back. Stages 1 and 3 may run in the domain's switch (NVLS): S up and S/k
 * down, then the reverse.
 *
 * Blocks number by rail: (a, i) owns block i m + a, so that a rail's blocks are one run. */
#include "topo_collective_build.h"

typedef enum Rail { RAIL_RING, RAIL_TREE, RAIL_SWITCHES } Rail;

static void ring_inside(const TopoCollectiveCall *call, TopoSchedule *schedule, bool reduces)
{
    uint32_t k = call->ranks_per_domain, domains = topo_build_domains(call);
    uint32_t blocks = schedule->blocks;
    if (k == 1)
        return;
    topo_build_phase(schedule, k - 1)->block = (TopoTurn){blocks, -(int32_t)(blocks / k)};
    for (uint32_t a = 0; a < domains; a++)
        topo_build_ring(
            schedule,
            &(TopoSubgroup){
                .first = a * k, .stride = 1, .ranks = k, .blocks = blocks, .bytes = call->bytes},
            reduces ? 1 : 0, reduces);
}

/* Stage 1 (@gather false) or 3 in the switch of each domain, index ranks + domain. */
static void switch_inside(const TopoCollectiveCall *call, TopoSchedule *schedule, bool gather)
{
    uint32_t k = call->ranks_per_domain, part = schedule->blocks / k;
    topo_build_phase(schedule, 2)->active = 1;
    for (uint32_t rank = 0; rank < call->ranks; rank++) {
        TopoMessage whole = {.blocks = schedule->blocks, .bytes = call->bytes};
        TopoMessage share = {.block = rank % k * part, .blocks = part, .bytes = call->bytes / k};
        TopoMessage up = gather ? share : whole, down = gather ? whole : share;
        up.from = down.to = rank;
        up.to = down.from = call->ranks + rank / k;
        up.reduces = !gather;
        down.start = 1;
        topo_build_message(schedule, up);
        topo_build_message(schedule, down);
    }
}

static TopoSubgroup rail_of(const TopoCollectiveCall *call, const TopoSchedule *schedule,
                            uint32_t i)
{
    uint32_t k = call->ranks_per_domain, part = schedule->blocks / k;
    return (TopoSubgroup){.first = i,
                          .stride = k,
                          .ranks = topo_build_domains(call),
                          .block = i * part,
                          .blocks = part,
                          .bytes = call->bytes / k};
}

static void ring_across(const TopoCollectiveCall *call, TopoSchedule *schedule, bool reduces)
{
    uint32_t domains = topo_build_domains(call);
    topo_build_phase(schedule, domains - 1)->block = (TopoTurn){domains, -1};
    for (uint32_t i = 0; i < call->ranks_per_domain; i++) {
        TopoSubgroup rail = rail_of(call, schedule, i);
        topo_build_ring(schedule, &rail, reduces ? 1 : 0, reduces);
    }
}

static uint32_t rail_steps(const TopoCollectiveCall *call, Rail kind)
{
    uint32_t domains = topo_build_domains(call);
    if (kind == RAIL_TREE)
        return topo_build_double_tree_steps(domains);
    return 2 * topo_build_switch_levels(domains, call->switch_radix);
}

static void pipeline_across(const TopoCollectiveCall *call, TopoSchedule *schedule, Rail kind)
{
    uint32_t chunks = topo_build_chunks(call);
    TopoPhase *phase = topo_build_phase(schedule, rail_steps(call, kind) + chunks - 1);
    phase->active = chunks;
    phase->block = (TopoTurn){chunks, 1};
    for (uint32_t i = 0; i < call->ranks_per_domain; i++) {
        TopoSubgroup rail = rail_of(call, schedule, i);
        if (kind == RAIL_TREE)
            topo_build_double_tree(schedule, &rail, chunks);
        else
            schedule->switches += topo_build_switch_tree(schedule, &rail, call->switch_radix,
                                                         call->ranks + schedule->switches, chunks);
    }
}

/* Steps and bytes inside, of passes through ring_inside(). */
static void inside_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost, double passes)
{
    double k = call->ranks_per_domain;
    cost->inside_bytes = passes * (k - 1.0) / k * call->bytes;
    cost->steps = passes * (k - 1.0);
}

/* Adds the stage on the rails: each rank sends @share of its chunk in @steps. */
static void add_across_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost, double share,
                            double steps)
{
    cost->port_bytes = cost->inside_bytes + share * call->bytes / call->ranks_per_domain;
    cost->domain_out_bytes = share * call->bytes;
    cost->steps += steps;
    cost->steps_across = steps;
}

void topo_hierarchical_ring_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    schedule->blocks = call->ranks;
    schedule->stripe = call->ranks_per_domain;
    if (call->op != TOPO_OP_ALL_GATHER) {
        ring_inside(call, schedule, true);
        ring_across(call, schedule, true);
    }
    if (call->op != TOPO_OP_REDUCE_SCATTER) {
        ring_across(call, schedule, false);
        ring_inside(call, schedule, false);
    }
}

void topo_hierarchical_ring_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    double m = topo_build_domains(call), passes = call->op == TOPO_OP_ALL_REDUCE ? 2.0 : 1.0;
    inside_cost(call, cost, passes);
    add_across_cost(call, cost, passes * (m - 1.0) / m, passes * (m - 1.0));
}

void topo_hierarchical_tree_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    schedule->blocks = 2 * topo_build_chunks(call) * call->ranks_per_domain;
    ring_inside(call, schedule, true);
    pipeline_across(call, schedule, RAIL_TREE);
    ring_inside(call, schedule, false);
}

void topo_hierarchical_tree_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    inside_cost(call, cost, 2.0);
    add_across_cost(call, cost, topo_build_double_tree_share(topo_build_domains(call)),
                    rail_steps(call, RAIL_TREE) + topo_build_chunks(call) - 1.0);
    cost->steps_across -= topo_build_chunks(call) - 1.0;
}

bool topo_hierarchical_sharp_applies(const TopoCollectiveCall *call, GError **error)
{
    return topo_sharp_applies(call, error) && topo_build_spans_domains(call, error);
}

void topo_hierarchical_sharp_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    schedule->blocks = topo_build_chunks(call) * call->ranks_per_domain;
    ring_inside(call, schedule, true);
    pipeline_across(call, schedule, RAIL_SWITCHES);
    ring_inside(call, schedule, false);
}

void topo_hierarchical_sharp_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    inside_cost(call, cost, 2.0);
    add_across_cost(call, cost, 1.0,
                    rail_steps(call, RAIL_SWITCHES) + topo_build_chunks(call) - 1.0);
    cost->steps_across -= topo_build_chunks(call) - 1.0;
}

bool topo_nvls_tree_applies(const TopoCollectiveCall *call, GError **error)
{
    if (!call->domain_reduces)
        return topo_build_refuse(error, "the domain's switch cannot reduce this");
    if (call->ranks_per_domain == 1)
        return topo_build_refuse(error, "the group has one rank a domain");
    return topo_build_spans_domains(call, error);
}

void topo_nvls_tree_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    schedule->blocks = 2 * topo_build_chunks(call) * call->ranks_per_domain;
    schedule->switches = topo_build_domains(call);
    switch_inside(call, schedule, false);
    pipeline_across(call, schedule, RAIL_TREE);
    switch_inside(call, schedule, true);
}

void topo_nvls_tree_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    cost->inside_bytes = (1.0 + 1.0 / call->ranks_per_domain) * call->bytes;
    cost->steps = 4.0;
    add_across_cost(call, cost, topo_build_double_tree_share(topo_build_domains(call)),
                    rail_steps(call, RAIL_TREE) + topo_build_chunks(call) - 1.0);
    cost->steps_across -= topo_build_chunks(call) - 1.0;
}

/* Rings.
 *
 * The tensor of S bytes is cut into n parts. In step r of a reduce-scatter rank i passes part
 * i - 1 - r to its right neighbour, which adds it to its own; after n-1 steps rank i holds part i
 * in full. An all-gather passes the full parts round the same way, and an all-reduce is one after
 * the other: 2 (n-1) steps, 2 (n-1)/n S bytes over every link, which no algorithm beats on links
 * that cannot reduce (Patarasu and Yuan 2009, "Bandwidth optimal all-reduce algorithms for clusters
 * of workstations", section 3).
 *
 * A broadcast runs down the chain 0, 1, ... n-1 in c chunks: n - 2 + c steps, S bytes over every
 * link (the "pipelined ring" of NCCL; van de Geijn's chain).
 *
 * Ranks fill domains in order, so a ring enters and leaves each domain once. Of the steps that one
 * piece of data takes, one for each further domain crosses a boundary (NCCL's nInterSteps). */
#include "topo_collective_build.h"

static void pass_round(const TopoCollectiveCall *call, TopoSchedule *schedule, bool reduces)
{
    uint32_t n = call->ranks;
    const TopoSubgroup all = {.stride = 1, .ranks = n, .blocks = n, .bytes = call->bytes};
    topo_build_phase(schedule, n - 1)->block = (TopoTurn){n, -1};
    topo_build_ring(schedule, &all, reduces ? 1 : 0, reduces);
}

static void broadcast(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    uint32_t n = call->ranks, chunks = topo_build_chunks(call);
    schedule->blocks = chunks;
    TopoPhase *phase = topo_build_phase(schedule, n - 2 + chunks);
    phase->active = chunks;
    phase->block = (TopoTurn){chunks, 1};
    for (uint32_t i = 0; i + 1 < n; i++)
        topo_build_message(
            schedule,
            (TopoMessage){
                .from = i, .to = i + 1, .start = i, .blocks = 1, .bytes = call->bytes / chunks});
}

void topo_ring_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    if (call->op == TOPO_OP_BROADCAST) {
        broadcast(call, schedule);
        return;
    }
    schedule->blocks = call->ranks;
    if (call->op != TOPO_OP_ALL_GATHER)
        pass_round(call, schedule, true);
    if (call->op != TOPO_OP_REDUCE_SCATTER)
        pass_round(call, schedule, false);
}

void topo_ring_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    double n = call->ranks, domains = topo_build_domains(call);
    double passes = call->op == TOPO_OP_ALL_REDUCE ? 2.0 : 1.0;
    if (call->op == TOPO_OP_BROADCAST) {
        cost->port_bytes = call->bytes;
        cost->steps = n - 2.0 + topo_build_chunks(call);
    } else {
        cost->port_bytes = passes * (n - 1.0) / n * call->bytes;
        cost->steps = passes * (n - 1.0);
    }
    cost->inside_bytes = call->ranks_per_domain > 1 ? cost->port_bytes : 0.0;
    cost->domain_out_bytes = domains > 1.0 ? cost->port_bytes : 0.0;
    cost->steps_across = passes * (domains - 1.0);
}

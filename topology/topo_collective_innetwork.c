/* Reduction in the network.
 *
 * NVLS (NVSwitch from the third generation on; Klenk and others 2020, "An in-network architecture
 * for accelerating shared-memory multiprocessor collectives", section IV): one switch that reduces
 * and multicasts stands for the switches of a domain. To reduce-scatter, the switch reads the
 * tensor of every rank and answers each with its own sum: a rank sends S and receives S/n. To
 * all-gather, a rank sends S/n and the switch multicasts it: it receives S. An all-reduce is both,
 * (n+1)/n S each way instead of 2 (n-1)/n S, and 4 steps whatever the group's size.
 *
 * SHARP (Graham and others 2016, "Scalable Hierarchical Aggregation Protocol", section III): a tree
 * of fabric switches with @switch_radix ports down sums on the way up and multicasts on the way
 * down, chunk by chunk. A rank sends S and receives S; 2 levels + c - 1 steps.
 *
 * Switches are the indices from the group's size on. Left out: the limit of concurrent reductions
 * in a switch. */
#include "topo_collective_build.h"

bool topo_nvls_applies(const TopoCollectiveCall *call, GError **error)
{
    if (!call->domain_reduces)
        return topo_build_refuse(error, "the domain's switch cannot reduce this");
    if (call->ranks > call->ranks_per_domain)
        return topo_build_refuse(error, "the group spans scale-up domains");
    return true;
}

void topo_nvls_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    uint32_t n = call->ranks;
    schedule->blocks = n;
    schedule->switches = 1;
    const TopoMessage whole = {.blocks = n, .bytes = call->bytes};
    for (uint32_t gather = 0; gather < 2; gather++) {
        if (call->op == (gather ? TOPO_OP_REDUCE_SCATTER : TOPO_OP_ALL_GATHER))
            continue;
        topo_build_phase(schedule, 2)->active = 1;
        for (uint32_t i = 0; i < n; i++) {
            TopoMessage up = whole, down = whole;
            TopoMessage *own = gather ? &up : &down;
            *own = (TopoMessage){.block = i, .blocks = 1, .bytes = call->bytes / n};
            up.from = down.to = i;
            up.to = down.from = n;
            up.reduces = !gather;
            down.start = 1;
            topo_build_message(schedule, up);
            topo_build_message(schedule, down);
        }
    }
}

void topo_nvls_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    bool all = call->op == TOPO_OP_ALL_REDUCE;
    cost->port_bytes = call->bytes * (all ? 1.0 + 1.0 / call->ranks : 1.0);
    cost->inside_bytes = cost->port_bytes;
    cost->steps = all ? 4.0 : 2.0;
}

uint32_t topo_build_switch_levels(uint32_t ranks, uint32_t radix)
{
    uint32_t levels = 1;
    for (uint64_t reach = radix; reach < ranks; reach *= radix)
        levels++;
    return levels;
}

static void add_up_and_down(TopoSchedule *schedule, TopoMessage up, uint32_t level, uint32_t levels)
{
    TopoMessage down = up;
    down.from = up.to;
    down.to = up.from;
    down.reduces = false;
    up.start = level;
    down.start = 2 * levels - 1 - level;
    topo_build_message(schedule, up);
    topo_build_message(schedule, down);
}

uint32_t topo_build_switch_tree(TopoSchedule *schedule, const TopoSubgroup *group, uint32_t radix,
                                uint32_t first_switch, uint32_t chunks)
{
    uint32_t levels = topo_build_switch_levels(group->ranks, radix);
    uint32_t below = group->first, stride = group->stride, count = group->ranks, used = 0;
    TopoMessage up = {
        .block = group->block, .blocks = 1, .reduces = true, .bytes = group->bytes / chunks};
    for (uint32_t level = 0; level < levels; level++) {
        for (uint32_t i = 0; i < count; i++) {
            up.from = below + i * stride;
            up.to = first_switch + used + i / radix;
            add_up_and_down(schedule, up, level, levels);
        }
        below = first_switch + used;
        stride = 1;
        count = (count + radix - 1) / radix;
        used += count;
    }
    return used;
}

bool topo_sharp_applies(const TopoCollectiveCall *call, GError **error)
{
    if (call->switch_radix < 2)
        return topo_build_refuse(error, "the fabric's switches cannot reduce");
    return true;
}

void topo_sharp_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    uint32_t chunks = topo_build_chunks(call);
    const TopoSubgroup all = {
        .stride = 1, .ranks = call->ranks, .blocks = chunks, .bytes = call->bytes};
    schedule->blocks = chunks;
    uint32_t levels = topo_build_switch_levels(call->ranks, call->switch_radix);
    TopoPhase *phase = topo_build_phase(schedule, 2 * levels + chunks - 1);
    phase->active = chunks;
    phase->block = (TopoTurn){chunks, 1};
    schedule->switches =
        topo_build_switch_tree(schedule, &all, call->switch_radix, call->ranks, chunks);
}

void topo_sharp_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    double levels = topo_build_switch_levels(call->ranks, call->switch_radix);
    cost->port_bytes = call->bytes;
    cost->domain_out_bytes = MIN(call->ranks_per_domain, call->ranks) * call->bytes;
    cost->steps = 2.0 * levels + topo_build_chunks(call) - 1.0;
    cost->steps_across = 2.0 * levels;
}

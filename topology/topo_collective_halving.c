/* Recursive halving and doubling, for groups whose size is a power of two.
 *
 * Reduce-scatter by halving (Thakur, Rabenseifner, Gropp 2005, "Optimization of collective
 * communication operations in MPICH", section 4.3): ranks at distance n/2 exchange the half of the
 * tensor that the other will own, then at n/4 a quarter, and so on: log2 n steps, (n-1)/n S bytes.
 * All-gather by doubling (section 4.1) is the same backwards. The far exchanges carry most, so that
 * k ranks of a domain send k (n-k)/n S out of it.
 *
 * All-reduce (section 4.5, Rabenseifner 2004) is free to choose who owns what and begins with the
 * near exchanges: 2 log2 n steps, 2 (n-1)/n S bytes a rank, and only 2 (m-1)/m S out of each of m
 * domains. Rank r then owns the block whose number is r with its bits reversed.
 *
 * Every step pairs other ranks, so this takes n log2 n messages, more than a ring. */
#include "topo_collective_build.h"

static bool is_power_of_two(uint32_t n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

bool topo_halving_applies(const TopoCollectiveCall *call, GError **error)
{
    if (!is_power_of_two(call->ranks))
        return topo_build_refuse(error, "the group's size is not a power of two");
    if (call->ranks > call->ranks_per_domain && !is_power_of_two(call->ranks_per_domain))
        return topo_build_refuse(error, "the ranks of a domain are not a power of two");
    return true;
}

/* The blocks that rank @rank has left after exchanges at distances 1, 2, ... @distance. */
static uint32_t near_block(uint32_t rank, uint32_t distance, uint32_t ranks)
{
    uint32_t block = 0, part = ranks / 2;
    for (uint32_t d = 1; d <= distance; d <<= 1, part /= 2)
        block += (rank & d) ? part : 0;
    return block;
}

/* One exchange at @distance: each rank sends @blocks blocks, the other's when reducing and its own
 * when gathering. @near: ownership by reversed bits. */
static void exchange(const TopoCollectiveCall *call, TopoSchedule *schedule, uint32_t distance,
                     uint32_t blocks, bool near, bool reduces)
{
    uint32_t n = call->ranks;
    topo_build_phase(schedule, 1);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t owner = reduces ? i ^ distance : i;
        uint32_t block = near ? near_block(owner, distance, n) : owner - owner % blocks;
        topo_build_message(schedule, (TopoMessage){.from = i,
                                                   .to = i ^ distance,
                                                   .block = block,
                                                   .blocks = blocks,
                                                   .reduces = reduces,
                                                   .bytes = call->bytes / n * blocks});
    }
}

void topo_halving_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    uint32_t n = call->ranks;
    schedule->blocks = n;
    if (call->op == TOPO_OP_ALL_REDUCE) {
        for (uint32_t d = 1; d < n; d <<= 1)
            exchange(call, schedule, d, n / 2 / d, true, true);
        for (uint32_t d = n / 2; d > 0; d >>= 1)
            exchange(call, schedule, d, n / 2 / d, true, false);
    } else if (call->op == TOPO_OP_REDUCE_SCATTER) {
        for (uint32_t d = n / 2; d > 0; d >>= 1)
            exchange(call, schedule, d, d, false, true);
    } else {
        for (uint32_t d = 1; d < n; d <<= 1)
            exchange(call, schedule, d, d, false, false);
    }
}

static double log2_of(uint32_t n)
{
    double log = 0.0;
    for (; n > 1; n >>= 1)
        log += 1.0;
    return log;
}

void topo_halving_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    bool all = call->op == TOPO_OP_ALL_REDUCE;
    uint32_t domains = topo_build_domains(call);
    double n = call->ranks, m = domains, k = MIN(call->ranks_per_domain, call->ranks);
    double passes = all ? 2.0 : 1.0;
    cost->port_bytes = passes * (n - 1.0) / n * call->bytes;
    cost->inside_bytes = passes * call->bytes * (all ? (k - 1.0) / k : (k - 1.0) / n);
    cost->domain_out_bytes = passes * call->bytes * (all ? (m - 1.0) / m : k * (n - k) / n);
    cost->steps = passes * log2_of(call->ranks);
    cost->steps_across = passes * log2_of(domains);
}

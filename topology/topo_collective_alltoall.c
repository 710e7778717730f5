/* All-to-all: every rank holds S bytes, S/n for each rank.
 *
 * direct     all messages at once, one step of latency: what NCCL makes of grouped sends
 * pairwise   n-1 steps; in step r rank i sends to i + 1 + r (Thakur, Rabenseifner, Gropp 2005,
 *            section 4.2, long messages)
 * two-level  (a, i), rank i of domain a, sends (b, i) everything for domain b; (b, i) hands it on
 *            inside (2D all-to-all: DeepSpeed-MoE, Rajbhandari and others 2022, section 5.2;
 *            DeepEP's order). The same bytes leave a domain in messages k times larger, and inside
 *            m (k-1) S/n is sent as well.
 *
 * Block numbers are destinations. */
#include "topo_collective_build.h"

static TopoPhase *everyone_to_everyone(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    uint32_t n = call->ranks;
    schedule->blocks = n;
    TopoPhase *phase = topo_build_phase(schedule, n - 1);
    phase->to = phase->block = (TopoTurn){n, 1};
    for (uint32_t i = 0; i < n; i++) {
        uint32_t to = (i + 1) % n;
        topo_build_message(
            schedule,
            (TopoMessage){.from = i, .to = to, .block = to, .blocks = 1, .bytes = call->bytes / n});
    }
    return phase;
}

void topo_direct_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    everyone_to_everyone(call, schedule)->at_once = true;
}

void topo_direct_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    topo_pairwise_cost(call, cost);
    cost->steps = 1.0;
    cost->steps_across = MIN(cost->steps_across, 1.0);
}

void topo_pairwise_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    everyone_to_everyone(call, schedule);
}

/* A domain of x ranks sends x (n-x) shares out: the most from the largest or, where that is more
 * than half of the group, from the same pair of domains seen from the other side. */
void topo_pairwise_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    double n = call->ranks, k = MIN(call->ranks_per_domain, call->ranks);
    cost->port_bytes = (n - 1.0) / n * call->bytes;
    cost->inside_bytes = (k - 1.0) / n * call->bytes;
    cost->domain_out_bytes = k * (n - k) / n * call->bytes;
    cost->steps = n - 1.0;
    cost->steps_across = n - k;
}

void topo_two_level_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    uint32_t n = call->ranks, k = call->ranks_per_domain, m = topo_build_domains(call);
    schedule->blocks = n;
    TopoPhase *phase = topo_build_phase(schedule, m - 1);
    phase->at_once = true;
    phase->to = phase->block = (TopoTurn){n, (int32_t)k};
    for (uint32_t i = 0; i < n; i++) {
        uint32_t to = (i + k) % n;
        topo_build_message(schedule, (TopoMessage){.from = i,
                                                   .to = to,
                                                   .block = to - to % k,
                                                   .blocks = k,
                                                   .bytes = call->bytes / n * k});
    }
    if (k == 1)
        return;
    phase = topo_build_phase(schedule, k - 1);
    phase->at_once = true;
    phase->to = phase->block = (TopoTurn){k, 1};
    for (uint32_t i = 0; i < n; i++) {
        uint32_t to = i - i % k + (i % k + 1) % k;
        topo_build_message(
            schedule,
            (TopoMessage){
                .from = i, .to = to, .block = to, .blocks = 1, .bytes = call->bytes / n * m});
    }
}

void topo_two_level_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    double n = call->ranks, k = call->ranks_per_domain, m = topo_build_domains(call);
    cost->inside_bytes = (k - 1.0) / n * m * call->bytes;
    cost->port_bytes = cost->inside_bytes + (m - 1.0) / n * k * call->bytes;
    cost->domain_out_bytes = k * (n - k) / n * call->bytes;
    cost->steps = k > 1.0 ? 2.0 : 1.0;
    cost->steps_across = 1.0;
}

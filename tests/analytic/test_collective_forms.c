/* Closed forms of collectives against their own schedules and against the papers. Bytes are summed
 * over all messages in the schedule, so the tolerance of 1e-9 covers the rounding of sums. */
#include "topo_collective.h"

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

static bool near(double got, double want)
{
    return fabs(got - want) <= 1e-9 * fmax(fabs(want), 1.0);
}

/* What the schedule puts where, by direction: port and inside of each rank, out of each domain. */
typedef struct Tally {
    double *port[2], *inside[2], *domain[2];
    double steps, steps_across;
} Tally;

static void add(Tally *t, const TopoMessage *m, uint32_t ranks, uint32_t k, bool nvls)
{
    const uint32_t ends[2] = {m->from, m->to};
    for (int way = 0; way < 2; way++) {
        uint32_t here = ends[way], there = ends[1 - way];
        bool same = there >= ranks ? nvls : here / k == there / k;
        if (here >= ranks)
            continue;
        t->port[way][here] += m->bytes;
        *(same ? &t->inside[way][here] : &t->domain[way][here / k]) += m->bytes;
    }
}

static double most(double *const way[2], uint32_t count)
{
    double high = 0.0;
    for (uint32_t i = 0; i < count; i++)
        high = fmax(high, fmax(way[0][i], way[1][i]));
    return high;
}

/* A switch stands inside the domain for NVLS (numbered first in nvls-tree), else in the fabric. */
static TopoCollectiveCost tally(const TopoAlgorithm *algorithm, const TopoCollectiveCall *call,
                                const TopoSchedule *schedule)
{
    Tally t = {.steps = 0.0};
    for (int way = 0; way < 2; way++) {
        t.port[way] = g_new0(double, call->ranks);
        t.inside[way] = g_new0(double, call->ranks);
        t.domain[way] = g_new0(double, call->ranks);
    }
    bool nvls = g_str_has_prefix(algorithm->name, "nvls");
    for (size_t p = 0; p < schedule->phases->len; p++) {
        const TopoPhase *phase = &g_array_index(schedule->phases, TopoPhase, p);
        t.steps += phase->at_once ? 1.0 : phase->repeat;
        for (uint32_t i = 0; i < phase->count; i++)
            for (uint32_t a = 0; a < phase->active; a++) {
                TopoMessage m = topo_schedule_message(schedule, phase, i, a);
                add(&t, &m, call->ranks, call->ranks_per_domain, nvls);
            }
    }
    TopoCollectiveCost cost = {.port_bytes = most(t.port, call->ranks),
                               .inside_bytes = most(t.inside, call->ranks),
                               .domain_out_bytes = most(t.domain, call->ranks),
                               .steps = t.steps};
    for (int way = 0; way < 2; way++) {
        g_free(t.port[way]);
        g_free(t.inside[way]);
        g_free(t.domain[way]);
    }
    return cost;
}

static const double popularity[24] = {5, 1, 1, 2, 1, 1, 3, 1, 1, 1, 1, 1,
                                      1, 9, 1, 1, 1, 2, 1, 1, 1, 1, 4, 1};
static const TopoRouting routings[] = {
    {.tokens = 64, .token_bytes = 7168, .experts = 48, .topk = 6, .domain_limit = 3          },
    {.tokens = 64, .token_bytes = 7168, .experts = 24, .topk = 4, .expert_weight = popularity},
};

static size_t compare(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    size_t count, compared = 0;
    const TopoAlgorithm *algorithms = topo_collective_all(&count);
    for (size_t i = 0; i < count; i++) {
        TopoCollectiveCost want;
        if (!topo_collective_phases(&algorithms[i], call, schedule, NULL))
            continue;
        cr_assert(topo_collective_cost(&algorithms[i], call, &want, NULL));
        TopoCollectiveCost got = tally(&algorithms[i], call, schedule);
        compared++;
        cr_expect(
            near(got.port_bytes, want.port_bytes) && near(got.inside_bytes, want.inside_bytes) &&
                near(got.domain_out_bytes, want.domain_out_bytes) && got.steps == want.steps,
            "%s, %s of %u ranks, %u a domain: port %g not %g, inside %g not %g, out %g not "
            "%g, steps %g not %g",
            algorithms[i].name, topo_collective_op_name(call->op), call->ranks,
            call->ranks_per_domain, got.port_bytes, want.port_bytes, got.inside_bytes,
            want.inside_bytes, got.domain_out_bytes, want.domain_out_bytes, got.steps, want.steps);
    }
    return compared;
}

Test(forms, agree_with_the_messages_of_every_schedule)
{
    g_autoptr(TopoSchedule) schedule = topo_schedule_new();
    static const uint32_t ranks[] = {2, 3, 4, 5, 6, 8, 12, 16, 24};
    size_t compared = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(ranks); i++)
        for (uint32_t k = 1; k <= ranks[i]; k++)
            for (uint32_t chunks = 1; chunks <= 4; chunks += 3)
                for (int op = 0; op < TOPO_OP_COUNT; op++)
                    for (size_t route = 0; route < G_N_ELEMENTS(routings); route++) {
                        TopoCollectiveCall call = {.op = (TopoCollectiveOp)op,
                                                   .ranks = ranks[i],
                                                   .ranks_per_domain = k,
                                                   .bytes = 1e6,
                                                   .chunks = chunks,
                                                   .servers = 1 + ranks[i] / 3,
                                                   .switch_radix = 3,
                                                   .domain_reduces = true,
                                                   .routing = &routings[route]};
                        compared += compare(&call, schedule);
                    }
    cr_expect(compared > 1000);
}

static TopoCollectiveCost cost_of(const char *name, TopoCollectiveCall call)
{
    TopoCollectiveCost cost = {0};
    g_autoptr(GError) error = NULL;
    const TopoAlgorithm *algorithm = topo_collective_by_name(name, &error);
    cr_assert_not_null(algorithm);
    cr_assert(topo_collective_cost(algorithm, &call, &cost, &error), "%s", error->message);
    return cost;
}

Test(forms, a_ring_sends_what_bus_bandwidth_counts)
{
    static const TopoCollectiveOp ops[] = {TOPO_OP_ALL_REDUCE, TOPO_OP_ALL_GATHER,
                                           TOPO_OP_REDUCE_SCATTER, TOPO_OP_BROADCAST};
    for (uint32_t n = 2; n <= 4096; n *= 2)
        for (size_t i = 0; i < G_N_ELEMENTS(ops); i++) {
            TopoCollectiveCost cost =
                cost_of("ring", (TopoCollectiveCall){
                                    .op = ops[i], .ranks = n, .ranks_per_domain = n, .bytes = 1e9});
            cr_expect(near(cost.port_bytes, topo_collective_bus_bytes(ops[i], n, 1e9)));
        }
}

/* nccl-tests, doc/PERFORMANCE.md, "Summary". */
Test(forms, bus_factors_are_those_of_nccl_tests)
{
    cr_expect_eq(topo_collective_bus_factor(TOPO_OP_ALL_REDUCE, 8), 1.75);
    cr_expect_eq(topo_collective_bus_factor(TOPO_OP_ALL_GATHER, 8), 0.875);
    cr_expect_eq(topo_collective_bus_factor(TOPO_OP_REDUCE_SCATTER, 8), 0.875);
    cr_expect_eq(topo_collective_bus_factor(TOPO_OP_ALL_TO_ALL, 8), 0.875);
    cr_expect_eq(topo_collective_bus_factor(TOPO_OP_BROADCAST, 8), 1.0);
    cr_expect_eq(topo_collective_bus_factor(TOPO_OP_SEND, 2), 1.0);
}

Test(forms, latency_is_linear_for_rings_and_logarithmic_for_trees)
{
    for (uint32_t log = 1; log <= 14; log++) {
        TopoCollectiveCall call = {.ranks = 1u << log, .ranks_per_domain = 1, .bytes = 1e6};
        double n = call.ranks;
        cr_expect_eq(cost_of("ring", call).steps, 2.0 * (n - 1.0));
        cr_expect_eq(cost_of("tree", call).steps, 2.0 * log);
        cr_expect_eq(cost_of("tree", call).steps_across, 2.0 * log);
        cr_expect_eq(cost_of("halving-doubling", call).steps, 2.0 * log);
    }
}

/* Sanders, Speck, Traeff 2009: both trees together keep every port busy with 2 S at most. */
Test(forms, no_rank_of_the_double_tree_sends_more_than_two_tensors)
{
    for (uint32_t n = 2; n < 200; n++) {
        TopoCollectiveCall call = {.ranks = n, .ranks_per_domain = 1, .bytes = 1e6};
        cr_expect(cost_of("tree", call).port_bytes <= 2e6);
    }
}

/* 16 domains of 8: the ring puts 2 (n-1)/n S through one NIC of a domain, the hierarchy 2 (m-1)/m S
 * through all eight together, and no rank sends more than in the ring. */
Test(forms, a_hierarchy_sends_less_between_domains)
{
    TopoCollectiveCall call = {.ranks = 128, .ranks_per_domain = 8, .bytes = 1e9};
    TopoCollectiveCost flat = cost_of("ring", call), deep = cost_of("hierarchical-ring", call);
    cr_expect(near(flat.domain_out_bytes, 2e9 * 127.0 / 128.0));
    cr_expect(near(deep.domain_out_bytes, 2e9 * 15.0 / 16.0));
    cr_expect(near(deep.port_bytes, flat.port_bytes));
    cr_expect_eq(deep.steps, 2.0 * 7.0 + 2.0 * 15.0);
    cr_expect_eq(deep.steps_across, 2.0 * 15.0);
    cr_expect_eq(cost_of("hierarchical-tree", call).steps_across, 8.0);
}

/* Klenk and others 2020: in-switch reduction halves the bytes of large groups. */
Test(forms, nvls_sends_the_tensor_about_once)
{
    for (uint32_t n = 2; n <= 72; n++) {
        TopoCollectiveCall call = {
            .ranks = n, .ranks_per_domain = 72, .bytes = 1e9, .domain_reduces = true};
        cr_expect(near(cost_of("nvls", call).port_bytes, 1e9 * (n + 1.0) / n));
        cr_expect_eq(cost_of("nvls", call).steps, 4.0);
    }
}

Test(forms, sharp_climbs_as_many_levels_as_its_radix_needs)
{
    TopoCollectiveCall call = {
        .ranks = 1024, .ranks_per_domain = 8, .bytes = 1e6, .switch_radix = 32};
    cr_expect_eq(cost_of("sharp", call).steps, 4.0);
    cr_expect_eq(cost_of("sharp", call).port_bytes, 1e6);
    call.ranks = 1025;
    cr_expect_eq(cost_of("sharp", call).steps, 6.0);
}

static double choose(double n, double k)
{
    return exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0));
}

Test(forms, uniform_visits_are_hypergeometric)
{
    TopoRouting free = {.experts = 256, .topk = 8}, limited = free;
    limited.domain_limit = 4;
    double domain = 1.0 - choose(224, 8) / choose(256, 8);
    double within = 0.5 * (1.0 - choose(96, 8) / choose(128, 8));
    cr_expect(near(topo_routing_visit(&free, 64, 32, 32), domain));
    cr_expect(near(topo_routing_visit(&limited, 64, 32, 32), within));
    cr_expect(near(topo_routing_visit(&free, 0, 256, 256), 1.0));
}

/* Weighted draws: K = 1 visits in proportion to the odds; expected experts always sum to K. */
Test(forms, weighted_visits_follow_the_odds)
{
    TopoRouting routing = {.experts = 24, .topk = 1, .expert_weight = popularity};
    cr_expect(near(topo_routing_visit(&routing, 0, 1, 24), 5.0 / 43.0));
    routing.topk = 4;
    double sum = 0.0;
    for (uint32_t j = 0; j < 24; j++)
        sum += topo_routing_visit(&routing, j, 1, 24);
    cr_expect(near(sum, 4.0), "%.12g", sum);
    routing.domain_limit = 2;
    double alone = topo_routing_visit(&routing, 8, 8, 8);
    cr_expect(alone > 0.0 && alone < 1.0);
}

/* A token of top-8 over 8 domains visits 5.3 of them, or at most 4 with a limit: dedupe and limit
 * must show in what leaves a domain, against one copy an expert. */
Test(forms, dedupe_and_node_limit_cut_what_leaves_a_domain)
{
    TopoRouting routing = {.tokens = 4096, .token_bytes = 7168, .experts = 256, .topk = 8};
    TopoCollectiveCall call = {
        .op = TOPO_OP_DISPATCH, .ranks = 64, .ranks_per_domain = 8, .routing = &routing};
    double direct = cost_of("expert-direct", call).domain_out_bytes;
    double deduped = cost_of("expert-two-level", call).domain_out_bytes;
    routing.domain_limit = 4;
    double limited = cost_of("expert-two-level", call).domain_out_bytes;
    double tensor = 8.0 * 4096.0 * 7168.0;
    cr_expect(near(direct, tensor * 7.0));
    cr_expect(near(deduped, tensor * 7.0 * (1.0 - choose(224, 8) / choose(256, 8))));
    cr_expect(near(limited, tensor * 7.0 * 0.5 * (1.0 - choose(96, 8) / choose(128, 8))));
}

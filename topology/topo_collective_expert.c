/* Dispatch and combine of an expert layer.
 *
 * Every rank holds T tokens and sends each to the ranks of its top K of E experts; E/n lie on each
 * rank. Three things decide the bytes:
 *
 *   dedupe      a token with several experts in one domain crosses to that domain once, and a
 *               token with several experts on one rank goes to it once. Each rank expects
 *               T p_d tokens for a domain d and T p_g for a rank g, p the chance of a visit;
 *   node limit  a token may visit L domains only (DeepSeek-V3, section 2.1.2);
 *   popularity  some experts are wanted more.
 *
 * K distinct experts drawn with odds w_j miss a set A with the chance e_K(w outside A) / e_K(w),
 * e_K the elementary symmetric polynomial: conditional Poisson sampling (Hajek 1964), and exactly
 * C(E-|A|, K) / C(E, K) when all are alike. With a limit, L of m domains are drawn by the sum of
 * their odds first, and the others that were drawn with d have the mean odds of all others.
 *
 *   two-level   (a, i) sends each token once to (b, i) of every domain b that it visits; (b, i)
 *               hands it to the visited ranks of b. Combine goes back the same way, with sums made
 *               inside the domain first (DeepEP, normal kernels).
 *   direct      one copy an expert straight to its rank, at once (DeepEP, low-latency kernels).
 *
 * Left out: metadata (top-k indices, weights) and the padding of fixed-size buffers. */
#include "topo_collective_build.h"

/* e_K of @all weights less those in [@first, @first + @count). */
static double symmetric(const TopoRouting *routing, uint32_t first, uint32_t count, double scale)
{
    uint32_t topk = routing->topk;
    g_autofree double *e = g_new0(double, topk + 1);
    e[0] = 1.0;
    for (uint32_t j = 0; j < routing->experts; j++) {
        if (j >= first && j < first + count)
            continue;
        double w = (routing->expert_weight ? routing->expert_weight[j] : 1.0) * scale;
        for (uint32_t t = topk; t > 0; t--)
            e[t] += w * e[t - 1];
    }
    return e[topk];
}

static double weight_of(const TopoRouting *routing, uint32_t first, uint32_t count)
{
    if (!routing->expert_weight)
        return count;
    double sum = 0.0;
    for (uint32_t j = first; j < first + count; j++)
        sum += routing->expert_weight[j];
    return sum;
}

/* Chance that domain @domain is among the @limit that a token draws. */
static double domain_drawn(const TopoRouting *routing, uint32_t domain, uint32_t size)
{
    uint32_t domains = routing->experts / size;
    g_autofree double *weights = g_new(double, domains);
    double total = weight_of(routing, 0, routing->experts);
    for (uint32_t d = 0; d < domains; d++)
        weights[d] = weight_of(routing, d * size, size) / total * domains;
    const TopoRouting draw = {
        .experts = domains, .topk = routing->domain_limit, .expert_weight = weights};
    return 1.0 - symmetric(&draw, domain, 1, 1.0) / symmetric(&draw, 0, 0, 1.0);
}

/* Likewise of the K experts, when the token is free to choose among its domain and limit-1
 * average others. */
static double drawn_inside(const TopoRouting *routing, uint32_t first, uint32_t count,
                           uint32_t size)
{
    uint32_t home = first / size * size, limit = routing->domain_limit;
    double others = weight_of(routing, 0, routing->experts) - weight_of(routing, home, size);
    double mean = others / (routing->experts - size);
    g_autofree double *weights = g_new(double, limit *size);
    for (uint32_t j = 0; j < size; j++)
        weights[j] = routing->expert_weight ? routing->expert_weight[home + j] : 1.0;
    for (uint32_t j = size; j < limit * size; j++)
        weights[j] = mean;
    const TopoRouting draw = {
        .experts = limit * size, .topk = routing->topk, .expert_weight = weights};
    double scale = draw.experts / MAX(weight_of(&draw, 0, draw.experts), 1e-300);
    return 1.0 - symmetric(&draw, first - home, count, scale) / symmetric(&draw, 0, 0, scale);
}

double topo_routing_visit(const TopoRouting *routing, uint32_t first, uint32_t count,
                          uint32_t domain_experts)
{
    uint32_t limit = routing->domain_limit;
    if (limit > 0 && limit * domain_experts < routing->experts)
        return domain_drawn(routing, first / domain_experts, domain_experts) *
               drawn_inside(routing, first, count, domain_experts);
    double scale = routing->experts / weight_of(routing, 0, routing->experts);
    return 1.0 - symmetric(routing, first, count, scale) / symmetric(routing, 0, 0, scale);
}

/* Bytes that every rank has for each domain and, per token source, for each rank. */
typedef struct Demand {
    double *domain;
    double *rank;
} Demand;

static void fill(const TopoCollectiveCall *call, double *bytes, uint32_t count, uint32_t size,
                 uint32_t domain_experts)
{
    const TopoRouting *routing = call->routing;
    for (uint32_t i = 0; i < count; i++)
        bytes[i] = i > 0 && !routing->expert_weight
                       ? bytes[0]
                       : routing->tokens * routing->token_bytes *
                             topo_routing_visit(routing, i * size, size, domain_experts);
}

static Demand demand_new(const TopoCollectiveCall *call)
{
    uint32_t on_rank = call->routing->experts / call->ranks;
    uint32_t in_domain = on_rank * call->ranks_per_domain;
    Demand demand = {g_new(double, topo_build_domains(call)), g_new(double, call->ranks)};
    fill(call, demand.domain, topo_build_domains(call), in_domain, in_domain);
    fill(call, demand.rank, call->ranks, on_rank, in_domain);
    return demand;
}

static void demand_clear(Demand *demand)
{
    g_free(demand->domain);
    g_free(demand->rank);
}

/* Between domains: blocks are destination ranks for a dispatch; for a combine they are the ranks
 * that the tokens came from, numbered by rail. Uniform demand needs one message a rank. */
static void across(const TopoCollectiveCall *call, TopoSchedule *schedule, const Demand *demand)
{
    uint32_t n = call->ranks, k = call->ranks_per_domain, m = n / k;
    bool uniform = !call->routing->expert_weight, combine = call->op == TOPO_OP_COMBINE;
    TopoPhase *phase = topo_build_phase(schedule, uniform ? m - 1 : 1);
    phase->at_once = true;
    phase->to = (TopoTurn){n, (int32_t)k};
    phase->block = combine ? (TopoTurn){m, 1} : phase->to;
    for (uint32_t hop = 1; hop < (uniform ? 2 : m); hop++) {
        for (uint32_t i = 0; i < n; i++) {
            uint32_t to = (i + hop * k) % n;
            topo_build_message(schedule,
                               (TopoMessage){.from = i,
                                             .to = to,
                                             .block = combine ? i % k * m + to / k : to - to % k,
                                             .blocks = combine ? 1 : k,
                                             .reduces = combine,
                                             .bytes = demand->domain[(combine ? i : to) / k]});
        }
    }
}

/* Inside a domain, what all m domains have for it along one rail. */
static void inside(const TopoCollectiveCall *call, TopoSchedule *schedule, const Demand *demand)
{
    uint32_t n = call->ranks, k = call->ranks_per_domain, m = topo_build_domains(call);
    bool uniform = !call->routing->expert_weight, combine = call->op == TOPO_OP_COMBINE;
    if (k == 1)
        return;
    TopoPhase *phase = topo_build_phase(schedule, uniform ? k - 1 : 1);
    phase->at_once = true;
    phase->to = (TopoTurn){k, 1};
    phase->block = combine ? (TopoTurn){n, (int32_t)m} : phase->to;
    for (uint32_t hop = 1; hop < (uniform ? 2 : k); hop++) {
        for (uint32_t i = 0; i < n; i++) {
            uint32_t to = i - i % k + (i % k + hop) % k;
            topo_build_message(schedule,
                               (TopoMessage){.from = i,
                                             .to = to,
                                             .block = combine ? to % k * m : to,
                                             .blocks = combine ? m : 1,
                                             .reduces = combine,
                                             .bytes = m * demand->rank[combine ? i : to]});
        }
    }
}

void topo_expert_two_level_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    bool combine = call->op == TOPO_OP_COMBINE;
    Demand demand = demand_new(call);
    schedule->blocks = call->ranks;
    schedule->stripe = combine ? call->ranks_per_domain : 1;
    if (combine)
        inside(call, schedule, &demand);
    if (call->ranks > call->ranks_per_domain)
        across(call, schedule, &demand);
    if (!combine)
        inside(call, schedule, &demand);
    demand_clear(&demand);
}

void topo_expert_two_level_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    Demand demand = demand_new(call);
    uint32_t n = call->ranks, k = call->ranks_per_domain, m = topo_build_domains(call);
    double all_domains = 0.0;
    for (uint32_t d = 0; d < m; d++)
        all_domains += demand.domain[d];
    for (uint32_t d = 0; d < m; d++) {
        double own = demand.domain[d], of_ranks = 0.0;
        double out = MAX(all_domains - own, (m - 1.0) * own);
        for (uint32_t i = 0; i < k; i++)
            of_ranks += demand.rank[d * k + i];
        for (uint32_t i = 0; i < k; i++) {
            double mine = demand.rank[d * k + i];
            double spread = m * (of_ranks - mine), gather = m * (k - 1.0) * mine;
            cost->inside_bytes = MAX(cost->inside_bytes, MAX(spread, gather));
            cost->port_bytes =
                MAX(cost->port_bytes, MAX(all_domains - own + spread, (m - 1.0) * own + gather));
        }
        cost->domain_out_bytes = MAX(cost->domain_out_bytes, k * out);
    }
    cost->steps = (n > k ? 1.0 : 0.0) + (k > 1 ? 1.0 : 0.0);
    cost->steps_across = n > k ? 1.0 : 0.0;
    demand_clear(&demand);
}

/* Copies that one rank sends to each rank: the expected number of its tokens' experts there. */
static double *copies_new(const TopoCollectiveCall *call)
{
    const TopoRouting *routing = call->routing;
    uint32_t n = call->ranks, on_rank = routing->experts / n;
    double *bytes = g_new0(double, n);
    double scale = routing->tokens * routing->token_bytes;
    for (uint32_t i = 0; i < n; i++) {
        if (!routing->expert_weight) {
            bytes[i] = scale * routing->topk / n;
            continue;
        }
        for (uint32_t j = 0; j < on_rank; j++)
            bytes[i] += scale * topo_routing_visit(routing, i * on_rank + j, 1,
                                                   on_rank * call->ranks_per_domain);
    }
    return bytes;
}

void topo_expert_direct_build(const TopoCollectiveCall *call, TopoSchedule *schedule)
{
    g_autofree double *copies = copies_new(call);
    uint32_t n = call->ranks;
    bool uniform = !call->routing->expert_weight, combine = call->op == TOPO_OP_COMBINE;
    schedule->blocks = n;
    TopoPhase *phase = topo_build_phase(schedule, uniform ? n - 1 : 1);
    phase->at_once = true;
    phase->to = phase->block = (TopoTurn){n, 1};
    for (uint32_t hop = 1; hop < (uniform ? 2 : n); hop++) {
        for (uint32_t i = 0; i < n; i++) {
            uint32_t to = (i + hop) % n;
            topo_build_message(schedule, (TopoMessage){.from = i,
                                                       .to = to,
                                                       .block = to,
                                                       .blocks = 1,
                                                       .reduces = combine,
                                                       .bytes = copies[combine ? i : to]});
        }
    }
}

void topo_expert_direct_cost(const TopoCollectiveCall *call, TopoCollectiveCost *cost)
{
    g_autofree double *copies = copies_new(call);
    uint32_t n = call->ranks, k = MIN(call->ranks_per_domain, n);
    double total = 0.0;
    for (uint32_t i = 0; i < n; i++)
        total += copies[i];
    for (uint32_t first = 0; first < n; first += k) {
        double domain = 0.0, size = MIN(k, n - first);
        for (uint32_t i = first; i < first + (uint32_t)size; i++)
            domain += copies[i];
        for (uint32_t i = first; i < first + (uint32_t)size; i++) {
            cost->port_bytes = MAX(cost->port_bytes, MAX(total - copies[i], (n - 1.0) * copies[i]));
            cost->inside_bytes =
                MAX(cost->inside_bytes, MAX(domain - copies[i], (size - 1.0) * copies[i]));
        }
        cost->domain_out_bytes =
            MAX(cost->domain_out_bytes, MAX(size * (total - domain), (n - size) * domain));
    }
    cost->steps = 1.0;
    cost->steps_across = n > k ? 1.0 : 0.0;
}

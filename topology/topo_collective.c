/* The table of collective algorithms.
 *
 * A collective is a schedule: phases of messages, in order (topo_collective_build.c has the form).
 * A row builds it for a group and has its closed forms: bytes through the busiest port, bytes out
 * of the busiest scale-up domain, steps of latency. So alpha-beta can price a row without building
 * it, the fluid network can spread its bytes over links, and a message-level simulator can replay
 * it, all from the same description:
 *
 *   time = steps inside * hop inside + steps across * hop across
 *        + max(bytes inside / rate inside, bytes out of a domain / rate of its NICs)      [s]
 *
 * (Hockney's model; the max says that stages overlap chunk by chunk, as NCCL's do).
 *
 * Bandwidths are reported as nccl-tests does (doc/PERFORMANCE.md): algbw = S / t, and busbw = algbw
 * times 2 (n-1)/n for an all-reduce, (n-1)/n for all-gather, reduce-scatter and all-to-all, 1
 * otherwise, whatever the algorithm; S is the whole tensor. In-network reduction can therefore
 * show more than the link's rate: it moves (n+1)/n S.
 *
 * Left out: contention (the networks' business), NUMA, and the order of ranks in rings, which is
 * the group's own. */
#include "topo_collective_build.h"

#include "sim_row.h"

#include <math.h>

#define SERVES(op) (1u << TOPO_OP_##op)
#define REDUCE_AND_GATHER (SERVES(ALL_REDUCE) | SERVES(ALL_GATHER) | SERVES(REDUCE_SCATTER))

/* clang-format off */
static const TopoAlgorithm algorithms[] = {
    {.name = "ring",
     .source = "Patarasu and Yuan 2009, section 3; NCCL",
     .serves = REDUCE_AND_GATHER | SERVES(BROADCAST),
     .rotates = true,
     .build = topo_ring_build,
     .cost = topo_ring_cost},
    {.name = "tree",
     .source = "Sanders, Speck, Traeff 2009, section 2; NCCL 2.4",
     .serves = SERVES(ALL_REDUCE),
     .rotates = true,
     .build = topo_tree_build,
     .cost = topo_tree_cost},
    {.name = "halving-doubling",
     .source = "Thakur, Rabenseifner, Gropp 2005, section 4",
     .serves = REDUCE_AND_GATHER,
     .applies = topo_halving_applies,
     .build = topo_halving_build,
     .cost = topo_halving_cost},
    {.name = "hierarchical-ring",
     .source = "Cho and others 2019 (BlueConnect), section 4",
     .serves = REDUCE_AND_GATHER,
     .applies = topo_build_spans_domains,
     .build = topo_hierarchical_ring_build,
     .cost = topo_hierarchical_ring_cost},
    {.name = "hierarchical-tree",
     .source = "Cho and others 2019, with the tree of NCCL 2.4 between nodes",
     .serves = SERVES(ALL_REDUCE),
     .applies = topo_build_spans_domains,
     .build = topo_hierarchical_tree_build,
     .cost = topo_hierarchical_tree_cost},
    {.name = "nvls",
     .source = "Klenk and others 2020, section IV; NCCL 2.17",
     .serves = REDUCE_AND_GATHER,
     .applies = topo_nvls_applies,
     .build = topo_nvls_build,
     .cost = topo_nvls_cost},
    {.name = "nvls-tree",
     .source = "NCCL 2.18, NVLSTree",
     .serves = SERVES(ALL_REDUCE),
     .applies = topo_nvls_tree_applies,
     .build = topo_nvls_tree_build,
     .cost = topo_nvls_tree_cost},
    {.name = "sharp",
     .source = "Graham and others 2016, section III",
     .serves = SERVES(ALL_REDUCE),
     .in_fabric = true,
     .applies = topo_sharp_applies,
     .build = topo_sharp_build,
     .cost = topo_sharp_cost},
    {.name = "hierarchical-sharp",
     .source = "Graham and others 2016; NCCL CollNet",
     .serves = SERVES(ALL_REDUCE),
     .in_fabric = true,
     .applies = topo_hierarchical_sharp_applies,
     .build = topo_hierarchical_sharp_build,
     .cost = topo_hierarchical_sharp_cost},
    {.name = "one-shot",
     .source = "vLLM and TensorRT-LLM, custom all-reduce",
     .serves = SERVES(ALL_REDUCE),
     .applies = topo_shot_applies,
     .build = topo_one_shot_build,
     .cost = topo_one_shot_cost},
    {.name = "two-shot",
     .source = "Rabenseifner 2004; vLLM and TensorRT-LLM, custom all-reduce",
     .serves = SERVES(ALL_REDUCE),
     .applies = topo_shot_applies,
     .build = topo_two_shot_build,
     .cost = topo_two_shot_cost},
    {.name = "direct",
     .source = "NCCL grouped send and receive",
     .serves = SERVES(ALL_TO_ALL),
     .build = topo_direct_build,
     .cost = topo_direct_cost},
    {.name = "pairwise",
     .source = "Thakur, Rabenseifner, Gropp 2005, section 4.2",
     .serves = SERVES(ALL_TO_ALL),
     .build = topo_pairwise_build,
     .cost = topo_pairwise_cost},
    {.name = "two-level",
     .source = "Rajbhandari and others 2022 (DeepSpeed-MoE), section 5.2",
     .serves = SERVES(ALL_TO_ALL),
     .applies = topo_build_spans_domains,
     .build = topo_two_level_build,
     .cost = topo_two_level_cost},
    {.name = "expert-two-level",
     .source = "DeepEP, normal kernels; DeepSeek-V3, section 3.2.2",
     .serves = SERVES(DISPATCH) | SERVES(COMBINE),
     .build = topo_expert_two_level_build,
     .cost = topo_expert_two_level_cost},
    {.name = "expert-direct",
     .source = "DeepEP, low-latency kernels",
     .serves = SERVES(DISPATCH) | SERVES(COMBINE),
     .build = topo_expert_direct_build,
     .cost = topo_expert_direct_cost},
    {.name = "send",
     .source = "point to point",
     .serves = SERVES(SEND),
     .build = topo_send_build,
     .cost = topo_send_cost},
    {.name = "parameter-server",
     .source = "Li and others 2014, section 4",
     .serves = SERVES(PUSH) | SERVES(PULL),
     .build = topo_server_build,
     .cost = topo_server_cost},
};
/* clang-format on */

static const char *const op_names[] = {
    [TOPO_OP_ALL_REDUCE] = "all_reduce",
    [TOPO_OP_ALL_GATHER] = "all_gather",
    [TOPO_OP_REDUCE_SCATTER] = "reduce_scatter",
    [TOPO_OP_BROADCAST] = "broadcast",
    [TOPO_OP_ALL_TO_ALL] = "all_to_all",
    [TOPO_OP_SEND] = "send",
    [TOPO_OP_PUSH] = "push",
    [TOPO_OP_PULL] = "pull",
    [TOPO_OP_DISPATCH] = "dispatch",
    [TOPO_OP_COMBINE] = "combine",
};
_Static_assert(G_N_ELEMENTS(op_names) == TOPO_OP_COUNT, "a name for each operation");

GQuark topo_collective_error_quark(void)
{
    return g_quark_from_static_string("topo_collective_error");
}

const TopoAlgorithm *topo_collective_all(size_t *count)
{
    *count = G_N_ELEMENTS(algorithms);
    return algorithms;
}

const TopoAlgorithm *topo_collective_by_name(const char *name, GError **error)
{
    return sim_row_by_name(algorithms, G_N_ELEMENTS(algorithms), sizeof algorithms[0], name,
                           "collective algorithm", TOPO_COLLECTIVE_ERROR,
                           TOPO_COLLECTIVE_ERROR_UNKNOWN_NAME, error);
}

const char *topo_collective_op_name(TopoCollectiveOp op)
{
    return op_names[op];
}

static bool bad_call(GError **error, const char *why)
{
    g_set_error_literal(error, TOPO_COLLECTIVE_ERROR, TOPO_COLLECTIVE_ERROR_BAD_CALL, why);
    return false;
}

static bool check_routing(const TopoCollectiveCall *call, GError **error)
{
    const TopoRouting *routing = call->routing;
    if (!routing)
        return bad_call(error, "dispatch and combine need a routing");
    if (!(routing->tokens >= 0.0 && routing->token_bytes >= 0.0))
        return bad_call(error, "tokens and their bytes must not be negative");
    if (routing->experts == 0 || routing->experts % call->ranks != 0)
        return bad_call(error, "the experts must divide evenly among the ranks");
    if (routing->topk == 0 || routing->topk > routing->experts)
        return bad_call(error, "top-k must lie between 1 and the number of experts");
    if (call->ranks > call->ranks_per_domain && call->ranks % call->ranks_per_domain != 0)
        return bad_call(error, "the expert group must fill its scale-up domains evenly");
    uint64_t in_domain =
        (uint64_t)routing->experts / call->ranks * MIN(call->ranks, call->ranks_per_domain);
    if (routing->domain_limit > 0 && routing->domain_limit * in_domain < routing->topk)
        return bad_call(error, "the domains that a token may visit hold fewer than top-k experts");
    for (uint32_t j = 0; routing->expert_weight && j < routing->experts; j++)
        if (!(routing->expert_weight[j] > 0.0 && isfinite(routing->expert_weight[j])))
            return bad_call(error, "the popularity of an expert must be positive");
    return true;
}

static bool check_call(const TopoCollectiveCall *call, GError **error)
{
    if ((unsigned)call->op >= TOPO_OP_COUNT)
        return bad_call(error, "unknown collective operation");
    if (call->ranks == 0 || call->ranks > INT32_MAX / 4)
        return bad_call(error, "a group has at least one rank and at most 2^29");
    if (call->ranks_per_domain == 0)
        return bad_call(error, "a scale-up domain has at least one rank");
    if (!(call->bytes >= 0.0 && isfinite(call->bytes)))
        return bad_call(error, "the bytes of a collective must be finite and not negative");
    if (call->op == TOPO_OP_SEND && call->ranks != 2)
        return bad_call(error, "a send joins two ranks");
    if ((call->op == TOPO_OP_PUSH || call->op == TOPO_OP_PULL) &&
        (call->servers == 0 || call->servers >= call->ranks))
        return bad_call(error, "parameter servers need at least one server and one worker");
    if (call->op == TOPO_OP_DISPATCH || call->op == TOPO_OP_COMBINE)
        return check_routing(call, error);
    return true;
}

bool topo_collective_check(const TopoAlgorithm *algorithm, const TopoCollectiveCall *call,
                           GError **error)
{
    if (!check_call(call, error))
        return false;
    if ((algorithm->serves & (1u << call->op)) == 0) {
        g_set_error(error, TOPO_COLLECTIVE_ERROR, TOPO_COLLECTIVE_ERROR_NOT_APPLICABLE,
                    "algorithm '%s' cannot do %s", algorithm->name, op_names[call->op]);
        return false;
    }
    if (call->ranks == 1 || !algorithm->applies || algorithm->applies(call, error))
        return true;
    g_prefix_error(error, "algorithm '%s' for %s of %u ranks, %u a domain: ", algorithm->name,
                   op_names[call->op], call->ranks, call->ranks_per_domain);
    return false;
}

/* A group within one domain is one domain, however large the domain is. */
static TopoCollectiveCall within_group(const TopoCollectiveCall *call)
{
    TopoCollectiveCall copy = *call;
    copy.ranks_per_domain = MIN(call->ranks_per_domain, call->ranks);
    return copy;
}

bool topo_collective_phases(const TopoAlgorithm *algorithm, const TopoCollectiveCall *call,
                            TopoSchedule *schedule, GError **error)
{
    if (!topo_collective_check(algorithm, call, error))
        return false;
    g_array_set_size(schedule->messages, 0);
    g_array_set_size(schedule->phases, 0);
    schedule->ranks = schedule->blocks = call->ranks;
    schedule->switches = 0;
    schedule->stripe = 1;
    TopoCollectiveCall copy = within_group(call);
    if (call->ranks > 1)
        algorithm->build(&copy, schedule);
    return true;
}

bool topo_collective_cost(const TopoAlgorithm *algorithm, const TopoCollectiveCall *call,
                          TopoCollectiveCost *cost, GError **error)
{
    if (!topo_collective_check(algorithm, call, error))
        return false;
    *cost = (TopoCollectiveCost){0};
    TopoCollectiveCall copy = within_group(call);
    if (call->ranks > 1)
        algorithm->cost(&copy, cost);
    return true;
}

double topo_collective_rate_s(const TopoCollectiveCost *cost, const TopoCollectiveRates *rates)
{
    double inside_s =
        cost->inside_bytes > 0.0 ? cost->inside_bytes / rates->inside_bytes_per_s : 0.0;
    double across_s =
        cost->domain_out_bytes > 0.0 ? cost->domain_out_bytes / rates->domain_bytes_per_s : 0.0;
    return MAX(cost->steps - cost->steps_across, 0.0) * rates->inside_hop_s +
           cost->steps_across * rates->across_hop_s + MAX(inside_s, across_s);
}

const TopoAlgorithm *topo_collective_cheapest(const TopoCollectiveCall *call,
                                              const TopoCollectiveRates *rates, double *seconds,
                                              GError **error)
{
    if (!check_call(call, error))
        return NULL;
    const TopoAlgorithm *best = NULL;
    double best_s = INFINITY;
    for (size_t i = 0; i < G_N_ELEMENTS(algorithms); i++) {
        TopoCollectiveCost cost;
        if (!topo_collective_cost(&algorithms[i], call, &cost, NULL))
            continue;
        double s = topo_collective_rate_s(&cost, rates);
        if (!best || s < best_s) {
            best = &algorithms[i];
            best_s = s;
        }
    }
    if (!best)
        bad_call(error, "no algorithm runs this collective on this group");
    else if (seconds)
        *seconds = best_s;
    return best;
}

double topo_collective_bus_factor(TopoCollectiveOp op, uint32_t ranks)
{
    double n = ranks;
    switch (op) {
    case TOPO_OP_ALL_REDUCE:
        return 2.0 * (n - 1.0) / n;
    case TOPO_OP_ALL_GATHER:
    case TOPO_OP_REDUCE_SCATTER:
    case TOPO_OP_ALL_TO_ALL:
        return (n - 1.0) / n;
    default:
        return 1.0;
    }
}

double topo_collective_bus_bytes(TopoCollectiveOp op, uint32_t ranks, double bytes)
{
    return topo_collective_bus_factor(op, ranks) * bytes;
}

/*
 * Routers. Each gives every replica a cost and takes the smallest; the first replica of equals.
 *
 *   round-robin      in turn
 *   least-loaded     requests that are there, waiting or running
 *   shortest-queue   tokens of prompts still to be computed, then requests
 *   prefix-affinity  longest cached prefix, then requests (cache-aware routing of SGLang)
 *   kv-aware         NVIDIA Dynamo's cost with its default weight of 1: blocks of prompts that it
 *                    would have to compute (this one's cached prefix counts off) plus blocks in use
 *   slo-aware        earliest first token: what is left of the iteration under way, then all prompt
 *                    tokens before and of the request at the rate of an empty replica (the TTFT
 *                    estimate of Mooncake's Conductor, Qin 2024, without its transfers)
 *
 * All see the replicas as they are when the request comes; a real router's news is older.
 */
#include "strat_router.h"

#include "sim_row.h"
#include "strat_lane.h"
#include "strat_schedule.h"

#include <math.h>

typedef double (*Cost)(const StratRouting *routing, const StratReplica *replica,
                       const StratSequence *sequence);

/* The first replica of least @cost, of those the one of least @tie. */
static size_t cheapest(const StratRouting *routing, const StratSequence *sequence, Cost cost,
                       Cost tie)
{
    size_t best = 0;
    double least = INFINITY;
    double least_tie = INFINITY;
    for (size_t i = 0; i < routing->count; i++) {
        double mine = cost(routing, routing->replica[i], sequence);
        if (mine > least)
            continue;
        double my_tie = tie(routing, routing->replica[i], sequence);
        if (mine == least && my_tie >= least_tie)
            continue;
        best = i;
        least = mine;
        least_tie = my_tie;
    }
    return best;
}

static double requests(const StratRouting *routing, const StratReplica *replica,
                       const StratSequence *sequence)
{
    (void)routing;
    (void)sequence;
    return (double)replica->outstanding;
}

static double pending(const StratRouting *routing, const StratReplica *replica,
                      const StratSequence *sequence)
{
    (void)routing;
    (void)sequence;
    return (double)replica->pending_tokens;
}

static double missing(const StratRouting *routing, const StratReplica *replica,
                      const StratSequence *sequence)
{
    (void)routing;
    return (double)(sequence->input_tokens - strat_replica_hit(replica, sequence));
}

static double blocks(const StratRouting *routing, const StratReplica *replica,
                     const StratSequence *sequence)
{
    int64_t used = strat_kv_blocks(replica->kv) - strat_replica_free_blocks(replica);
    for (size_t i = 0; i < replica->lanes; i++)
        used += strat_lane_grown(&replica->lane[i], routing->now);
    double block_tokens = (double)strat_kv_block_tokens(replica->kv);
    double compute = pending(routing, replica, sequence) + missing(routing, replica, sequence);
    return compute / block_tokens + (double)used;
}

double strat_router_ttft_s(const StratRouting *routing, const StratReplica *replica,
                           const StratSequence *sequence)
{
    double tokens = (double)replica->pending_tokens + missing(routing, replica, sequence);
    StratFine until = 0;
    for (size_t i = 0; i < replica->lanes; i++)
        until = MAX(until, strat_lane_boundary(&replica->lane[i], routing->now) - routing->now);
    return tokens * routing->token_s + strat_fine_seconds(until);
}

static size_t round_robin(const StratRouting *routing, const StratSequence *sequence)
{
    (void)sequence;
    return routing->turn % routing->count;
}

static size_t least_loaded(const StratRouting *routing, const StratSequence *sequence)
{
    return cheapest(routing, sequence, requests, requests);
}

static size_t shortest_queue(const StratRouting *routing, const StratSequence *sequence)
{
    return cheapest(routing, sequence, pending, requests);
}

static size_t prefix_affinity(const StratRouting *routing, const StratSequence *sequence)
{
    return cheapest(routing, sequence, missing, requests);
}

static size_t kv_aware(const StratRouting *routing, const StratSequence *sequence)
{
    return cheapest(routing, sequence, blocks, requests);
}

static size_t slo_aware(const StratRouting *routing, const StratSequence *sequence)
{
    return cheapest(routing, sequence, strat_router_ttft_s, requests);
}

/* clang-format off */
static const StratRouter routers[] = {
    {.name = "round-robin", .source = "in turn", .choose = round_robin},
    {.name = "least-loaded", .source = "fewest requests", .choose = least_loaded},
    {.name = "shortest-queue", .source = "fewest prompt tokens", .choose = shortest_queue},
    {.name = "prefix-affinity", .source = "Zheng 2024 (SGLang)", .choose = prefix_affinity},
    {.name = "kv-aware", .source = "NVIDIA Dynamo, KV cache routing", .choose = kv_aware},
    {.name = "slo-aware", .source = "Qin 2024 (Mooncake), section 6", .choose = slo_aware},
};
/* clang-format on */

const StratRouter *strat_router_all(size_t *count)
{
    *count = G_N_ELEMENTS(routers);
    return routers;
}

const StratRouter *strat_router_by_name(const char *name, GError **error)
{
    if (!name)
        return &routers[0];
    return sim_row_by_name(routers, G_N_ELEMENTS(routers), sizeof routers[0], name, "router",
                           STRAT_ERROR, STRAT_ERROR_UNKNOWN_NAME, error);
}

/* Storage on the compute network. Servers are further nodes of the cluster's kind, with its NICs,
 * at its end; node n goes to server n modulo their number, and GPU g to what would be GPU g there.
 * How fast a server stores what it gets is not the network's business (strat_storage.c). */
#include "strat_servers.h"

/* The cluster with its servers, for as long as @costing lasts. */
typedef struct Wide {
    TopoCluster cluster;
    StratCosting costing;
} Wide;

static void widen(Wide *wide, const StratCosting *costing, int64_t servers)
{
    wide->cluster = *costing->cluster;
    wide->cluster.node_count += servers;
    wide->costing = *costing;
    wide->costing.cluster = &wide->cluster;
    wide->costing.fabric.cluster = &wide->cluster;
}

static int64_t server_of(int64_t nodes, int64_t servers, int64_t node, int64_t round)
{
    (void)round;
    return nodes + node % servers;
}

static StratExchange exchange_of(const StratCosting *costing, const StratServed *served,
                                 const double *bytes)
{
    return (StratExchange){
        .bytes = bytes,
        .nodes = costing->cluster->node_count,
        .end = costing->cluster->node_count,
        .way_of = served->servers,
        .partner = server_of,
        .rounds = 1,
        .back = served->reads,
    };
}

bool strat_servers_run(const StratCosting *costing, const StratServed *served, double *seconds,
                       GError **error)
{
    Wide wide;
    widen(&wide, costing, served->servers);
    g_autofree double *bytes = strat_state_gpus(costing, served->memory, served->share);
    StratExchange exchange = exchange_of(costing, served, bytes);
    return strat_sends_exchange(&wide.costing, &exchange, seconds, error);
}

bool strat_servers_beside(const StratCosting *costing, const StratServed *served, double paced_s,
                          StratBeside *out, GError **error)
{
    Wide wide;
    widen(&wide, costing, served->servers);
    g_autofree double *bytes = strat_state_gpus(costing, served->memory, served->share);
    StratExchange exchange = exchange_of(costing, served, bytes);
    exchange.paced_s = paced_s;
    return strat_sends_beside(&wide.costing, &exchange, out, error);
}

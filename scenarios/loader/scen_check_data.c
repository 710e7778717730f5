/* Which knobs of `plan.data_parallel:` go together.
 *
 * Buckets are of gradients that ranks hold whole; whoever compresses, gossips or asks a server also
 * needs them whole, and an optimizer state that is not shared out (ZeRO reduces to owners, which
 * none of the exchanges does). Experts have replicas of their own, for which none of it is
 * modelled. Islands and servers change the time between steps, which jobs beside each other do not
 * know of. */
#include "scen_check_data.h"

#include "strat_agree.h"

#define I64 "%" G_GINT64_FORMAT

typedef struct Rule {
    const char *path;
    char *(*broken)(const ScenScenario *scenario); /* why; NULL: not broken */
} Rule;

static const StratDataParallel *data_of(const ScenScenario *scenario)
{
    return &scenario->plan.data_parallel;
}

static char *exchange_unknown(const ScenScenario *scenario)
{
    g_autoptr(GError) error = NULL;
    return strat_agree_by_name(data_of(scenario)->exchange, &error) ? NULL
                                                                    : g_strdup(error->message);
}

static char *compression_unknown(const ScenScenario *scenario)
{
    g_autoptr(GError) error = NULL;
    return strat_compressor_by_name(data_of(scenario)->compression.kind, &error)
               ? NULL
               : g_strdup(error->message);
}

static char *bucket_odd(const ScenScenario *scenario)
{
    const StratPlan *plan = &scenario->plan;
    const StratBuckets *buckets = &plan->data_parallel.buckets;
    bool sized = strat_bucket_bytes(buckets, 1.0) > 0.0;
    if (buckets->bytes > 0.0 && buckets->parameters > 0.0)
        return g_strdup("bucket and bucket_parameters both say how large a bucket is: keep one");
    if (buckets->first_bytes > 0.0 && !sized)
        return g_strdup("first_bucket needs bucket: it is the first of several");
    if (sized && !plan->overlap_data)
        return g_strdup("bucket needs overlap.data: gradients are reduced at once otherwise");
    if (sized && plan->zero_stage == 3)
        return g_strdup("bucket with zero_stage 3: weights and gradients move unit by unit");
    if (buckets->copied && plan->zero_stage > 1)
        return g_strdup("bucket_copies needs whole gradients (zero_stage 0 or 1)");
    return NULL;
}

static char *compression_odd(const ScenScenario *scenario)
{
    const StratCompression *how = &data_of(scenario)->compression;
    const StratCompressor *row = strat_compressor_by_name(how->kind, NULL);
    bool sparse = g_strcmp0(how->kind, "top-k") == 0, low = g_strcmp0(how->kind, "powersgd") == 0;
    if (sparse != (how->density > 0.0))
        return g_strdup(sparse ? "compression top-k needs density: the share that is sent"
                               : "density is of compression top-k");
    if (low != (how->rank > 0))
        return g_strdup(low ? "compression powersgd needs rank" : "rank is of powersgd");
    if (row && row->gathers && data_of(scenario)->exchange &&
        !g_str_equal(data_of(scenario)->exchange, "all-reduce"))
        return g_strdup(
            "compression top-k is all-gathered: it goes with exchange all-reduce alone");
    return NULL;
}

static char *not_whole(const ScenScenario *scenario)
{
    const StratPlan *plan = &scenario->plan;
    const char *kind = plan->data_parallel.compression.kind;
    bool compressed = kind && !g_str_equal(kind, "none");
    bool exchanged =
        plan->data_parallel.exchange && !g_str_equal(plan->data_parallel.exchange, "all-reduce");
    const char *what = exchanged ? plan->data_parallel.exchange : kind;
    if (!compressed && !exchanged)
        return NULL;
    if (plan->zero_stage > 0)
        return g_strdup_printf("%s with zero_stage " I64 ": it needs whole gradients and whole "
                               "optimizer states; use zero_stage 0",
                               what, plan->zero_stage);
    if (plan->optimizer == STRAT_OPTIMIZER_NONE)
        return g_strdup_printf("%s without an optimizer: gradients are not exchanged", what);
    return NULL;
}

static char *servers_odd(const ScenScenario *scenario)
{
    const StratPlan *plan = &scenario->plan;
    const StratServers *servers = &plan->data_parallel.servers;
    bool served = strat_data_is_served(&plan->data_parallel);
    bool said = servers->count > 0 || servers->bytes_per_s > 0.0 || servers->colocated ||
                servers->pipelined || servers->local_reduce || servers->unbounded ||
                servers->staleness > 0 || servers->variation > 0.0 || servers->updates > 0;
    if (!served)
        return said ? g_strdup("servers are of exchange parameter-server") : NULL;
    if (servers->count == 0)
        return g_strdup("exchange parameter-server needs servers.count");
    if (scenario->cluster.node.nics == 0)
        return g_strdup("nodes without nics cannot reach servers");
    if (servers->colocated && servers->count > scenario->cluster.node_count)
        return g_strdup_printf("servers.count " I64 " is more than the cluster's " I64
                               " nodes, on which colocated servers run",
                               servers->count, scenario->cluster.node_count);
    if (servers->colocated && servers->bytes_per_s > 0.0)
        return g_strdup("colocated servers have the nodes' NICs: leave servers.bandwidth out");
    if (servers->unbounded && servers->staleness > 0)
        return g_strdup("servers.unbounded and servers.staleness exclude each other");
    if (servers->updates > 0 && servers->updates < 10)
        return g_strdup("servers.updates must be 10 or more: the first fifth is not counted");
    if (servers->pipelined && strat_data_is_apart(&plan->data_parallel))
        return g_strdup("pipelined servers are modelled where workers are synchronous and alike");
    return NULL;
}

static char *islands_odd(const ScenScenario *scenario)
{
    const StratPlan *plan = &scenario->plan;
    const StratIslands *islands = &plan->data_parallel.islands;
    if (islands->count < 2)
        return islands->inner_steps > 0 || islands->bytes_per_s > 0.0 || islands->fragments > 1
                   ? g_strdup("islands need a count of 2 or more")
                   : NULL;
    if (strat_data_is_served(&plan->data_parallel))
        return g_strdup("islands and parameter servers are not modelled together");
    if (plan->data % islands->count != 0)
        return g_strdup_printf("islands.count " I64 " does not divide data " I64, islands->count,
                               plan->data);
    if (islands->inner_steps == 0 || islands->bytes_per_s <= 0.0)
        return g_strdup("islands need inner_steps and bandwidth (of the link out of one)");
    if (islands->fragments > scenario->model.layers)
        return g_strdup_printf("islands.fragments " I64 " is more than the model's " I64 " layers",
                               islands->fragments, scenario->model.layers);
    if (islands->hidden_steps > (double)islands->inner_steps)
        return g_strdup_printf("islands.hidden_steps %g is more than inner_steps " I64
                               ": the next exchange would wait for this one",
                               islands->hidden_steps, islands->inner_steps);
    if (islands->offload && scenario->cluster.node.host_bytes_per_s <= 0.0)
        return g_strdup("islands.offload needs the node's host_bandwidth");
    return NULL;
}

static char *not_beside(const ScenScenario *scenario)
{
    const StratDataParallel *dp = data_of(scenario);
    bool between = dp->islands.count > 1 || strat_data_is_apart(dp);
    if (!strat_data_is_plain(dp) && scenario->model.experts > 0)
        return g_strdup("exchange, compression and islands are not modelled with experts, whose "
                        "replicas are other ranks than those of the rest");
    if (between && scenario->jobs && scenario->jobs->len > 0)
        return g_strdup("jobs beside a plan with islands or asynchronous servers are not modelled");
    return NULL;
}

static const Rule rules[] = {
    {"plan.data_parallel.exchange",    exchange_unknown   },
    {"plan.data_parallel.compression", compression_unknown},
    {"plan.data_parallel.bucket",      bucket_odd         },
    {"plan.data_parallel.compression", compression_odd    },
    {"plan.data_parallel",             not_whole          },
    {"plan.data_parallel.servers",     servers_odd        },
    {"plan.data_parallel.islands",     islands_odd        },
    {"plan.data_parallel",             not_beside         },
};

char *scen_check_data_parallel(const ScenScenario *scenario, const char **path)
{
    char *why = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(rules) && !why; i++) {
        *path = rules[i].path;
        why = rules[i].broken(scenario);
    }
    return why;
}

/* What a cluster of two kinds of nodes excludes, and why.
 *
 * Places are numbered by node and by scale-up domain, so both kinds have as many GPUs in each, and
 * the second begins with a node and a domain of its own. Fabrics are built of equal NICs, and
 * whatever else reads the cluster's node (serving, campaigns, queues, searches) knows one kind.
 *
 * A plan that asks a CPU, a second model, servers or a narrow number format prices them on the first
 * kind only. Schedules that are planned by the times of one stage, or hold the model twice, take all
 * stages for equal. Groups that work on one microbatch (tensor, context, expert) must each stand on
 * one kind: strat_places_check_kinds(). */
#include "scen_check_mixed.h"

#include "strat_data_parallel.h"
#include "strat_distill.h"
#include "strat_layout.h"
#include "topo_net.h"

#define I64 "%" G_GINT64_FORMAT

static const char path[] = "cluster.mixed";

static void check_nodes(const TopoCluster *cluster, const struct Check *check, ScenCheckFail fail)
{
    const TopoNode *a = &cluster->node, *b = &cluster->mixed.node;
    if (a->gpus != b->gpus || a->scale_up_gpus != b->scale_up_gpus) {
        fail(check, path,
             "both kinds of nodes must have as many GPUs in a node and in a scale-up domain: " I64
             " and " I64 " of %s, " I64 " and " I64 " of %s",
             a->gpus, a->scale_up_gpus, a->name, b->gpus, b->scale_up_gpus, b->name);
        return;
    }
    int64_t whole = MAX(a->gpus, a->scale_up_gpus), gpus = cluster->mixed.gpus;
    if (gpus >= cluster->gpu_count || cluster->gpu_count != cluster->node_count * a->gpus ||
        gpus % whole != 0 || (cluster->gpu_count - gpus) % whole != 0)
        fail(check, path,
             "the last " I64 " of " I64 " GPUs: each kind must have whole nodes and scale-up "
             "domains (" I64 " GPUs), all in use",
             gpus, cluster->gpu_count, whole);
    if (b->nics == 0)
        fail(check, path, "nodes of %s have no nics to talk to the others", b->name);
}

void scen_check_mixed(const ScenScenario *scenario, const struct Check *check, ScenCheckFail fail)
{
    const TopoNet *net = topo_net_by_name(scenario->network, NULL);
    const struct {
        bool is_on;
        const char *what;
    } one_kind[] = {
        {scenario->serving.is_on,                 "serving prices one kind of GPU"          },
        {scenario->campaign.is_on,                "a campaign's faults are of one kind"     },
        {scenario->queue.is_on,                   "a queue deals out equal nodes"           },
        {scenario->jobs != NULL,                  "jobs beside each other share equal nodes"},
        {scenario->degraded.state.weak_count > 0, "weak_nics count the NICs of one kind"    },
        {scenario->fabric.kind != NULL,           "fabrics are built of equal NICs"         },
        {net && net->shares_links,                "this network lays traffic on equal NICs" },
    };
    if (scenario->cluster.mixed.gpus == 0)
        return;
    check_nodes(&scenario->cluster, check, fail);
    for (size_t i = 0; i < G_N_ELEMENTS(one_kind); i++)
        if (one_kind[i].is_on)
            fail(check, path, "a cluster of two kinds of nodes is not modelled here: %s",
                 one_kind[i].what);
}

/* Replicas with unlike numbers of microbatches meet once a step, and share nothing before. */
static void check_deal(const ScenScenario *scenario, const struct Check *check, ScenCheckFail fail)
{
    static const char key[] = "plan.replica_microbatches";
    const StratPlan *plan = &scenario->plan;
    const StratSchedule *schedule =
        plan->schedule ? strat_schedule_by_name(plan->schedule, NULL) : NULL;
    if (plan->replica_microbatches == STRAT_DEAL_EVEN)
        return;
    if (scenario->cluster.mixed.gpus == 0)
        fail(check, key, "by-speed needs cluster.mixed: replicas on equal nodes are equally fast");
    if (plan->zero_stage > 1)
        fail(check, key,
             "by-speed needs zero_stage 0 or 1: zero_stage " I64
             " has replicas meet at every microbatch, so that they must have as many",
             plan->zero_stage);
    if (scenario->model.experts > 0)
        fail(check, key,
             "by-speed with experts: replicas exchange tokens at every microbatch, so that they "
             "must have as many");
    if (schedule && (schedule->plan || schedule->is_dual || schedule->rolls || schedule->rounds ||
                     plan->virtual_stages > 1))
        fail(check, key, "by-speed is for schedules of one chunk a stage, as 1f1b, not %s",
             plan->schedule);
}

void scen_check_mixed_plan(const ScenScenario *scenario, const struct Check *check,
                           ScenCheckFail fail)
{
    const StratPlan *plan = &scenario->plan;
    const TopoGpu *gpu = &scenario->cluster.mixed.node.gpu;
    const StratSchedule *schedule =
        plan->schedule ? strat_schedule_by_name(plan->schedule, NULL) : NULL;
    const struct {
        bool is_on;
        const char *key, *why;
    } rules[] = {
        {gpu->peak_flop_per_s[plan->precision] <= 0.0,      "precision",
         "the second kind of GPU has no peak for it"                                                                      },
        {plan->precision > TOPO_DTYPE_BF16,                 "precision",
         "recipes below 16 bits are priced for one kind of GPU"                                                           },
        {plan->profiled.forward_s > 0.0,                    "profiled",      "measured times are those of one kind of GPU"},
        {strat_stores_any(&plan->offload),                  "offload",       "hosts are taken for equal"                  },
        {!strat_data_is_plain(&plan->data_parallel),        "data_parallel",
         "exchanges other than a plain all-reduce take all replicas for equal"                                            },
        {strat_distill_is_on(plan),                         "distill",       "the teacher is priced on one kind of GPU"   },
        {schedule && (schedule->plan || schedule->is_dual), "schedule",
         "this schedule takes all stages for equal"                                                                       },
    };
    check_deal(scenario, check, fail);
    if (scenario->cluster.mixed.gpus == 0)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        g_autofree char *at = g_strconcat("plan.", rules[i].key, NULL);
        if (rules[i].is_on)
            fail(check, at, "%s with two kinds of nodes: %s", rules[i].key, rules[i].why);
    }
}

/* The table of a whole scenario: model, cluster, a plan to train or a deployment to serve, and what
 * is said about the run. */
#include "scen_fields.h"
#include "scen_kernels.h"
#include "scen_scenario.h"
#include "scen_section.h"
#include "scen_serving_kernels.h"
#include "topo_net.h"

const ScenTable *scen_catalog_table(ScenCatalogKind kind)
{
    static const ScenTable *const tables[] = {
        [SCEN_CATALOG_MODEL] = &scen_model_table,
        [SCEN_CATALOG_GPU] = &scen_gpu_table,
        [SCEN_CATALOG_NODE] = &scen_node_table,
        [SCEN_CATALOG_CLUSTER] = &scen_cluster_table,
        [SCEN_CATALOG_PLAN] = &scen_plan_table,
        [SCEN_CATALOG_PROTOCOL] = &scen_protocol_table,
        [SCEN_CATALOG_ENGINE_KERNELS] = &scen_engine_table,
        [SCEN_CATALOG_PROFILE] = &scen_profile_table,
        [SCEN_CATALOG_ERRORS] = &scen_errors_table,
        [SCEN_CATALOG_SERVING_ENGINE] = &scen_serving_engine_table,
        [SCEN_CATALOG_PRICE] = &scen_cost_table,
        [SCEN_CATALOG_EXPERT_KERNELS] = &scen_expert_table,
        [SCEN_CATALOG_FAULTS] = &scen_faults_table,
        [SCEN_CATALOG_STORAGE] = &scen_storage_table,
    };
    return kind < SCEN_CATALOG_COUNT ? tables[kind] : NULL;
}

/* Tokens of one training sequence, where the plan does not say. */
static void finish_plan(ScenBinder *binder, const ScenNode *map, ScenScenario *scenario)
{
    StratPlan *plan = &scenario->plan;
    bool written = plan->sequence_length > 0;
    const char *inputs[] = {"plan.sequence_length", "model.max_sequence"};
    for (size_t i = 0; i < G_N_ELEMENTS(inputs); i++)
        written = written || scen_marks_is_refused(binder->marks, inputs[i]);
    if (written)
        return;
    plan->sequence_length = scenario->model.max_sequence;
    if (plan->sequence_length == 0)
        scen_bind_fail(binder, map, "plan",
                       "missing key 'sequence_length' in plan (tokens of one sequence; the model "
                       "has no max_sequence to take)");
}

/* A scenario with a queue has many jobs, and none that it knows more of; an execution trace is all
 * that runs. */
static void check_others(ScenBinder *binder, const ScenNode *map, const char *kind)
{
    static const char *const others[] = {"model",    "plan", "serve",  "traffic",
                                         "campaign", "jobs", "replay", "training_run"};
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if (scen_node_item(map, others[i]))
            scen_bind_fail(binder, map, others[i], "a scenario with %s: has no %s:", kind,
                           others[i]);
}

static void check_trace(ScenBinder *binder, const ScenNode *map)
{
    static const char *const others[] = {"queue", "search", "faults", "kernels", "expect", "cost"};
    check_others(binder, map, "execution_trace");
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if (scen_node_item(map, others[i]))
            scen_bind_fail(binder, map, others[i],
                           "a scenario with execution_trace: has no %s:", others[i]);
}

static void need(ScenBinder *binder, const ScenNode *map, const char *key, const char *help)
{
    if (!scen_node_item(map, key))
        scen_bind_fail(binder, map, key, "missing key '%s' (%s)", key, help);
}

/* Without a plan nothing says what weak NICs or missing nodes cost a step. */
static void check_alone(ScenBinder *binder, const ScenNode *map, const ScenCampaign *campaign)
{
    const GArray *classes = campaign->faults.classes;
    const StratRecovery *policy = campaign->spec.recovery.policy;
    bool fails_over = g_strcmp0(campaign->failover, "none") != 0;
    if (campaign->step_s <= 0.0)
        scen_bind_fail(binder, map, "campaign",
                       "a campaign without a plan needs campaign.step_time");
    if (campaign->has_storage)
        scen_bind_fail(binder, map, "campaign",
                       "a campaign without a plan has no state to put into campaign.storage");
    if (policy && policy->adaptation != STRAT_ADAPT_NONE)
        scen_bind_fail(binder, map, "campaign", "policy %s needs a plan", policy->name);
    for (guint i = 0; classes && i < classes->len; i++) {
        const StratFaultClass *c = &g_array_index(classes, StratFaultClass, i);
        if (c->nic_lost_fraction > 0.0 || (c->effect == STRAT_FAULT_LINK && fails_over))
            scen_bind_fail(binder, map, "campaign", "weak NICs (%s) need a plan", c->name);
    }
}

/* A scenario trains or serves; or it is a campaign of steps whose time is given, or a replay, which
 * need less. */
static void check_halves(ScenBinder *binder, const ScenNode *map, ScenScenario *scenario)
{
    bool trains = scen_node_item(map, "plan"), serves = scen_node_item(map, "serve");
    if (scen_node_item(map, "replay"))
        return;
    need(binder, map, "cluster", "what it runs on");
    if (!trains && scen_node_item(map, "training_run"))
        scen_bind_fail(binder, map, "training_run",
                       "training_run needs a plan: its step is "
                       "simulated with several batches");
    scenario->campaign.is_alone = scenario->campaign.is_on && !trains && !serves;
    if (scenario->campaign.is_alone) {
        check_alone(binder, map, &scenario->campaign);
        return;
    }
    need(binder, map, "model", "what is trained or served");
    if (trains && serves)
        scen_bind_fail(binder, map, "serve",
                       "a scenario trains (plan:) or serves (serve: and traffic:), not both");
    else if (serves != (scen_node_item(map, "traffic") != NULL))
        scen_bind_fail(binder, map, serves ? "serve" : "traffic",
                       "serve: (how) and traffic: (what) go together");
    else if (serves && scen_node_item(map, "campaign"))
        scen_bind_fail(binder, map, "campaign", "a campaign is of training (plan:)");
    else if (!trains && !serves)
        scen_bind_fail(binder, map, "plan",
                       "missing key 'plan' (how training is laid out) or 'serve' (how requests are "
                       "served)");
}

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenScenario *scenario = out;
    scen_kernels_finish(binder, map, scenario->cluster.node.gpu.profile, &scenario->profile);
    if (scenario->cluster.mixed.gpus > 0 && scen_node_item(map, "kernels"))
        scen_bind_fail(binder, map, "kernels",
                       "kernels: is one profile, a mixed cluster has two kinds of GPUs: each keeps "
                       "its own");
    else if (scenario->cluster.mixed.gpus > 0)
        scen_kernels_of_mixed(binder, map, scenario->cluster.mixed.node.gpu.profile,
                              &scenario->mixed_profile);
    scenario->cluster.reducing_radix = scenario->fabric.reduces_under;
    g_autoptr(GError) error = NULL;
    if (scenario->network && !topo_net_by_name(scenario->network, &error))
        scen_bind_fail(binder, map, "network", "%s", error->message);
    const TopoCluster *cluster = &scenario->cluster;
    if (scen_node_item(map, "execution_trace")) {
        need(binder, map, "cluster", "what it runs on");
        check_trace(binder, map);
        return;
    }
    if (scen_node_item(map, "queue")) {
        need(binder, map, "cluster", "what it runs on");
        check_others(binder, map, "queue");
        scen_queue_finish(binder, map, cluster->node.gpus, cluster->node_count, &scenario->queue);
        return;
    }
    check_halves(binder, map, scenario);
    scen_bind_path(binder, &scenario->replay);
    scen_degraded_finish(binder, map, scenario);
    if (scen_node_item(map, "plan"))
        finish_plan(binder, map, scenario);
    if (scenario->serving.is_on)
        scen_serving_find_kernels(binder, map, &scenario->cluster.node.gpu,
                                  &scenario->serving.engine);
}

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, ScenScenario, member, of_kind, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("name", name, SCEN_TEXT, .help = "name in reports (default: the file's)"),
    FIELD("description", description, SCEN_TEXT, .help = "what it is about"),
    FIELD("seed", seed, SCEN_INT, .max = 9007199254740991.0, .fallback = "1",
          .help = "of all random numbers"),
    FIELD("network", network, SCEN_TEXT, .help = "network model (orrery list networks)"),
    FIELD("fold", fold, SCEN_BOOL, .fallback = "true", .help = "simulate equal ranks once"),
    FIELD("devices", devices, SCEN_TEXT,
          .help = "file of orrery calibrate, whose nodes, GPUs and profiles become catalog rows"),
    FIELD("model", model, SCEN_SECTION, .table = &scen_model_table,
          .help = "what is trained or served"),
    FIELD("cluster", cluster, SCEN_SECTION, .table = &scen_cluster_table,
          .help = "what it runs on"),
    FIELD("plan", plan, SCEN_SECTION, .table = &scen_plan_table,
          .help = "how training is laid out"),
    FIELD("serve", serving, SCEN_MAP, .table = &scen_serving_table,
          .help = "how requests are served, instead of plan"),
    FIELD("traffic", traffic, SCEN_MAP, .table = &scen_traffic_table, .help = "who sends requests"),
    FIELD("search", search, SCEN_MAP, .table = &scen_search_table,
          .help = "what orrery search may choose from"),
    FIELD("sweep", sweep, SCEN_MAP, .table = &scen_sweep_table,
          .help = "points that orrery sweep runs: grids and lists over paths of the scenario"),
    FIELD("cost", cost, SCEN_SECTION, .table = &scen_cost_table,
          .help = "what a GPU-hour costs (orrery list prices)"),
    FIELD("training_run", training_run, SCEN_MAP, .table = &scen_training_run_table,
          .help = "tokens to train on, and what large batches add to them"),
    FIELD("campaign", campaign, SCEN_MAP, .table = &scen_campaign_table,
          .help = "months of training under failures"),
    FIELD("queue", queue, SCEN_MAP, .table = &scen_queue_table,
          .help = "many jobs on the cluster, instead of model and plan or serve"),
    FIELD("replay", replay, SCEN_TEXT,
          .help = "operation trace of a real job (orrery replay), from this folder, instead"),
    FIELD("execution_trace", trace, SCEN_MAP, .table = &scen_et_table,
          .help = "Chakra execution trace, replayed on the cluster instead"),
    FIELD("faults", degraded, SCEN_MAP, .table = &scen_degraded_table,
          .help = "GPUs and NICs that are worse than the others while the step runs"),
    FIELD("fabric", fabric, SCEN_MAP, .table = &scen_fabric_table,
          .help = "the scale-out network (default: rail-optimised, full rate)"),
    FIELD("placement", placement, SCEN_CUSTOM, .table = &scen_placement_table,
          .bind = scen_placement_bind, .expected = SCEN_PLACEMENT_EXPECTED,
          .forms = scen_placement_forms, .help = "which GPU each rank runs on (default: packed)"),
    FIELD("jobs", jobs, SCEN_ROWS, .table = &scen_job_table,
          .help = "further jobs that run at the same time on the same cluster"),
    FIELD("kernels", profile, SCEN_SECTION, .table = &scen_profile_table,
          .bind = scen_kernels_defer, .implied_base = true,
          .help = "kernel profile that prices the GPU's operations (default: the GPU's own)"),
    FIELD("uncertainty", errors, SCEN_SECTION, .table = &scen_errors_table, .fallback = "default",
          .implied_base = true,
          .help = "standard errors of the costs, for intervals (orrery list uncertainty)"),
    FIELD("guesses", guesses, SCEN_INT, .max = 100.0,
          .help = "facts of the plan that are guesses: each widens the interval (default: 0)"),
    FIELD("expect", expect, SCEN_MAP, .table = &scen_expect_table,
          .help = "published figures that this scenario restates"),
};

const ScenTable scen_scenario_table = {
    .what = "scenario",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenScenario),
    .finish = finish,
};

/* The table of a whole scenario: three sections, and what is said about the run. */
#include "scen_fields.h"
#include "scen_kernels.h"
#include "scen_scenario.h"
#include "scen_section.h"
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
    };
    return kind < SCEN_CATALOG_COUNT ? tables[kind] : NULL;
}

static const ScenField expect_fields[] = {
    SCEN_FIELD("step_time", ScenExpect, step_time_s, SCEN_QUANTITY, .required = true,
               .dimension = SCEN_TIME_S, .help = "published time of one step, in s"),
    SCEN_FIELD("source", ScenExpect, source, SCEN_TEXT, .help = "who published it, and where"),
    SCEN_FIELD("definition", ScenExpect, definition, SCEN_TEXT,
               .help = "measured, converted, or inverted from FLOP/s, in words"),
    SCEN_FIELD("group", ScenExpect, group, SCEN_TEXT, .help = "rows summarised together"),
};

static const ScenTable expect_table = {
    .what = "expect",
    .fields = expect_fields,
    .count = G_N_ELEMENTS(expect_fields),
    .size = sizeof(ScenExpect),
};

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    ScenScenario *scenario = out;
    scen_kernels_finish(binder, map, scenario->cluster.node.gpu.profile, &scenario->profile);
    scenario->cluster.reducing_radix = scenario->fabric.reduces_under;
    g_autoptr(GError) error = NULL;
    if (scenario->network && !topo_net_by_name(scenario->network, &error))
        scen_bind_fail(binder, map, "network", "%s", error->message);
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

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, ScenScenario, member, of_kind, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("name", name, SCEN_TEXT, .help = "name in reports (default: the file's)"),
    FIELD("description", description, SCEN_TEXT, .help = "what it is about"),
    FIELD("seed", seed, SCEN_INT, .max = 9007199254740991.0, .fallback = "1",
          .help = "of all random numbers"),
    FIELD("network", network, SCEN_TEXT, .help = "network model (orrery list networks)"),
    FIELD("fold", fold, SCEN_BOOL, .fallback = "true", .help = "simulate equal ranks once"),
    FIELD("model", model, SCEN_SECTION, .required = true, .table = &scen_model_table,
          .help = "what is trained"),
    FIELD("cluster", cluster, SCEN_SECTION, .required = true, .table = &scen_cluster_table,
          .help = "what it runs on"),
    FIELD("plan", plan, SCEN_SECTION, .required = true, .table = &scen_plan_table,
          .help = "how the work is laid out"),
    FIELD("fabric", fabric, SCEN_MAP, .table = &scen_fabric_table,
          .help = "the scale-out network (default: rail-optimised, full rate)"),
    FIELD("placement", placement, SCEN_CUSTOM, .table = &scen_placement_table,
          .bind = scen_placement_bind, .expected = SCEN_PLACEMENT_EXPECTED,
          .help = "which GPU each rank runs on (default: packed)"),
    FIELD("jobs", jobs, SCEN_ROWS, .table = &scen_job_table,
          .help = "further jobs that run at the same time on the same cluster"),
    FIELD("kernels", profile, SCEN_SECTION, .table = &scen_profile_table,
          .bind = scen_kernels_defer,
          .help = "kernel profile that prices the GPU's operations (default: the GPU's own)"),
    FIELD("expect", expect, SCEN_MAP, .table = &expect_table,
          .help = "a published figure that this scenario restates"),
};

const ScenTable scen_scenario_table = {
    .what = "scenario",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenScenario),
    .finish = finish,
};

/* The table of a further job: what it trains, how, and where on the cluster of the scenario.
 *
 *   jobs:
 *     - {name: other, model: llama-3-8b, plan: {...}, gpus: 32, placement: spread}
 *
 * Its own model, plan and GPUs are checked like those of a scenario (scen_check_jobs.c). */
#include "scen_fields.h"
#include "scen_job.h"

void scen_job_clear(ScenJob *job)
{
    scen_placement_clear(&job->placement);
    g_clear_pointer(&job->gpu_of_rank, g_free);
}

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    (void)binder;
    ScenJob *job = out;
    job->mark = map->mark;
    if (job->plan.sequence_length == 0)
        job->plan.sequence_length = job->model.max_sequence;
}

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, ScenJob, member, of_kind, __VA_ARGS__)

static const ScenField fields[] = {
    FIELD("name", name, SCEN_TEXT, .required = true, .help = "name in reports"),
    FIELD("model", model, SCEN_SECTION, .required = true, .table = &scen_model_table,
          .help = "what is trained"),
    FIELD("plan", plan, SCEN_SECTION, .required = true, .table = &scen_plan_table,
          .help = "how the work is laid out"),
    FIELD("gpus", gpus, SCEN_INT, .min = 1, .max = 1e6,
          .help = "GPUs that it uses (default: as many as its plan needs)"),
    FIELD("placement", placement, SCEN_CUSTOM, .table = &scen_placement_table,
          .bind = scen_placement_bind, .expected = SCEN_PLACEMENT_EXPECTED,
          .forms = scen_placement_forms,
          .help = "which of the free GPUs each rank runs on (default: packed)"),
};

const ScenTable scen_job_table = {
    .what = "job",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(ScenJob),
    .finish = finish,
};

/* The one place where a scenario's parts meet: model, plan, cluster, kernel profile, network. */
#include "scen_simulate.h"

#include "strat_queue_meet.h"

/* Where a scenario says nothing of its network: NCCL with PXN. */
static const char *const default_routing = "rail";

/* @gpu as @plan runs it: at the clock that @profile sustains, with kernels of the plan's generation. */
static KernDevice device_of(const TopoGpu *gpu, const KernProfile *profile, const StratPlan *plan)
{
    return (KernDevice){
        .gpu = gpu,
        .profile = profile,
        .clock_fraction = profile->sustained_clock_fraction * plan->library_fraction,
        .table = profile->table,
    };
}

bool scen_costing(const ScenScenario *scenario, StratCosting *costing, GError **error)
{
    if (scenario->queue.is_on) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "%s: a queue of jobs has no plan: orrery run is for it", scenario->path);
        return false;
    }
    const TopoNet *net = topo_net_by_name(scenario->network, error);
    if (!net)
        return false;
    *costing = (StratCosting){
        .model = &scenario->model,
        .plan = &scenario->plan,
        .cluster = &scenario->cluster,
        .gpu_of_rank = scenario->gpu_of_rank,
        .net = net,
        .has_fabric = scenario->fabric.kind != NULL,
        .fabric = scen_fabric_spec(&scenario->fabric, &scenario->cluster),
        .changes = scen_fabric_changes(&scenario->fabric),
        .routing = scenario->fabric.routing ? scenario->fabric.routing : default_routing,
        .seed = scenario->seed,
        .device = device_of(&scenario->cluster.node.gpu, &scenario->profile, &scenario->plan),
        .mixed_device =
            device_of(&scenario->cluster.mixed.node.gpu, &scenario->mixed_profile, &scenario->plan),
        .state = &scenario->degraded.state,
    };
    return true;
}

StratTrainResult *scen_simulate(const ScenScenario *scenario, GError **error)
{
    return scen_simulate_tallied(scenario, NULL, error);
}

StratTrainResult *scen_simulate_tallied(const ScenScenario *scenario, KernTally *tally,
                                        GError **error)
{
    StratCosting costing;
    if (!scen_costing(scenario, &costing, error))
        return NULL;
    costing.device.tally = costing.mixed_device.tally = tally;
    return strat_train_run(&costing, scenario->fold, error);
}

bool scen_interval(const ScenScenario *scenario, const StratTrainResult *result,
                   StratInterval *interval, StratExposure *exposure, GError **error)
{
    StratCosting costing;
    if (!scen_costing(scenario, &costing, error))
        return false;
    StratExposure parts = strat_exposure(&costing, result);
    if (exposure)
        *exposure = parts;
    *interval = strat_interval(sim_time_to_seconds(result->step_ns), &parts, &scenario->errors,
                               scenario->plan.model_error_fraction, scenario->guesses);
    return true;
}

bool scen_job_costing(const ScenScenario *scenario, const ScenJob *job, StratCosting *costing,
                      GError **error)
{
    if (!scen_costing(scenario, costing, error))
        return false;
    costing->model = &job->model;
    costing->plan = &job->plan;
    costing->gpu_of_rank = job->gpu_of_rank;
    costing->device = device_of(&scenario->cluster.node.gpu, &scenario->profile, &job->plan);
    costing->mixed_device =
        device_of(&scenario->cluster.mixed.node.gpu, &scenario->mixed_profile, &job->plan);
    return true;
}

StratJobs *scen_simulate_jobs(const ScenScenario *scenario, const StratTrainResult *result,
                              GError **error)
{
    size_t count = 1 + scenario->jobs->len;
    g_autofree StratCosting *costings = g_new0(StratCosting, count);
    g_autofree StratJob *jobs = g_new0(StratJob, count);
    if (!scen_costing(scenario, &costings[0], error))
        return NULL;
    jobs[0] = (StratJob){scenario->name, &costings[0], result->step_ns};
    for (size_t i = 1; i < count; i++) {
        const ScenJob *job = &g_array_index(scenario->jobs, ScenJob, i - 1);
        if (!scen_job_costing(scenario, job, &costings[i], error))
            return NULL;
        jobs[i] = (StratJob){job->name, &costings[i], 0};
    }
    return strat_jobs_run(jobs, count, scenario->fold, error);
}

bool scen_simulate_queued(const ScenScenario *scenario, double **beside, GError **error)
{
    const GArray *jobs = scenario->queue.jobs;
    g_autofree StratCosting *costings = g_new0(StratCosting, jobs->len);
    g_autofree StratQueueWork *works = g_new0(StratQueueWork, jobs->len);
    g_autofree ScenScenario *alone = g_new(ScenScenario, jobs->len);
    bool any = false;
    for (guint i = 0; i < jobs->len; i++) {
        const ScenQueueJobs *kind = &g_array_index(jobs, ScenQueueJobs, i);
        works[i] = (StratQueueWork){.name = kind->row.name, .nodes = kind->row.nodes};
        if (!kind->trains)
            continue;
        alone[i] = *scenario;
        alone[i].queue.is_on = false;
        alone[i].model = kind->model;
        alone[i].plan = kind->plan;
        if (!scen_costing(&alone[i], &costings[i], error))
            return false;
        works[i].costing = &costings[i];
        any = true;
    }
    if (!any)
        return true;
    *beside = g_new(double, (gsize)jobs->len * jobs->len);
    return strat_queue_meet(works, jobs->len, scenario->cluster.node_count,
                            scenario->queue.spec.nodes_per_leaf, scenario->fold, *beside, error);
}

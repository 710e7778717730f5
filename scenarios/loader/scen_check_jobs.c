/* Checks of the further jobs, and of jobs of a queue that say what they train: each is held to the
 * rules of a scenario of its own, on as many GPUs of the same cluster as it uses. What they say is
 * placed at the job. */
#include "scen_check.h"

#include <string.h>

#define I64 "%" G_GINT64_FORMAT

static void add_lines(ScenErrors *errors, ScenMark mark, const char *name, const char *lines)
{
    g_auto(GStrv) all = g_strsplit(lines, "\n", -1);
    for (size_t i = 0; all[i]; i++)
        scen_errors_add(errors, mark, "job '%s': %s", name, all[i]);
}

/* GPUs by the plan's own sizes; 0 when it leaves the data-parallel size open. */
static double planned_gpus(const StratPlan *plan)
{
    return (double)plan->tensor * (double)plan->context * (double)plan->pipeline *
           (double)plan->data;
}

static void check_job(const ScenScenario *scenario, ScenJob *job, ScenErrors *errors)
{
    int64_t room = scenario->cluster.node.gpus * scenario->cluster.node_count;
    double planned = planned_gpus(&job->plan);
    if (job->gpus == 0 && planned < 1.0) {
        scen_errors_add(errors, job->mark, "job '%s' needs gpus, or data in its plan", job->name);
        return;
    }
    if (planned > (double)room || job->gpus > room) {
        scen_errors_add(errors, job->mark, "job '%s' is larger than the cluster's " I64 " GPUs",
                        job->name, room);
        return;
    }
    if (job->gpus == 0)
        job->gpus = (int64_t)planned;
    ScenScenario alone = *scenario;
    alone.model = job->model;
    alone.plan = job->plan;
    alone.cluster.gpu_count = job->gpus;
    alone.expect = (ScenExpect){0};
    g_autoptr(GError) error = NULL;
    if (scen_scenario_check(&alone, &error))
        job->plan.data = alone.plan.data;
    else
        add_lines(errors, job->mark, job->name, error->message);
}

void scen_check_jobs(ScenScenario *scenario, ScenErrors *errors)
{
    for (guint i = 0; scenario->jobs && i < scenario->jobs->len; i++) {
        ScenJob *job = &g_array_index(scenario->jobs, ScenJob, i);
        check_job(scenario, job, errors);
        for (guint k = 0; k < i; k++) {
            if (g_str_equal(g_array_index(scenario->jobs, ScenJob, k).name, job->name))
                scen_errors_add(errors, job->mark, "there are two jobs '%s'", job->name);
        }
    }
}

static void check_queued(const ScenScenario *scenario, ScenQueueJobs *jobs, ScenErrors *errors)
{
    ScenScenario alone = *scenario;
    alone.queue.is_on = false;
    alone.model = jobs->model;
    alone.plan = jobs->plan;
    alone.cluster.gpu_count = jobs->gpus;
    g_autoptr(GError) error = NULL;
    if (jobs->gpus % scenario->cluster.node.gpus != 0)
        scen_errors_add(errors, jobs->mark, "jobs '%s' with a plan use whole nodes of " I64 " GPUs",
                        jobs->row.name, scenario->cluster.node.gpus);
    else if (scen_scenario_check(&alone, &error))
        jobs->plan.data = alone.plan.data;
    else
        add_lines(errors, jobs->mark, jobs->row.name, error->message);
}

void scen_check_queued_jobs(ScenScenario *scenario, ScenErrors *errors)
{
    const TopoNet *net = topo_net_by_name(scenario->network, NULL);
    for (guint i = 0; scenario->queue.is_on && i < scenario->queue.jobs->len; i++) {
        ScenQueueJobs *jobs = &g_array_index(scenario->queue.jobs, ScenQueueJobs, i);
        if (!jobs->trains)
            continue;
        if (!net->shares_links)
            scen_errors_add(errors, jobs->mark,
                            "jobs with a plan meet on a network that shares its links: network: "
                            "fluid, not %s",
                            net->name);
        if (scenario->queue.spec.nodes_per_leaf < 2)
            scen_errors_add(
                errors, jobs->mark,
                "jobs with a plan meet under leaves of several nodes: queue.nodes_per_leaf");
        check_queued(scenario, jobs, errors);
    }
}

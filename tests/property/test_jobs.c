/* Jobs on one network: repeated steps are the same step again, whatever the plan; jobs that share
 * no link do not notice each other, to the nanosecond; jobs that share one wait, never longer than
 * if they had taken turns on it; and what cannot be compared is refused. */
#include "scen_load.h"
#include "scen_simulate.h"
#include "toy_plans.h"

#include "strat_jobs.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Checks that @steps steps of @world end at once, twice, three times... the end of the first. */
static void expect_equal_steps(const ToyWorld *world, bool fold, uint32_t steps)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(GError) error = NULL;
    g_autoptr(StratTrainResult) once = strat_train_run(&costing, fold, &error);
    g_autoptr(StratTrainResult) many = g_new0(StratTrainResult, 1);
    g_autoptr(GArray) ends = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autofree char *what = toy_plan_describe(world);
    StratStep *step = many->step = g_new0(StratStep, 1);
    StratPlaces places = {&world->cluster, NULL, NULL, NULL};
    step->program = strat_program_new();
    step->fold = strat_fold_new(&places, &world->plan, fold);
    step->transfers = strat_transfers_new(&world->plan, step->fold, false);
    StratSteps job = {.costing = &costing, .fold = step->fold, .prefix = "again ", .steps = steps};
    cr_assert(strat_compile_steps(&job, step->program, step->transfers, ends, &error));
    cr_assert(sim_program_seal(step->program, &error), "%s: %s", what, error->message);
    cr_assert(strat_train_simulate(&costing, many, &error), "%s: %s", what, error->message);
    SimTime end = 0;
    for (uint32_t k = 0, op = 0; k < steps; k++) {
        for (; op < g_array_index(ends, uint32_t, k); op++)
            end = MAX(end, many->run->end[op]);
        cr_expect(end == (k + 1) * once->step_ns, "%s, step %u: %" PRId64 " ns, once %" PRId64,
                  what, k, end, once->step_ns);
    }
}

Test(jobs, repeat_their_steps_exactly)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        ToyWorld world = toy_plan_at(i);
        expect_equal_steps(&world, true, 4);
        if (world.cluster.gpu_count <= 16)
            expect_equal_steps(&world, false, 2);
    }
}

static const char *const plan =
    "plan: {base: nemo-2025, tensor: 8, sequence_length: 2048, global_batch: 32}\n";

/* A scenario of two jobs of Llama 3 8B with 32 GPUs each, four nodes to a leaf; @placement is that
 * of the first, @job the rest of the second. */
static ScenScenario *two_jobs(int oversubscription, const char *placement, const char *job,
                              const char *more)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        g_strdup_printf("network: fluid\nmodel: llama-3-8b\n"
                        "cluster: {node: dgx-h100, nodes: 8, gpus: 32}\n"
                        "fabric: {kind: leaf-spine, nics_per_leaf: 32, routing: d-mod-k, "
                        "leaf_oversubscription: %d}\n"
                        "placement: %s\n%s%sjobs:\n  - {name: other, model: llama-3-8b, %s}\n",
                        oversubscription, placement, plan, more, job);
    ScenLoadOptions options = {0};
    ScenScenario *scenario = scen_scenario_parse("jobs", text, strlen(text), &options, &error);
    cr_assert(scenario, "%s", error ? error->message : "");
    return scenario;
}

static StratJobs *run_jobs(const ScenScenario *scenario)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StratTrainResult) own = scen_simulate(scenario, &error);
    cr_assert(own, "%s", error ? error->message : "");
    StratJobs *jobs = scen_simulate_jobs(scenario, own, &error);
    cr_assert(jobs, "%s", error ? error->message : "");
    cr_assert(jobs->jobs->len == 2);
    return jobs;
}

static double slowdown(const StratJobs *jobs, guint index)
{
    const StratJobResult *job = &g_array_index(jobs->jobs, StratJobResult, index);
    return job->together_ns / (double)job->alone_ns;
}

static const char *const same_plan =
    "gpus: 32, plan: {base: nemo-2025, tensor: 8, sequence_length: 2048, global_batch: 32}";
static const char *const short_plan =
    "gpus: 32, plan: {base: nemo-2025, tensor: 8, sequence_length: 2048, global_batch: 4}";
static const char *const pipelined =
    "gpus: 32, plan: {base: nemo-2025, tensor: 4, pipeline: 4, zero_stage: 1, "
    "sequence_length: 2048, global_batch: 16}";

Test(jobs, on_leaves_of_their_own_do_not_notice_each_other)
{
    const char *const others[] = {same_plan, short_plan, pipelined};
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autoptr(ScenScenario) scenario = two_jobs(4, "packed", others[i], "");
        g_autoptr(StratJobs) jobs = run_jobs(scenario);
        cr_expect(slowdown(jobs, 0) == 1.0, "%zu: %.12g", i, slowdown(jobs, 0));
        cr_expect(slowdown(jobs, 1) == 1.0, "%zu: %.12g", i, slowdown(jobs, 1));
    }
}

static const char *const halves = "{kind: custom, nodes: [0, 1, 4, 5]}";

/* Seconds of all transfers that one GPU of @result's slowest class takes part in, end to end. */
static double traffic_ns(const StratTrainResult *result)
{
    const SimProgram *program = result->step->program;
    g_autofree double *sums = g_new0(double, sim_program_class_count(program));
    double most = 0.0;
    for (uint32_t i = 0; i < sim_program_op_count(program); i++) {
        const SimOp *op = sim_program_op(program, i);
        if (!sim_op_kind_is_transfer(op->kind))
            continue;
        sums[op->rank_class] += (double)(result->run->end[i] - result->run->start[i]);
        most = MAX(most, sums[op->rank_class]);
    }
    return most;
}

Test(jobs, on_one_spine_wait_but_no_longer_than_taking_turns)
{
    g_autoptr(ScenScenario) scenario = two_jobs(8, halves, same_plan, "");
    g_autoptr(StratTrainResult) own = scen_simulate(scenario, NULL);
    g_autoptr(StratJobs) jobs = run_jobs(scenario);
    const StratJobResult *first = &g_array_index(jobs->jobs, StratJobResult, 0);
    double lost = first->together_ns - (double)first->alone_ns;
    cr_expect(slowdown(jobs, 0) > 1.02, "%g", slowdown(jobs, 0));
    cr_expect(lost <= traffic_ns(own), "lost %g ns of %g", lost, traffic_ns(own));
    cr_expect(fabs(slowdown(jobs, 0) - slowdown(jobs, 1)) < 1e-6, "equals fare equally: %g, %g",
              slowdown(jobs, 0), slowdown(jobs, 1));
    cr_assert(jobs->hot_links && jobs->hot_links->len > 0);
    const TopoHotLink *hot = &g_array_index(jobs->hot_links, TopoHotLink, 0);
    cr_expect(strstr(hot->name, "spine/") && hot->waited_s > 0.0, "%s", hot->name);
}

Test(jobs, wait_less_where_there_is_more_room)
{
    double last = INFINITY;
    for (int over = 8; over >= 1; over /= 2) {
        g_autoptr(ScenScenario) scenario = two_jobs(over, halves, same_plan, "");
        g_autoptr(StratJobs) jobs = run_jobs(scenario);
        cr_expect(slowdown(jobs, 0) <= last + 1e-9 && slowdown(jobs, 0) >= 1.0, "%d to 1: %g", over,
                  slowdown(jobs, 0));
        last = slowdown(jobs, 0);
    }
    cr_expect(last < 1.001, "nobody waits on a full fabric: %g", last);
}

Test(jobs, shorter_ones_go_on_until_the_longest_has_ended_a_step)
{
    g_autoptr(ScenScenario) scenario = two_jobs(8, halves, short_plan, "");
    g_autoptr(StratJobs) jobs = run_jobs(scenario);
    const StratJobResult *first = &g_array_index(jobs->jobs, StratJobResult, 0);
    const StratJobResult *other = &g_array_index(jobs->jobs, StratJobResult, 1);
    cr_expect(other->alone_ns * 2 < first->alone_ns && other->steps > 2, "%u steps", other->steps);
    cr_expect(first->steps >= 1 && slowdown(jobs, 0) > 1.0 && slowdown(jobs, 1) > 1.0);
    double first_ran = first->together_ns * first->steps;
    cr_expect(other->together_ns * (other->steps + 1) > first_ran, "it stopped too soon");
}

Test(jobs, folded_and_not_agree)
{
    g_autoptr(ScenScenario) folded = two_jobs(4, halves, pipelined, "");
    g_autoptr(ScenScenario) whole = two_jobs(4, halves, pipelined, "fold: false\n");
    g_autoptr(StratJobs) few = run_jobs(folded), all = run_jobs(whole);
    for (guint i = 0; i < 2; i++)
        cr_expect(fabs(slowdown(few, i) / slowdown(all, i) - 1.0) < 0.02, "job %u: %g, unfolded %g",
                  i, slowdown(few, i), slowdown(all, i));
}

Test(jobs, of_too_different_length_are_refused)
{
    g_autoptr(ScenScenario) scenario = two_jobs(
        4, halves,
        "gpus: 32, plan: {base: nemo-2025, tensor: 8, sequence_length: 64, global_batch: 4, "
        "optimizer: none}",
        "");
    scenario->plan.global_batch = 32 * 64;
    g_autoptr(GError) error = NULL;
    g_autoptr(StratTrainResult) own = scen_simulate(scenario, &error);
    cr_assert(own);
    g_autoptr(StratJobs) jobs = scen_simulate_jobs(scenario, own, &error);
    cr_expect(!jobs && strstr(error->message, "job 'other' has a step of"), "%s",
              error ? error->message : "ran");
}

Test(jobs, need_a_network_that_shares_its_links)
{
    g_autoptr(ScenScenario) scenario = two_jobs(4, halves, same_plan, "");
    g_autoptr(StratTrainResult) own = scen_simulate(scenario, NULL);
    g_autoptr(GError) error = NULL;
    scenario->network = "alpha-beta";
    g_autoptr(StratJobs) jobs = scen_simulate_jobs(scenario, own, &error);
    cr_expect(!jobs && strstr(error->message, "shares its links, and alpha-beta does not"), "%s",
              error ? error->message : "ran");
}

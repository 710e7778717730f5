/* What a stage holds over the time of a step agrees with the walk over its tasks: the same peak,
 * nothing before and after, and as many moments as tasks. */
#include "strat_layout.h"
#include "strat_pipe.h"
#include "toy_plans.h"

#include <criterion/criterion.h>

#include <math.h>

static const char *const schedules[] = {"gpipe", "1f1b", "interleaved-1f1b", "zb-h1",
                                        "zb-h2", "zb-v", "dualpipe"};

static double total(const StratMemory *states, const StratMoment *now)
{
    return states->weights_bytes + states->gradients_bytes + states->optimizer_bytes +
           states->reserved_bytes + now->activations_bytes + now->workspace_bytes;
}

static void check_stage(const StratCosting *costing, const StratTrainResult *result, guint stage,
                        const char *name)
{
    const StratMemory *m = &g_array_index(result->memory, StratMemory, stage);
    g_autoptr(GArray) moments =
        strat_memory_moments(costing, result->step, result->run, stage, m->workspace_bytes);
    StratPipeline pipeline = strat_pipe(costing);
    g_autoptr(GPtrArray) orders =
        strat_schedule_orders(strat_plan_schedule(costing->plan), &pipeline);
    guint tasks = 0;
    for (guint i = 0; i < result->step->tasks->len; i++)
        tasks += g_array_index(result->step->tasks, StratTaskOps, i).stage == stage;
    cr_expect(tasks == ((GArray *)orders->pdata[stage])->len, "%s: %u tasks", name, tasks);
    cr_expect(moments->len >= tasks + 2, "%s: %u moments", name, moments->len);
    double most = 0.0;
    SimTime before = 0;
    for (guint i = 0; i < moments->len; i++) {
        const StratMoment *now = &g_array_index(moments, StratMoment, i);
        cr_expect(now->at_ns >= before && now->at_ns <= result->run->makespan, "%s: moment %u",
                  name, i);
        cr_expect(now->activations_bytes > -1.0, "%s: less than nothing at %u", name, i);
        most = MAX(most, total(m, now));
        before = now->at_ns;
    }
    cr_expect(fabs(most - m->peak_bytes) <= 1e-9 * m->peak_bytes, "%s: %.0f, not %.0f", name, most,
              m->peak_bytes);
    const StratMoment *first = &g_array_index(moments, StratMoment, 0);
    const StratMoment *last = &g_array_index(moments, StratMoment, moments->len - 1);
    cr_expect(first->activations_bytes == 0.0 && first->workspace_bytes == 0.0);
    cr_expect(last->activations_bytes == 0.0 && last->workspace_bytes == 0.0);
    const StratMoment *end = &g_array_index(moments, StratMoment, moments->len - 2);
    cr_expect(fabs(end->activations_bytes) <= 1e-6 * m->peak_bytes, "%s: %.0f left", name,
              end->activations_bytes);
}

static void check_world(const ToyWorld *world, const char *name)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(GError) error = NULL;
    g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, &error);
    cr_assert(result != NULL, "%s: %s", name, error ? error->message : "");
    for (guint stage = 0; stage < result->memory->len; stage++)
        check_stage(&costing, result, stage, name);
}

Test(memory_time, of_every_plan_has_the_peak_of_its_walk_and_ends_with_nothing)
{
    for (size_t i = 0; i < toy_plan_count(); i++) {
        ToyWorld world = toy_plan_at(i);
        g_autofree char *name = toy_plan_describe(&world);
        check_world(&world, name);
    }
}

Test(memory_time, of_every_schedule_has_the_peak_of_its_walk_and_ends_with_nothing)
{
    for (size_t i = 0; i < G_N_ELEMENTS(schedules); i++) {
        ToyWorld world = toy_world();
        world.plan.pipeline = 4;
        bool two = g_str_equal(schedules[i], "interleaved-1f1b") ||
                   g_str_equal(schedules[i], "zb-v") || g_str_equal(schedules[i], "dualpipe");
        world.plan.virtual_stages = two ? 2 : 1;
        toy_lay_out(&world, 2, 8);
        world.plan.schedule = schedules[i];
        check_world(&world, schedules[i]);
    }
}

Test(memory_time, peaks_in_the_last_forward_before_the_first_backward_of_one_forward_one_backward)
{
    ToyWorld world = toy_world();
    world.plan.pipeline = 4;
    toy_lay_out(&world, 1, 8);
    StratCosting costing = toy_costing(&world);
    g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, NULL);
    g_autoptr(GArray) moments = strat_memory_moments(&costing, result->step, result->run, 0, 0.0);
    const StratMoment *peak = strat_memory_peak_moment(moments);
    cr_expect(peak->task.kind == STRAT_TASK_FORWARD && peak->task.microbatch == 3);
    cr_expect(peak->in_flight == 4.0);
}

/* The screen of training plans against their simulation: its bound is never above the step, its
 * memory is that of the walk. On average it is not below four fifths of the step, on toy plans
 * whose sends and waits are far longer, next to their work, than those of real ones, and which
 * shard optimizers at most. */
#include "strat_layout.h"
#include "strat_screen.h"
#include "toy_plans.h"

#include <criterion/criterion.h>

#include <math.h>

enum { RANDOM_PLANS = 400 };

typedef struct Sum {
    double closeness, worst;
    int plans;
} Sum;

static void compare(const ToyWorld *world, Sum *sum)
{
    StratCosting costing = toy_costing(world);
    if (world->plan.profiled.forward_s > 0.0 || world->model.experts > 0) /* not searched */
        return;
    g_autofree char *plan = toy_plan_describe(world);
    g_autoptr(GError) error = NULL;
    g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, &error);
    cr_assert_not_null(result, "%s: %s", plan, error ? error->message : "");
    g_autoptr(StratScreen) screen = strat_screen_new(&costing);
    StratLeast least = strat_screen_plan(screen, &world->plan);
    double step_s = (double)result->step_ns * 1e-9;
    cr_expect_leq(least.step_s, step_s, "%.9f s, bound %.9f: %s", step_s, least.step_s, plan);
    double bytes =
        g_array_index(result->memory, StratMemory, strat_memory_worst_stage(result->memory))
            .peak_bytes;
    bool cut = strat_plan_schedule(&world->plan)->kinds & 1U << STRAT_TASK_WEIGHT;
    if (cut)
        cr_expect_leq(least.memory_bytes, bytes * (1.0 + 1e-12), "%s", plan);
    else
        cr_expect_leq(fabs(least.memory_bytes - bytes), 1e-9 * bytes,
                      "%.9g bytes, screened %.9g: %s", bytes, least.memory_bytes, plan);
    if (world->plan.zero_stage > 1 || world->plan.shard > 0)
        return; /* whose traffic the bound leaves out */
    sum->closeness += least.step_s / step_s;
    sum->worst = fmin(sum->worst, least.step_s / step_s);
    sum->plans++;
}

Test(screen_bounds, no_simulated_step_is_shorter_and_memory_is_that_of_the_walk)
{
    Sum sum = {.worst = 1.0};
    for (size_t i = 0; i < toy_plan_count(); i++)
        for (int recompute = STRAT_RECOMPUTE_NONE; recompute <= STRAT_RECOMPUTE_FULL; recompute++) {
            ToyWorld world = toy_plan_at(i);
            world.plan.recompute = (StratRecompute)recompute;
            compare(&world, &sum);
        }
    SimRandom stream = sim_random_stream(1, "screen");
    for (int i = 0; i < RANDOM_PLANS; i++) {
        ToyWorld world = toy_plan_random(&stream);
        compare(&world, &sum);
    }
    cr_log_info("%d plans, bound over step: mean %.4f, least %.4f", sum.plans,
                sum.closeness / sum.plans, sum.worst);
    cr_expect_gt(sum.closeness, 0.8 * sum.plans);
}

/* What a screen has priced for one plan must not leak into another. */
Test(screen_bounds, a_screen_that_has_seen_other_plans_says_the_same)
{
    ToyWorld base = toy_plan_at(0);
    StratCosting costing = toy_costing(&base);
    g_autoptr(StratScreen) used = strat_screen_new(&costing);
    ToyWorld world = base;
    for (int64_t micro = 1; micro <= 2; micro++)
        for (int recompute = STRAT_RECOMPUTE_NONE; recompute <= STRAT_RECOMPUTE_FULL; recompute++) {
            world.plan.micro_batch = micro;
            world.plan.global_batch = base.plan.data * 8;
            world.plan.recompute = (StratRecompute)recompute;
            g_autoptr(StratScreen) fresh = strat_screen_new(&costing);
            StratLeast a = strat_screen_plan(used, &world.plan);
            StratLeast b = strat_screen_plan(fresh, &world.plan);
            cr_expect(a.step_s == b.step_s && a.memory_bytes == b.memory_bytes);
            cr_expect(a.step_s > 0.0 && a.memory_bytes > 0.0);
        }
}

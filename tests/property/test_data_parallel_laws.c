/* Laws of every way to agree, on plans of all sizes: folding changes nothing, the ledger sums to
 * the step, the screen of the search stays below it, and the same for less (fewer bytes, slower
 * steps between exchanges) is never slower. */
#include "strat_screen.h"
#include "toy_plans.h"

#include <criterion/criterion.h>

static const StratDataParallel ways[] = {
    {.buckets = {.bytes = 1e6}                         },
    {.buckets = {.parameters = 2e6, .first_bytes = 1e5}},
    {.exchange = "gossip-one"                          },
    {.exchange = "gossip-ring",                          .compression = {.kind = "int8"}},
    {.compression = {.kind = "fp16"},                                                  .buckets = {.bytes = 4e6}},
    {.compression = {.kind = "top-k", .density = 0.01}},
    {.compression = {.kind = "powersgd", .rank = 4} },
    {.exchange = "parameter-server",     .servers = {.count = 3}},
    {.exchange = "parameter-server",                     .servers = {.count = 2, .local_reduce = true}},
    {.exchange = "parameter-server",                                                  .servers = {.count = 2, .staleness = 2, .updates = 20}},
    {.islands = {.count = 2, .inner_steps = 10, .fragments = 2, .bytes_per_s = 1e9}},
};

/* Whether @way goes with the plan of @world, which gets it. */
static bool set_way(ToyWorld *world, const StratDataParallel *way)
{
    StratPlan *plan = &world->plan;
    bool whole = way->exchange || way->compression.kind;
    if (plan->data < 2 || plan->expert > 0 || (way->islands.count > 1 && plan->data % 2 != 0) ||
        (whole && plan->zero_stage > 0) || plan->zero_stage == 3)
        return false;
    if (way->islands.count > 1)
        plan->shard = 0;
    plan->data_parallel = *way;
    return true;
}

static StratTrainResult *run(const ToyWorld *world, bool fold)
{
    StratCosting costing = toy_costing(world);
    g_autoptr(GError) error = NULL;
    StratTrainResult *result = strat_train_run(&costing, fold, &error);
    cr_assert(result, "%s", error ? error->message : "");
    return result;
}

Test(data_parallel_laws, folding_changes_nothing_and_the_ledger_sums_up)
{
    int count = 0;
    for (size_t p = 0; p < toy_plan_count(); p++) {
        for (size_t w = 0; w < G_N_ELEMENTS(ways); w++) {
            ToyWorld world = toy_plan_at(p);
            if (!set_way(&world, &ways[w]))
                continue;
            g_autoptr(StratTrainResult) folded = run(&world, true), whole = run(&world, false);
            g_autofree char *what = toy_plan_describe(&world);
            cr_expect_eq(folded->step_ns, whole->step_ns, "%s, way %zu", what, w);
            cr_expect_eq(toy_ledger_sum(folded), folded->gpus * folded->step_ns, "%s, way %zu",
                         what, w);
            for (int b = 0; b < STRAT_BUCKET_COUNT; b++)
                cr_expect_geq(folded->ledger_ns[b], 0, "%s, way %zu", what, w);
            count++;
        }
    }
    cr_expect_gt(count, 100, "%d plans", count);
}

Test(data_parallel_laws, the_screen_stays_below)
{
    for (size_t p = 0; p < toy_plan_count(); p++) {
        for (size_t w = 0; w < G_N_ELEMENTS(ways); w++) {
            ToyWorld world = toy_plan_at(p);
            if (!set_way(&world, &ways[w]))
                continue;
            StratCosting costing = toy_costing(&world);
            StratScreen *screen = strat_screen_new(&costing);
            StratLeast least = strat_screen_plan(screen, &world.plan);
            g_autoptr(StratTrainResult) result = run(&world, true);
            g_autofree char *what = toy_plan_describe(&world);
            double step_s = sim_time_to_seconds(result->step_ns);
            cr_expect_leq(least.step_s, step_s, "%s, way %zu: %.9g > %.9g", what, w, least.step_s,
                          step_s);
            const StratMemory *worst = &g_array_index(result->memory, StratMemory,
                                                      strat_memory_worst_stage(result->memory));
            cr_expect_leq(least.memory_bytes, worst->peak_bytes * (1.0 + 1e-9), "%s, way %zu", what,
                          w);
            strat_screen_free(screen);
        }
    }
}

Test(data_parallel_laws, less_is_never_slower)
{
    for (size_t p = 0; p < toy_plan_count(); p++) {
        ToyWorld world = toy_plan_at(p);
        StratDataParallel way = ways[10];
        SimTime last = SIM_TIME_MAX;
        for (int64_t steps = 1; steps <= 1000 && set_way(&world, &way); steps *= 10) {
            way.islands.inner_steps = steps * 10;
            cr_assert(set_way(&world, &way));
            g_autoptr(StratTrainResult) result = run(&world, true);
            cr_expect_leq(result->step_ns, last);
            last = result->step_ns;
        }
    }
}

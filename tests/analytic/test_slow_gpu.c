/* One slow GPU, against what can be worked out by hand. It computes s = 1 / clock times as long.
 *
 * Replicas:  the others wait for it at the reduction of the gradients: its compute is s times as
 *            long, the reduction is what it was.
 * 1F1B:      of p stages and m microbatches with forwards of F and backwards of B, stage k slow.
 *            With r = p - 1 - k stages behind it, it starts after k F, waits r (F + B - s F) in all
 *            for its first backward, and, after its last forward, r (F + B) for the last microbatch
 *            to come back; the stages before it end k B after it:
 *
 *              T = k (F + B) + m s F + (m - 1 - r) s B + r (F + B - s F) + r (F + B) + s B
 *                = (F + B) (k + 2 r + (m - r) s)     as long as s F and s B are below F + B
 *
 *            which is (m + p - 1) (F + B) at s = 1: the further back the stage stands, the more of
 *            the microbatches it holds up.
 * Gang:      every rank of the tensor group waits at each block: as if all were slow. */
#include "toy_plans.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <math.h>

static const double FORWARD_S = 1e-3, BACKWARD_S = 2e-3;

/* The step of @world with @gpu at @clock; 1 for a healthy job. Every rank by itself gives the same.
 */
static double step_s(const ToyWorld *world, int64_t gpu, double clock, StratTrainResult **result)
{
    StratCosting costing = toy_costing(world);
    StratSlowGpu slow = {gpu, clock};
    StratJobState state = {.slow = &slow, .slow_count = clock < 1.0 ? 1 : 0};
    costing.state = &state;
    g_autoptr(GError) error = NULL;
    StratTrainResult *run = strat_train_run(&costing, true, &error);
    cr_assert(run, "%s", error ? error->message : "");
    g_autoptr(StratTrainResult) whole = strat_train_run(&costing, false, &error);
    cr_expect(whole && whole->step_ns == run->step_ns, "folded and not");
    double seconds = sim_time_to_seconds(run->step_ns);
    if (result)
        *result = run;
    else
        strat_train_result_free(run);
    return seconds;
}

static ToyWorld profiled_world(int64_t tensor, int64_t pipeline, int64_t data, int64_t microbatches)
{
    ToyWorld world = toy_world();
    world.plan.tensor = tensor;
    world.plan.pipeline = pipeline;
    world.plan.profiled = (StratProfiled){FORWARD_S, BACKWARD_S, 0.0, 1e-12};
    if (data == 1) /* no gradients to reduce: nothing but the passes */
        world.plan.optimizer = STRAT_OPTIMIZER_NONE;
    toy_lay_out(&world, data, microbatches);
    return world;
}

Test(slow_gpu, a_replica_is_waited_for_at_the_reduction)
{
    ToyWorld world = profiled_world(1, 1, 8, 5);
    world.plan.optimizer = STRAT_OPTIMIZER_ADAM;
    double compute_s = 5.0 * (FORWARD_S + BACKWARD_S), healthy_s = step_s(&world, 0, 1.0, NULL);
    cr_expect(healthy_s > compute_s + 1e-4, "there is a reduction: %g s", healthy_s - compute_s);
    for (int64_t gpu = 0; gpu < 8; gpu++) {
        double slow_s = step_s(&world, gpu, 0.8, NULL);
        cr_expect_float_eq(slow_s - healthy_s, compute_s * 0.25, 1e-9, "GPU %d", (int)gpu);
    }
}

Test(slow_gpu, a_stage_holds_up_the_more_the_further_back_it_stands)
{
    static const int64_t shapes[][2] = {
        {2, 2 },
        {4, 4 },
        {4, 9 },
        {8, 8 },
        {8, 32},
    };
    static const double clocks[] = {0.975, 0.8, 0.7};
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        int64_t p = shapes[i][0], m = shapes[i][1];
        ToyWorld world = profiled_world(1, p, 1, m);
        for (int64_t k = 0; k < p; k++) {
            for (size_t c = 0; c < G_N_ELEMENTS(clocks); c++) {
                double s = 1.0 / clocks[c], r = (double)(p - 1 - k);
                double want =
                    (FORWARD_S + BACKWARD_S) * ((double)k + 2.0 * r + ((double)m - r) * s);
                double got = step_s(&world, k, clocks[c], NULL);
                /* Blocks are whole nanoseconds, and a send takes one of the 1e-12 s asked for. */
                cr_expect(fabs(got - want) < 2e-9 * (double)(m + p) * 2.0,
                          "p %d, m %d, stage %d, clock %g: %.9f s, want %.9f", (int)p, (int)m,
                          (int)k, clocks[c], got, want);
            }
        }
    }
}

Test(slow_gpu, a_gang_is_as_slow_as_its_slowest)
{
    ToyWorld world = profiled_world(8, 1, 1, 4);
    double healthy_s = step_s(&world, 0, 1.0, NULL);
    for (int64_t gpu = 0; gpu < 8; gpu++) {
        g_autoptr(StratTrainResult) slow = NULL;
        cr_expect_float_eq(step_s(&world, gpu, 0.8, &slow), healthy_s / 0.8, 1e-9);
        /* The seven others wait the difference, and are no busier than before. */
        cr_expect_float_eq((double)slow->ledger_ns[STRAT_BUCKET_BUBBLE] * 1e-9,
                           7.0 * healthy_s * 0.25, 1e-8);
    }
}

/* How much longer the step of @world takes with GPU 3 at 0.8 of its clock, and with all at that. */
static void slow_downs(const ToyWorld *world, double *one, double *all)
{
    ToyWorld slow = *world;
    slow.profile.sustained_clock_fraction *= 0.8;
    double healthy_s = step_s(world, 0, 1.0, NULL);
    *one = step_s(world, 3, 0.8, NULL) / healthy_s - 1.0;
    *all = step_s(&slow, 0, 1.0, NULL) / healthy_s - 1.0;
}

/* The same GPU of the same eight, the same model of equal layers, at real costs, of which passes
 * over HBM, launches and traffic do not scale with the clock. As a tensor rank or a replica it is
 * as bad as if all were slow; as stage 3 of 8 it holds up m - r = 60 microbatches' worth of the
 * step's m + p - 1 = 71. */
Test(slow_gpu, tensor_pipeline_and_data_positions_slow_the_job_unlike)
{
    static const struct {
        const char *position;
        int64_t tensor, pipeline, data;
        double of_all;   /* one slow-down over that of all */
        double slowdown; /* as simulated */
    } cases[] = {
        {"tensor",   8, 1, 1, 1.0,         0.1210},
        {"pipeline", 1, 8, 1, 60.0 / 71.0, 0.1730},
        {"data",     1, 1, 8, 1.0,         0.1853},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ToyWorld world = toy_world();
        world.model.vocab = 0;
        world.plan.tensor = cases[i].tensor;
        world.plan.pipeline = cases[i].pipeline;
        toy_lay_out(&world, cases[i].data, 64 / cases[i].data);
        double one, all;
        slow_downs(&world, &one, &all);
        cr_expect(fabs(one / all - cases[i].of_all) < 0.01, "%s: %.4f of %.4f", cases[i].position,
                  one, all);
        cr_expect(fabs(one - cases[i].slowdown) < 1e-4, "%s: %.4f", cases[i].position, one);
    }
}

/* Zero-bubble schedules (Qi 2024, arXiv 2401.10241) against their closed forms, by an evaluation of
 * orders that knows nothing of the engine, and the engine against that.
 *
 * With tasks of one unit and free sends a stage's own step takes, for m microbatches,
 *
 *     ZB-H1, ZB-1p   3 m + p - 1      a third of 1F1B's bubble of 3 (p - 1)
 *     ZB-H2, ZB-2p   3 m              m >= 2 p - 1
 *     ZB-V           3 m per chunk    while few bytes wait for W
 *
 * and where W takes w less than F and B, as GPT-1.5B of Tables 3 and 4, ZB-2p cannot pass the way
 * of the first microbatch there and the last one back: (p - 1) (F + B + 2 c) + m (F + B) + W. */
#include "pipeline_clock.h"
#include "strat_pipe.h"
#include "strat_train.h"
#include "toy_world.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <math.h>

static StratPipeline shape_of(int64_t stages, int64_t chunks, int64_t microbatches)
{
    return (StratPipeline){
        .stages = stages,
        .chunks = chunks,
        .microbatches = microbatches,
        .times = {.forward = 1.0, .input = 1.0, .weight = 1.0, .weight_bytes = 0.4},
    };
}

static double step_of(const char *name, const StratPipeline *shape)
{
    const StratSchedule *schedule = strat_schedule_by_name(name, NULL);
    cr_assert(schedule);
    return pipeline_clock(schedule, shape, 0.0).longest;
}

Test(zero_bubble, tasks_of_one_unit_take_the_closed_forms)
{
    for (int64_t p = 2; p <= 16; p *= 2) {
        for (int64_t m = 2 * p; m <= 4 * p; m += p / 2 + 1) {
            StratPipeline one = shape_of(p, 1, m), two = shape_of(p, 2, m);
            double busy = 3.0 * (double)m;
            cr_expect(step_of("zb-h1", &one) == busy + (double)(p - 1));
            cr_expect(step_of("zb-1p", &one) == busy + (double)(p - 1));
            cr_expect(step_of("zb-h2", &one) == busy);
            cr_expect(step_of("zb-2p", &one) == busy);
            cr_expect(step_of("zb-v", &two) == 2.0 * busy, "p=%d m=%d: %g, not %g", (int)p, (int)m,
                      step_of("zb-v", &two), 2.0 * busy);
        }
    }
}

/* Profiled times of GPT-1.5B on 8 stages, and what its scores leave of w. */
Test(zero_bubble, profiled_times_take_the_bound_of_the_way_there_and_back)
{
    StratPipeline shape = shape_of(8, 1, 24);
    shape.times = (StratTaskTimes){.forward = 18.522,
                                   .input = 18.086,
                                   .weight = 9.337,
                                   .send = 0.601,
                                   .weight_bytes = 32.0 / 87.3};
    const StratTaskTimes *t = &shape.times;
    double there_and_back =
        7.0 * (t->forward + t->input + 2.0 * t->send) + 24.0 * (t->forward + t->input) + t->weight;
    double got = step_of("zb-2p", &shape);
    cr_expect(got >= there_and_back - 1e-9 && got < there_and_back * 1.002, "%g, not %g", got,
              there_and_back);
    double by_hand = step_of("zb-h2", &shape);
    cr_expect(got <= by_hand, "found for its times: %g, by hand: %g", got, by_hand);
}

static double peak_held(const char *name, const StratPipeline *shape)
{
    return pipeline_held(strat_schedule_by_name(name, NULL), shape, shape->times.weight_bytes);
}

Test(zero_bubble, nobody_holds_more_than_the_schedule_promises)
{
    for (int64_t p = 2; p <= 16; p *= 2) {
        StratPipeline one = shape_of(p, 1, 3 * p), two = shape_of(p, 2, 3 * p);
        for (double w = 0.1; w <= 1.0; w += 0.3) {
            one.times.weight_bytes = two.times.weight_bytes = w;
            cr_expect(peak_held("zb-h1", &one) <= (double)p + 1e-6);
            cr_expect(peak_held("zb-1p", &one) <= (double)p + 1e-6);
            cr_expect(peak_held("zb-h2", &one) <= (double)(2 * p - 1) + 1e-6);
            cr_expect(peak_held("zb-2p", &one) <= (double)(2 * p) + 1e-6);
            cr_expect(peak_held("zb-v", &two) <= (double)(2 * p) + 1e-6);
        }
    }
}

Test(zero_bubble, the_engine_runs_the_orders_as_the_evaluation_does)
{
    static const char *const names[] = {"zb-h1", "zb-h2", "zb-1p", "zb-2p", "zb-v"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const StratSchedule *schedule = strat_schedule_by_name(names[i], NULL);
        for (int64_t p = 2; p <= 8; p *= 2) {
            int64_t chunks = schedule->is_v ? 2 : 1, m = 2 * p + 1;
            ToyWorld world = toy_world();
            StratPlan *plan = &world.plan;
            plan->pipeline = p;
            plan->virtual_stages = chunks;
            plan->optimizer = STRAT_OPTIMIZER_NONE;
            plan->overlap_pipeline = true;
            plan->profiled = (StratProfiled){.forward_s = 5e-6 * (double)chunks,
                                             .backward_input_s = 4e-6 * (double)chunks,
                                             .backward_weight_s = 3e-6 * (double)chunks};
            world.model.layers = p * chunks;
            toy_lay_out(&world, 1, m);
            plan->schedule = names[i];
            StratCosting costing = toy_costing(&world);
            costing.net = &toy_free_net;
            g_autoptr(GError) error = NULL;
            g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, &error);
            cr_assert(result, "%s: %s", names[i], error ? error->message : "no result");
            StratPipeline shape = strat_pipe(&costing);
            double want = pipeline_clock(schedule, &shape, 0.0).longest * 1e9;
            cr_expect(fabs((double)result->step_ns - want) < 1.0, "%s p=%d: %" PRId64 ", not %g",
                      names[i], (int)p, result->step_ns, want);
            int64_t sum = 0;
            for (int b = 0; b < STRAT_BUCKET_COUNT; b++)
                sum += result->ledger_ns[b];
            cr_expect(sum == result->gpus * result->step_ns, "%s: the ledger sums", names[i]);
        }
    }
}

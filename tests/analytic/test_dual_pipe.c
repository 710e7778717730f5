/* DualPipe and DualPipeV against table 2 of DeepSeek-V3 (arXiv 2412.19437): by an evaluation of the
 * orders that knows nothing of the engine, and the engine against that.
 *
 *   bubble       (P / 2 - 1) (F&B + B - 3 W), with the input's gradient as long as a forward
 *   parameters   twice, activations of P + 1 chunks
 *
 * Copies reduce together: 2 D ranks, as many bytes as a ring of them moves. */
#include "pipeline_clock.h"
#include "strat_expert.h"
#include "strat_layout.h"
#include "strat_pipe.h"
#include "toy_plans.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <math.h>

static const char *const names[] = {"dualpipe", "dualpipe-v"};

/* @chunks of the model, of which a stage holds two, and @microbatches through each. */
static StratPipeline shape_of(const StratSchedule *schedule, int64_t chunks, int64_t microbatches)
{
    return (StratPipeline){
        .stages = schedule->is_dual ? chunks : chunks / 2,
        .chunks = 2,
        .microbatches = microbatches,
        .times = {.forward = 10.0, .input = 10.0, .weight = 8.0},
    };
}

Test(dual_pipe, the_bubble_is_the_published_one)
{
    for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
        const StratSchedule *schedule = strat_schedule_by_name(names[n], NULL);
        for (int64_t p = 2; p <= 24; p += 2) {
            for (int64_t m = p; m <= 3 * p; m += p / 2 + 1) {
                for (double pair = 28.0; pair >= 24.0; pair -= 2.0) {
                    StratPipeline shape = shape_of(schedule, p, m);
                    double want = (double)(p / 2 - 1) * (pair + 18.0 - 3.0 * 8.0);
                    double got = pipeline_clock(schedule, &shape, pair).idle;
                    cr_expect(fabs(got - want) < 1e-9, "%s P=%d m=%d F&B=%g: %g, not %g", names[n],
                              (int)p, (int)m, pair, got, want);
                }
            }
        }
    }
}

/* Tasks of one unit, as the table of schedules states it. */
Test(dual_pipe, the_table_prints_the_idle_share)
{
    for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
        const StratSchedule *schedule = strat_schedule_by_name(names[n], NULL);
        for (int64_t p = 2; p <= 16; p += 2) {
            StratPipeline shape = shape_of(schedule, p, p + 3);
            shape.times = (StratTaskTimes){.forward = 1.0, .input = 1.0, .weight = 1.0};
            PipelineClock clock = pipeline_clock(schedule, &shape, 3.0);
            cr_expect(fabs(schedule->bubble_fraction(&shape) - clock.idle / clock.makespan) <
                      1e-12);
        }
    }
}

Test(dual_pipe, stages_hold_p_plus_1_activations)
{
    for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
        const StratSchedule *schedule = strat_schedule_by_name(names[n], NULL);
        for (int64_t p = 2; p <= 24; p += 2) {
            StratPipeline shape = shape_of(schedule, p, 2 * p);
            cr_expect(pipeline_held(schedule, &shape, 0.0) == (double)(p + 1));
        }
    }
}

/* A world of @chunks, each of one layer, and @microbatches through each. */
static ToyWorld dual_world(const StratSchedule *schedule, int64_t chunks, int64_t microbatches,
                           int64_t data)
{
    StratPipeline shape = shape_of(schedule, chunks, microbatches);
    ToyWorld world = toy_world();
    world.plan.pipeline = shape.stages;
    world.plan.virtual_stages = 2;
    world.plan.overlap_pipeline = true;
    world.plan.optimizer = STRAT_OPTIMIZER_NONE;
    world.model.layers = chunks;
    toy_lay_out(&world, data, schedule->is_dual ? 2 * microbatches : microbatches);
    world.plan.schedule = schedule->name;
    return world;
}

static StratTrainResult *run(const StratCosting *costing, bool fold)
{
    g_autoptr(GError) error = NULL;
    StratTrainResult *result = strat_train_run(costing, fold, &error);
    cr_assert(result, "%s", error ? error->message : "no result");
    cr_expect(toy_ledger_sum(result) == result->gpus * result->step_ns, "the ledger sums");
    return result;
}

Test(dual_pipe, the_engine_runs_the_orders_as_the_evaluation_does)
{
    for (size_t n = 0; n < G_N_ELEMENTS(names); n++) {
        const StratSchedule *schedule = strat_schedule_by_name(names[n], NULL);
        for (int64_t p = 4; p <= 16; p *= 2) {
            ToyWorld world = dual_world(schedule, p, p + 1, 1);
            double chunks = (double)p / (double)world.plan.pipeline;
            world.plan.profiled = (StratProfiled){.forward_s = 5e-6 * chunks,
                                                  .backward_input_s = 4e-6 * chunks,
                                                  .backward_weight_s = 3e-6 * chunks};
            StratCosting costing = toy_costing(&world);
            costing.net = &toy_free_net;
            g_autoptr(StratTrainResult) result = run(&costing, true);
            StratPipeline shape = strat_pipe(&costing);
            shape.times = (StratTaskTimes){.forward = 5e3, .input = 4e3, .weight = 3e3};
            double want = pipeline_clock(schedule, &shape, 12e3).makespan;
            cr_expect(fabs((double)result->step_ns - want) < 1.0, "%s P=%d: %" PRId64 ", not %g",
                      names[n], (int)p, result->step_ns, want);
        }
    }
}

static double seconds_of(const GArray *spans)
{
    double sum = 0.0;
    for (guint i = 0; i < spans->len; i++)
        sum += g_array_index(spans, StratSpan, i).seconds;
    return sum;
}

static double backward_s(const StratCosting *costing, const StratModelChunk *chunk,
                         StratBackward parts)
{
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    strat_cost_backward(costing, chunk, parts, spans);
    return seconds_of(spans);
}

static double forward_s(const StratCosting *costing, const StratModelChunk *chunk)
{
    g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(StratSpan));
    strat_cost_forward(costing, chunk, spans);
    return seconds_of(spans);
}

/* Four chunks of one layer, all alike, of experts on four nodes. Returns the seconds of a pair,
 * over those of its two tasks alone. */
static double pair_with_experts(bool hides)
{
    const StratSchedule *schedule = strat_schedule_by_name("dualpipe", NULL);
    ToyWorld world = dual_world(schedule, 4, 6, 4);
    toy_make_experts(&world, 4, 1);
    world.model.dense_layers = 0;
    world.model.vocab = 0;
    world.model.expert_ffn = 8192;
    world.plan.overlap_expert = hides;
    world.cluster.node.gpus = world.cluster.node.scale_up_gpus = world.cluster.node.nics = 1;
    world.cluster.node_count = world.cluster.gpu_count;
    StratCosting costing = toy_costing(&world);
    StratModelChunk chunk = strat_chunk_at(&world.model, &world.plan, 1, 0);
    chunk.tensor_per_domain = chunk.context_per_domain = chunk.expert_per_domain = 1;
    StratPipeline shape = strat_pipe(&costing);
    shape.times =
        (StratTaskTimes){.forward = forward_s(&costing, &chunk),
                         .input = backward_s(&costing, &chunk, STRAT_BACKWARD_INPUT),
                         .weight = backward_s(&costing, &chunk, STRAT_BACKWARD_WEIGHT),
                         .send = strat_send_bytes(&costing) / world.cluster.node.nic_bytes_per_s};
    double alone_s = shape.times.forward + shape.times.input + shape.times.weight;
    chunk.beside_s = 1.0; /* longer than any exchange */
    double pair_s =
        forward_s(&costing, &chunk) + backward_s(&costing, &chunk, STRAT_BACKWARD_WHOLE);
    g_autoptr(StratTrainResult) result = run(&costing, true);
    double want = pipeline_clock(schedule, &shape, pair_s).makespan * 1e9;
    cr_expect(fabs((double)result->step_ns - want) < 1000.0, "%" PRId64 " ns, not %.0f",
              result->step_ns, want);
    return pair_s / alone_s;
}

Test(dual_pipe, a_pair_hides_the_exchanges_of_one_chunk_under_the_compute_of_the_other)
{
    cr_expect(fabs(pair_with_experts(false) - 1.0) < 1e-12);
    double ratio = pair_with_experts(true);
    cr_expect(ratio < 0.8, "%g", ratio);
}

/* Seconds of data-parallel traffic on a rank, with 10 GB/s a NIC and nothing else. */
static double reduced_s(int64_t data, int64_t zero)
{
    const StratSchedule *schedule = strat_schedule_by_name("dualpipe", NULL);
    ToyWorld world = dual_world(schedule, 4, 4, data);
    world.plan.optimizer = STRAT_OPTIMIZER_ADAM;
    world.plan.zero_stage = zero;
    world.model.vocab = 0;
    world.cluster.node.gpus = world.cluster.node.scale_up_gpus = world.cluster.node.nics = 1;
    world.cluster.node_count = world.cluster.gpu_count;
    StratCosting costing = toy_costing(&world);
    g_autoptr(StratTrainResult) result = run(&costing, true);
    return (double)result->ledger_ns[STRAT_BUCKET_DATA_COMM] * 1e-9 / (double)result->gpus;
}

Test(dual_pipe, both_copies_reduce_together_as_a_ring_of_all_their_ranks)
{
    ToyWorld world = toy_world();
    double params = 2.0 * model_layer_shard_params(&world.model, 1, false);
    for (int64_t data = 1; data <= 8; data *= 2) {
        double ranks = 2.0 * (double)data, ring = 2.0 * (ranks - 1.0) / ranks;
        double want = ring * params * 4.0 / 1e10;
        double got = reduced_s(data, 0);
        cr_expect(fabs(got - want) < 1e-6 * want, "data %d: %g s, not %g", (int)data, got, want);
        /* Sharded: gradients scattered in fp32, parameters gathered in 16 bits. */
        want = ring / 2.0 * params * (4.0 + 2.0) / 1e10;
        got = reduced_s(data, 1);
        cr_expect(fabs(got - want) < 1e-6 * want, "data %d sharded: %g s, not %g", (int)data, got,
                  want);
    }
}

Test(dual_pipe, ranks_hold_two_chunks_and_share_their_optimizer_over_both_copies)
{
    const StratSchedule *schedule = strat_schedule_by_name("dualpipe", NULL);
    ToyWorld world = dual_world(schedule, 8, 8, 2), plain = world;
    world.plan.optimizer = plain.plan.optimizer = STRAT_OPTIMIZER_ADAM;
    world.plan.zero_stage = plain.plan.zero_stage = 1;
    world.model.vocab = plain.model.vocab = 0;
    plain.plan.schedule = "1f1b";
    plain.plan.virtual_stages = 1;
    StratCosting dual = toy_costing(&world), single = toy_costing(&plain);
    g_autoptr(GArray) two = strat_memory_stages(&dual), one = strat_memory_stages(&single);
    for (guint s = 0; s < 8; s++) {
        const StratMemory *a = &g_array_index(two, StratMemory, s);
        const StratMemory *b = &g_array_index(one, StratMemory, s);
        cr_expect(a->weights_bytes == 2.0 * b->weights_bytes);
        cr_expect(a->gradients_bytes == 2.0 * b->gradients_bytes);
        cr_expect(a->optimizer_bytes == b->optimizer_bytes);
        double each = b->activations_bytes / b->in_flight;
        cr_expect(fabs(a->activations_bytes - 9.0 * each) < 1e-6 * each, "stage %u: %g", s,
                  a->activations_bytes / each);
    }
}

Test(dual_pipe, what_the_schedule_cannot_run_is_refused)
{
    const StratSchedule *dual = strat_schedule_by_name("dualpipe", NULL);
    const StratSchedule *half = strat_schedule_by_name("dualpipe-v", NULL);
    cr_expect(strat_schedule_fits(dual, 8, 2, 16, NULL));
    cr_expect(!strat_schedule_fits(dual, 7, 2, 16, NULL), "even stages");
    cr_expect(!strat_schedule_fits(dual, 8, 2, 17, NULL), "even microbatches");
    g_autofree char *reason = NULL;
    cr_expect(!strat_schedule_fits(dual, 8, 2, 14, &reason), "enough of them");
    cr_expect(reason && strstr(reason, "16 microbatches or more, not 14"), "%s", reason);
    cr_expect(strat_schedule_fits(half, 4, 2, 8, NULL));
    cr_expect(!strat_schedule_fits(half, 4, 2, 7, NULL));
}

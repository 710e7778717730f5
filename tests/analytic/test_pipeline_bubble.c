/* Idle share of pipeline schedules, through the compiler and the engine, against the closed forms.
 *
 * With equal stages, free sends, m microbatches, p stages and v chunks a stage, a stage is idle for
 * (p - 1) / (v m + p - 1) of the step (Narayanan 2021 SC, sections 2.2.1 and 2.2.2; v = 1 for GPipe
 * and 1F1B). Stage times are whole chunks of a thousand ns, so the check is exact in integers:
 * bubble * (v m + p - 1) = (p - 1) * GPUs * step. */
#include "toy_world.h"

#include "strat_layout.h"
#include "strat_schedule.h"

#include <criterion/criterion.h>

#include <inttypes.h>

static const int64_t stage_counts[] = {1, 2, 4, 8, 16};
static const int64_t micro_counts[] = {1, 2, 3, 4, 5, 8, 16, 24, 32, 48};
static const int64_t chunk_counts[] = {2, 3, 4};

enum { FORWARD_NS = 1000, BACKWARD_NS = 2000 }; /* of one chunk */

static StratPipeline shape_of(int64_t stages, int64_t chunks, int64_t microbatches)
{
    return (StratPipeline){.stages = stages, .chunks = chunks, .microbatches = microbatches};
}

/* A pipeline of measured stages: one GPU each, layers enough for every chunk. */
static ToyWorld pipeline_world(const StratPipeline *shape, const char *schedule)
{
    ToyWorld world = toy_world();
    StratPlan *plan = &world.plan;
    plan->pipeline = shape->stages;
    plan->virtual_stages = shape->chunks;
    plan->optimizer = STRAT_OPTIMIZER_NONE;
    plan->profiled.forward_s = (double)(FORWARD_NS * shape->chunks) * 1e-9;
    plan->profiled.backward_input_s = (double)(BACKWARD_NS * shape->chunks) * 1e-9;
    world.model.layers = shape->stages * shape->chunks;
    toy_lay_out(&world, 1, shape->microbatches);
    plan->schedule = schedule;
    return world;
}

static void expect_bubble(const StratPipeline *shape, const char *schedule, bool overlapped)
{
    ToyWorld world = pipeline_world(shape, schedule);
    world.plan.overlap_pipeline = overlapped;
    StratCosting costing = toy_costing(&world);
    costing.net = &toy_free_net;
    g_autoptr(GError) error = NULL;
    g_autoptr(StratTrainResult) result = strat_train_run(&costing, true, &error);
    cr_assert(result != NULL, "%s: %s", schedule, error ? error->message : "no result");

    int64_t p = shape->stages, m = shape->microbatches, v = shape->chunks;
    int64_t slots = v * m + p - 1;
    int64_t bubble = result->ledger_ns[STRAT_BUCKET_BUBBLE];
    cr_expect(result->step_ns == slots * (FORWARD_NS + BACKWARD_NS),
              "%s p=%" PRId64 " m=%" PRId64 " v=%" PRId64 ": step %" PRId64 " ns, not %" PRId64,
              schedule, p, m, v, result->step_ns, slots * (FORWARD_NS + BACKWARD_NS));
    cr_expect(bubble * slots == (p - 1) * p * result->step_ns,
              "%s p=%" PRId64 " m=%" PRId64 " v=%" PRId64 ": bubble %" PRId64 " of %" PRId64 " ns",
              schedule, p, m, v, bubble, p * result->step_ns);
    cr_expect(result->ledger_ns[STRAT_BUCKET_GEMM] + bubble == p * result->step_ns);
}

static void expect_bubbles(const char *schedule)
{
    for (size_t i = 0; i < G_N_ELEMENTS(stage_counts); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(micro_counts); j++) {
            StratPipeline shape = shape_of(stage_counts[i], 1, micro_counts[j]);
            expect_bubble(&shape, schedule, false);
            expect_bubble(&shape, schedule, true);
        }
    }
}

Test(pipeline_bubble, gpipe_idles_p_minus_1_of_m_plus_p_minus_1)
{
    expect_bubbles("gpipe");
}

Test(pipeline_bubble, one_forward_one_backward_idles_as_much_as_gpipe)
{
    expect_bubbles("1f1b");
}

Test(pipeline_bubble, interleaving_divides_the_bubble_by_the_chunks)
{
    for (size_t i = 0; i < G_N_ELEMENTS(stage_counts); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(micro_counts); j++) {
            for (size_t k = 0; k < G_N_ELEMENTS(chunk_counts); k++) {
                StratPipeline shape = shape_of(stage_counts[i], chunk_counts[k], micro_counts[j]);
                if (shape.stages == 1 || shape.microbatches % shape.stages != 0)
                    continue;
                expect_bubble(&shape, "interleaved-1f1b", false);
                expect_bubble(&shape, "interleaved-1f1b", true);
            }
        }
    }
}

Test(pipeline_bubble, one_stage_never_idles)
{
    for (size_t j = 0; j < G_N_ELEMENTS(micro_counts); j++) {
        StratPipeline shape = shape_of(1, 1, micro_counts[j]);
        expect_bubble(&shape, "none", false);
    }
}

/* Calls @check for every schedule of whole backwards and shape that it allows. */
static void for_each_shape(void (*check)(const StratSchedule *, const StratPipeline *))
{
    size_t count;
    const StratSchedule *schedules = strat_schedule_all(&count);
    for (size_t s = 0; s < count; s++) {
        bool is_cut = schedules[s].kinds & 1U << STRAT_TASK_WEIGHT;
        for (size_t i = 0; !is_cut && i < G_N_ELEMENTS(stage_counts); i++) {
            for (size_t j = 0; j < G_N_ELEMENTS(micro_counts); j++) {
                for (int64_t v = 1; v <= (schedules[s].interleaves ? 4 : 1); v++) {
                    StratPipeline shape = shape_of(stage_counts[i], v, micro_counts[j]);
                    bool one = shape.stages == 1;
                    bool uneven = shape.microbatches % shape.stages != 0;
                    if (one == schedules[s].needs_pipeline ||
                        (schedules[s].interleaves && (uneven || v == 1)))
                        continue;
                    check(&schedules[s], &shape);
                }
            }
        }
    }
}

/* Equal to the last bits: the tables may divide in another order. */
static void check_bubble(const StratSchedule *schedule, const StratPipeline *shape)
{
    double p = (double)shape->stages, vm = (double)(shape->microbatches * shape->chunks);
    double got = schedule->bubble_fraction(shape), want = (p - 1.0) / (vm + p - 1.0);
    cr_expect(got >= want * (1.0 - 1e-15) && got <= want * (1.0 + 1e-15), "%s: %g, not %g",
              schedule->name, got, want);
}

Test(pipeline_bubble, tables_print_the_closed_form)
{
    for_each_shape(check_bubble);
}

static void check_order(const StratSchedule *schedule, const StratPipeline *shape)
{
    size_t slots = (size_t)(shape->chunks * shape->microbatches);
    for (int64_t stage = 0; stage < shape->stages; stage++) {
        g_autoptr(GArray) tasks = g_array_new(FALSE, FALSE, sizeof(StratTask));
        g_autofree int *forward = g_new0(int, slots);
        g_autofree int *backward = g_new0(int, slots);
        schedule->order(shape, stage, tasks);
        cr_expect(tasks->len == 2 * slots, "%s: %u tasks", schedule->name, tasks->len);
        for (guint i = 0; i < tasks->len; i++) {
            const StratTask *task = &g_array_index(tasks, StratTask, i);
            cr_assert(task->chunk >= 0 && task->chunk < shape->chunks && task->microbatch >= 0 &&
                      task->microbatch < shape->microbatches);
            size_t slot = (size_t)(task->chunk * shape->microbatches + task->microbatch);
            cr_expect(!(task->kind == STRAT_TASK_BACKWARD) || forward[slot] == 1,
                      "%s: backward before its forward", schedule->name);
            ((task->kind == STRAT_TASK_BACKWARD) ? backward : forward)[slot]++;
        }
        for (size_t i = 0; i < slots; i++)
            cr_expect(forward[i] == 1 && backward[i] == 1, "%s: slot %zu runs %d and %d times",
                      schedule->name, i, forward[i], backward[i]);
    }
}

Test(pipeline_bubble, each_forward_and_backward_runs_once_and_in_that_order)
{
    for_each_shape(check_order);
}

/* Most forwards without their backwards on @stage at once. */
static int64_t peak_in_flight(const StratSchedule *schedule, const StratPipeline *shape,
                              int64_t stage)
{
    g_autoptr(GArray) tasks = g_array_new(FALSE, FALSE, sizeof(StratTask));
    schedule->order(shape, stage, tasks);
    int64_t held = 0, peak = 0;
    for (guint i = 0; i < tasks->len; i++) {
        held += g_array_index(tasks, StratTask, i).kind == STRAT_TASK_BACKWARD ? -1 : 1;
        peak = MAX(peak, held);
    }
    return peak;
}

static void check_in_flight(const StratSchedule *schedule, const StratPipeline *shape)
{
    int64_t p = shape->stages, m = shape->microbatches, v = shape->chunks;
    for (int64_t stage = 0; stage < p; stage++) {
        int64_t got = peak_in_flight(schedule, shape, stage);
        int64_t want = m * v; /* gpipe holds everything */
        if (g_str_equal(schedule->name, "none"))
            want = 1;
        else if (g_str_equal(schedule->name, "1f1b"))
            want = MIN(m, p - stage);
        else if (g_str_equal(schedule->name, "interleaved-1f1b") && m > p)
            want = MIN(m * v, 2 * (p - 1 - stage) + (v - 1) * p + 1);
        cr_expect(got == want,
                  "%s p=%" PRId64 " m=%" PRId64 " v=%" PRId64 " stage %" PRId64 ": %" PRId64
                  " in flight, not %" PRId64,
                  schedule->name, p, m, v, stage, got, want);
    }
}

Test(pipeline_bubble, stages_hold_as_many_microbatches_as_the_papers_say)
{
    for_each_shape(check_in_flight);
}

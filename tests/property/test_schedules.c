/* Every schedule of the table, over shapes that it can run: each forward once, each backward once,
 * whole or the input's gradient before the weights', after its forward; nobody waits for ever; and
 * in a pair a forward and a backward of two chunks stand next to each other. */
#include "pipeline_clock.h"

#include <criterion/criterion.h>

#include <string.h>

/* Runs of one microbatch through one chunk. */
typedef struct Runs {
    int forward, backward, weight;
} Runs;

static void count_task(const StratSchedule *schedule, const StratTask *task, Runs *runs)
{
    cr_expect(schedule->kinds & 1U << task->kind, "%s: a task of kind %d", schedule->name,
              (int)task->kind);
    if (strat_task_is_forward(task->kind)) {
        runs->forward++;
        return;
    }
    cr_expect(runs->forward == 1, "%s: a backward before its forward", schedule->name);
    if (task->kind == STRAT_TASK_WEIGHT)
        cr_expect(runs->backward == 1, "%s: weights before the input", schedule->name);
    runs->backward += task->kind != STRAT_TASK_WEIGHT;
    runs->weight += task->kind != STRAT_TASK_INPUT;
}

static void check_pairs(const StratSchedule *schedule, const GArray *tasks)
{
    for (guint i = 0; i < tasks->len; i++) {
        const StratTask *task = &g_array_index(tasks, StratTask, i);
        if (task->kind == STRAT_TASK_PAIRED_BACKWARD)
            cr_expect(i > 0 && task[-1].kind == STRAT_TASK_PAIRED_FORWARD);
        if (task->kind != STRAT_TASK_PAIRED_FORWARD)
            continue;
        cr_assert(i + 1 < tasks->len && task[1].kind == STRAT_TASK_PAIRED_BACKWARD);
        cr_expect(task[1].chunk != task->chunk, "%s: a pair of one chunk", schedule->name);
    }
}

static void check_shape(const StratSchedule *schedule, const StratPipeline *shape)
{
    int64_t slots = shape->chunks * shape->microbatches;
    g_autoptr(GPtrArray) orders = strat_schedule_orders(schedule, shape);
    for (int64_t s = 0; s < shape->stages; s++) {
        const GArray *tasks = orders->pdata[s];
        g_autofree Runs *runs = g_new0(Runs, slots);
        for (guint i = 0; i < tasks->len; i++) {
            const StratTask *task = &g_array_index(tasks, StratTask, i);
            cr_assert(task->chunk >= 0 && task->chunk < shape->chunks && task->microbatch >= 0 &&
                      task->microbatch < shape->microbatches);
            count_task(schedule, task, &runs[task->chunk * shape->microbatches + task->microbatch]);
        }
        for (int64_t i = 0; i < slots; i++)
            cr_expect(runs[i].forward == 1 && runs[i].backward == 1 && runs[i].weight == 1,
                      "%s p=%d m=%d stage %d", schedule->name, (int)shape->stages,
                      (int)shape->microbatches, (int)s);
        check_pairs(schedule, tasks);
    }
    PipelineClock clock = pipeline_clock(schedule, shape, 2.5);
    cr_expect(clock.makespan <= 3.0 * (double)(slots * shape->stages), "somebody is always busy");
    pipeline_held(schedule, shape, 0.4);
}

/* Steps there and back meet: what comes after the one before is the chunk itself. */
static void check_way(const StratSchedule *schedule, const StratPipeline *shape)
{
    int64_t length = strat_schedule_length(schedule, shape->stages, shape->chunks), ends = 0;
    for (int64_t s = 0; s < shape->stages; s++) {
        for (int64_t k = 0; k < shape->chunks; k++) {
            StratSpot at = {s, k}, next, back;
            int64_t index = strat_schedule_index(schedule, shape->stages, at);
            cr_assert(index >= 0 && index < length);
            if (!strat_schedule_near(schedule, shape, at, 1, &next)) {
                cr_expect(index == length - 1);
                ends++;
                continue;
            }
            cr_expect(strat_schedule_index(schedule, shape->stages, next) == index + 1);
            cr_assert(strat_schedule_near(schedule, shape, next, -1, &back));
            cr_expect(back.stage == s && back.chunk == k, "%s stage %d chunk %d", schedule->name,
                      (int)s, (int)k);
        }
    }
    cr_expect(ends == (schedule->is_dual ? 2 : 1));
}

Test(schedules, run_everything_once_in_an_order_that_ends)
{
    size_t count;
    const StratSchedule *all = strat_schedule_all(&count);
    int seen = 0;
    for (size_t n = 0; n < count; n++) {
        const StratSchedule *schedule = &all[n];
        bool two = schedule->is_v || schedule->is_dual;
        for (int64_t p = schedule->needs_pipeline ? 2 : 1; p <= (schedule->needs_pipeline ? 9 : 1);
             p++) {
            for (int64_t v = two                     ? 2
                             : schedule->interleaves ? 2
                                                     : 1;
                 v <= (schedule->interleaves ? 4
                       : two                 ? 2
                                             : 1);
                 v++) {
                for (int64_t m = 1; m <= 4 * p; m++) {
                    StratPipeline shape = {
                        .stages = p,
                        .chunks = v,
                        .microbatches = m,
                        .times = {.forward = 1.0, .input = 1.0, .weight = 1.0, .weight_bytes = 0.4},
                    };
                    if (!strat_schedule_fits(schedule, p, v, schedule->is_dual ? 2 * m : m, NULL))
                        continue;
                    check_way(schedule, &shape);
                    check_shape(schedule, &shape);
                    seen++;
                }
            }
        }
    }
    cr_expect(seen > 1000, "%d shapes", seen);
}

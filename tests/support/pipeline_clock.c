/* Stages take their tasks in turn, each as soon as what it waits for has ended, until none can go
 * on. */
#include "pipeline_clock.h"

#include <criterion/criterion.h>

#include <math.h>

typedef struct Clock {
    const StratSchedule *schedule;
    const StratPipeline *pipeline;
    GPtrArray *orders;
    guint *next;
    double *free_at, *first, *busy;
    double *forward, *backward; /* ends by stage, chunk, microbatch; infinite until known */
} Clock;

static size_t slot(const Clock *c, StratSpot at, int32_t microbatch)
{
    return (size_t)((at.stage * c->pipeline->chunks + at.chunk) * c->pipeline->microbatches +
                    microbatch);
}

/* When what @task of @stage waits for is there; infinite when that is not known. */
static double ready_at(const Clock *c, int64_t stage, const StratTask *task)
{
    StratSpot at = {stage, task->chunk}, near;
    if (task->kind == STRAT_TASK_WEIGHT)
        return c->backward[slot(c, at, task->microbatch)];
    bool forward = strat_task_is_forward(task->kind);
    if (!strat_schedule_near(c->schedule, c->pipeline, at, forward ? -1 : 1, &near))
        return forward ? 0.0 : c->forward[slot(c, at, task->microbatch)];
    const double *ends = forward ? c->forward : c->backward;
    return ends[slot(c, near, task->microbatch)] +
           (near.stage == stage ? 0.0 : c->pipeline->times.send);
}

static double duration(const StratTaskTimes *t, StratTaskKind kind, double pair_s)
{
    switch (kind) {
    case STRAT_TASK_FORWARD:
        return t->forward;
    case STRAT_TASK_INPUT:
        return t->input;
    case STRAT_TASK_WEIGHT:
        return t->weight;
    case STRAT_TASK_PAIRED_FORWARD:
        return pair_s;
    default:
        return t->input + t->weight;
    }
}

/* The next task of @stage, or pair; false where it cannot start yet. */
static bool run_next(Clock *c, int64_t stage, double pair_s)
{
    const GArray *tasks = c->orders->pdata[stage];
    if (c->next[stage] == tasks->len)
        return false;
    const StratTask *task = &g_array_index(tasks, StratTask, c->next[stage]);
    guint count = task->kind == STRAT_TASK_PAIRED_FORWARD ? 2 : 1;
    double start = c->free_at[stage];
    for (guint i = 0; i < count; i++)
        start = fmax(start, ready_at(c, stage, &task[i]));
    if (isinf(start))
        return false;
    if (c->next[stage] == 0)
        c->first[stage] = start;
    double lasts = duration(&c->pipeline->times, task->kind, pair_s);
    c->busy[stage] += lasts;
    c->free_at[stage] = start + lasts;
    for (guint i = 0; i < count; i++) {
        StratSpot at = {stage, task[i].chunk};
        double *ends = strat_task_is_forward(task[i].kind) ? c->forward : c->backward;
        if (task[i].kind != STRAT_TASK_WEIGHT)
            ends[slot(c, at, task[i].microbatch)] = c->free_at[stage];
    }
    c->next[stage] += count;
    return true;
}

static void run_all(Clock *c, double pair_s)
{
    for (bool moved = true; moved;) {
        moved = false;
        for (int64_t s = 0; s < c->pipeline->stages; s++)
            while (run_next(c, s, pair_s))
                moved = true;
    }
}

PipelineClock pipeline_clock(const StratSchedule *schedule, const StratPipeline *pipeline,
                             double pair_s)
{
    int64_t p = pipeline->stages, slots = p * pipeline->chunks * pipeline->microbatches;
    g_autoptr(GPtrArray) orders = strat_schedule_orders(schedule, pipeline);
    g_autofree guint *next = g_new0(guint, p);
    g_autofree double *numbers = g_new0(double, 3 * p + 2 * slots);
    Clock c = {.schedule = schedule,
               .pipeline = pipeline,
               .orders = orders,
               .next = next,
               .free_at = numbers,
               .first = numbers + p,
               .busy = numbers + 2 * p,
               .forward = numbers + 3 * p,
               .backward = numbers + 3 * p + slots};
    for (int64_t i = 0; i < 2 * slots; i++)
        c.forward[i] = INFINITY;
    run_all(&c, pair_s);
    PipelineClock out = {0};
    for (int64_t s = 0; s < p; s++) {
        cr_assert(next[s] == ((GArray *)orders->pdata[s])->len, "%s: stage %d stands still",
                  schedule->name, (int)s);
        out.makespan = fmax(out.makespan, c.free_at[s]);
        out.longest = fmax(out.longest, c.free_at[s] - c.first[s]);
    }
    for (int64_t s = 0; s < p; s++)
        out.idle = fmax(out.idle, out.makespan - c.busy[s]);
    return out;
}

static double change(StratTaskKind kind, double waits)
{
    if (strat_task_is_forward(kind))
        return 1.0;
    return kind == STRAT_TASK_INPUT ? waits - 1.0 : kind == STRAT_TASK_WEIGHT ? -waits : -1.0;
}

double pipeline_held(const StratSchedule *schedule, const StratPipeline *pipeline, double waits)
{
    g_autoptr(GPtrArray) orders = strat_schedule_orders(schedule, pipeline);
    double peak = 0.0;
    for (int64_t s = 0; s < pipeline->stages; s++) {
        const GArray *tasks = orders->pdata[s];
        double held = 0.0;
        for (guint i = 0; i < tasks->len; i++) {
            held += change(g_array_index(tasks, StratTask, i).kind, waits);
            peak = fmax(peak, held);
        }
        cr_expect(fabs(held) < 1e-9, "%s: stage %d keeps %g", schedule->name, (int)s, held);
    }
    return peak;
}

/* What a stage holds over the time of a step.
 *
 * A forward takes what it keeps when it starts, a backward gives it back when it ends; the two
 * parts of one that is cut in two likewise, each by what it adds or releases (strat_memory.c). So
 * what is held goes through the same values as in the walk over the stage's tasks, and its peak is
 * the same. Workspace counts as held from the start of the first task to the end of the last,
 * whichever of them needs it.
 *
 * Left out: activations within a task, and states that appear in the first step alone. */
#include "strat_memory_time.h"

#include "strat_layout.h"
#include "strat_memory.h"

/* Of one stage while its tasks are walked. */
typedef struct Walk {
    GArray *moments;
    StratMoment now;
} Walk;

static void move_on(Walk *walk, SimTime at_ns, double bytes, double count, const StratTask *task)
{
    walk->now.at_ns = at_ns;
    walk->now.activations_bytes += bytes;
    walk->now.in_flight += count;
    walk->now.task = *task;
    g_array_append_val(walk->moments, walk->now);
}

/* What is left of sums and differences of the same terms, in bytes. */
static void end_walk(Walk *walk, SimTime at_ns, const StratTask *task)
{
    g_assert(ABS(walk->now.activations_bytes) < 1.0 + 1e-6 * walk->now.workspace_bytes);
    walk->now.activations_bytes = walk->now.workspace_bytes = walk->now.in_flight = 0.0;
    move_on(walk, at_ns, 0.0, 0.0, task);
}

GArray *strat_memory_moments(const StratCosting *costing, const StratStep *step, const SimRun *run,
                             int64_t stage, double workspace_bytes)
{
    const StratPlan *plan = costing->plan;
    Walk walk = {.moments = g_array_new(FALSE, FALSE, sizeof(StratMoment))};
    g_autofree double *saved = g_new0(double, plan->virtual_stages);
    g_autofree double *weight = g_new0(double, plan->virtual_stages);
    for (int64_t k = 0; k < plan->virtual_stages; k++) {
        StratModelChunk chunk = strat_chunk_at(costing->model, plan, stage, k);
        saved[k] = strat_chunk_saved_bytes(costing, &chunk);
        weight[k] = strat_chunk_weight_bytes(costing, &chunk);
    }
    g_array_append_val(walk.moments, walk.now);
    walk.now.workspace_bytes = workspace_bytes;
    const StratTaskOps *last = NULL;
    for (guint i = 0; step->tasks && i < step->tasks->len; i++) {
        const StratTaskOps *ops = &g_array_index(step->tasks, StratTaskOps, i);
        const StratTask *task = &ops->task;
        if (ops->stage != stage)
            continue;
        double bytes = strat_memory_kept(task->kind, saved[task->chunk], weight[task->chunk]);
        bool grows = bytes > 0.0;
        if (!last && !grows)
            move_on(&walk, run->start[ops->first], 0.0, 0.0, task);
        move_on(&walk, grows ? run->start[ops->first] : run->end[ops->last], bytes,
                strat_memory_kept(task->kind, 1.0, 0.0), task);
        last = ops;
    }
    if (last)
        end_walk(&walk, run->end[last->last], &last->task);
    return walk.moments;
}

const StratMoment *strat_memory_peak_moment(const GArray *moments)
{
    const StratMoment *peak = &g_array_index(moments, StratMoment, 0);
    for (guint i = 1; i < moments->len; i++) {
        const StratMoment *m = &g_array_index(moments, StratMoment, i);
        if (m->activations_bytes > peak->activations_bytes)
            peak = m;
    }
    return peak;
}

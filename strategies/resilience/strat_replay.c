/*
 * An operation trace: sorted, linked and measured.
 *
 * An operation that meets others ends at
 *
 *   end = (latest start in its group) + work
 *
 * so its recorded duration is a wait for its partners and then its own work: work = end - latest
 * start, at least 0 (clocks of two hosts may differ by more). An operation that meets nobody works
 * all its duration. gap = start - end of what it waits for, at least 0: time that the host takes,
 * which no operation of the trace shows. What an operation takes without stragglers is, over all
 * workers and steps, the mean of its kind if it computes and the median of the work if it
 * communicates, because one flapping link must not move the ideal (Lin et al. 2025, arXiv
 * 2505.05713; the artifact's calc_launch_delay, get_transfer_time and
 * simulation_analysis_reduce_dim).
 *
 * The ideal is one number a kind, so it also levels what a model's layout makes unequal: a last
 * stage with the loss layer counts as a straggler, and long sequences do.
 */
#include "strat_replay_private.h"
#include "strat_schedule.h"

#include <math.h>
#include <string.h>

static int compare_ops(gconstpointer a, gconstpointer b, gpointer unused)
{
    const StratReplayOp *x = a, *y = b;
    (void)unused;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    if (x->dp != y->dp)
        return x->dp < y->dp ? -1 : 1;
    if (x->pp != y->pp)
        return x->pp < y->pp ? -1 : 1;
    int streams = strat_replay_kind(x->kind)->stream - strat_replay_kind(y->kind)->stream;
    if (streams != 0)
        return streams;
    return x->start_ns == y->start_ns ? 0 : x->start_ns < y->start_ns ? -1 : 1;
}

static bool count_workers(StratReplay *r, GError **error)
{
    for (uint32_t i = 0; i < r->op_count; i++) {
        r->dps = MAX(r->dps, r->ops[i].dp + 1);
        r->pps = MAX(r->pps, r->ops[i].pp + 1);
        r->step_count += i == 0 || r->ops[i].step != r->ops[i - 1].step;
    }
    if ((int64_t)r->dps * r->pps > (int64_t)r->op_count / r->step_count) {
        g_set_error(error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED,
                    "%u operations of %u steps cannot be of %d x %d workers (dp x pp): some are "
                    "missing",
                    r->op_count, r->step_count, r->dps, r->pps);
        return false;
    }
    uint32_t workers = r->step_count * (uint32_t)r->dps * (uint32_t)r->pps;
    r->worker_first = g_new0(uint32_t, workers + 1);
    for (uint32_t i = 0, step = 0; i < r->op_count; i++) {
        step += i > 0 && r->ops[i].step != r->ops[i - 1].step;
        r->worker_first[strat_replay_worker(r, step, r->ops[i].dp, r->ops[i].pp) + 1]++;
    }
    for (uint32_t w = 0; w < workers; w++)
        r->worker_first[w + 1] += r->worker_first[w];
    return true;
}

static SimTime end_of(const StratReplay *r, uint32_t i)
{
    return r->ops[i].start_ns + r->ops[i].duration_ns;
}

static void measure_work(StratReplay *r)
{
    g_autofree SimTime *latest = g_new(SimTime, r->op_count); /* by leader */
    for (uint32_t i = 0; i < r->op_count; i++)
        latest[i] = r->ops[i].start_ns;
    for (uint32_t i = 0; i < r->op_count; i++)
        if (r->group[i] != STRAT_REPLAY_NONE)
            latest[r->group[i]] = MAX(latest[r->group[i]], r->ops[i].start_ns);
    for (uint32_t i = 0; i < r->op_count; i++) {
        SimTime from = r->group[i] == STRAT_REPLAY_NONE ? latest[i] : latest[r->group[i]];
        r->work_ns[i] = MAX(end_of(r, i) - from, 0);
    }
}

static void measure_steps(StratReplay *r)
{
    uint32_t per_step = (uint32_t)r->dps * (uint32_t)r->pps;
    for (uint32_t step = 0; step < r->step_count; step++) {
        uint32_t from = r->worker_first[step * per_step];
        uint32_t to = r->worker_first[(step + 1) * per_step];
        SimTime first = r->ops[from].start_ns, last = 0;
        for (uint32_t i = from; i < to; i++) {
            first = MIN(first, r->ops[i].start_ns);
            last = MAX(last, end_of(r, i));
        }
        r->measured_s[step] = sim_time_to_seconds(last - first);
        r->measured_mean_s += r->measured_s[step] / r->step_count;
        for (uint32_t i = from; i < to; i++) {
            const uint32_t before[] = {r->previous[i], r->waits[i][0], r->waits[i][1]};
            SimTime ready = first;
            for (size_t k = 0; k < G_N_ELEMENTS(before); k++)
                if (before[k] != STRAT_REPLAY_NONE)
                    ready = MAX(ready, end_of(r, before[k]));
            r->gap_ns[i] = MAX(r->ops[i].start_ns - ready, 0);
        }
    }
}

static int compare_times(gconstpointer a, gconstpointer b, gpointer unused)
{
    SimTime x = *(const SimTime *)a, y = *(const SimTime *)b;
    (void)unused;
    return (x > y) - (x < y);
}

static SimTime median(SimTime *values, size_t count)
{
    g_qsort_with_data(values, (gint)count, sizeof *values, compare_times, NULL);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void measure_ideal(StratReplay *r)
{
    g_autofree SimTime *values = g_new(SimTime, r->op_count);
    for (StratReplayKind kind = 0; kind < STRAT_REPLAY_KINDS; kind++) {
        size_t count = 0;
        double sum_ns = 0.0;
        for (uint32_t i = 0; i < r->op_count; i++) {
            if (r->ops[i].kind != kind)
                continue;
            values[count++] = r->work_ns[i];
            sum_ns += (double)r->work_ns[i];
        }
        if (count > 0)
            r->ideal_ns[kind] = strat_replay_kind(kind)->communication
                                    ? median(values, count)
                                    : (SimTime)llround(sum_ns / (double)count);
    }
}

static void allocate(StratReplay *r, const StratReplayOp *ops)
{
    r->ops = g_memdup2(ops, r->op_count * sizeof *ops);
    r->nth = g_new(uint32_t, r->op_count);
    r->previous = g_new(uint32_t, r->op_count);
    r->waits = g_malloc_n(r->op_count, sizeof *r->waits);
    r->group = g_new(uint32_t, r->op_count);
    r->work_ns = g_new(SimTime, r->op_count);
    r->gap_ns = g_new(SimTime, r->op_count);
}

StratReplay *strat_replay_new(const StratReplayOp *ops, size_t count, GError **error)
{
    if (count == 0 || count > G_MAXINT32) {
        g_set_error(error, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED,
                    "a trace holds from 1 to %d operations, not %" G_GSIZE_FORMAT, G_MAXINT32,
                    count);
        return NULL;
    }
    g_autoptr(StratReplay) r = g_new0(StratReplay, 1);
    r->op_count = (uint32_t)count;
    allocate(r, ops);
    g_qsort_with_data(r->ops, (gint)count, sizeof *r->ops, compare_ops, NULL); /* stable */
    if (!count_workers(r, error) || !strat_replay_link(r, error))
        return NULL;
    r->measured_s = g_new0(double, r->step_count);
    measure_work(r);
    measure_steps(r);
    measure_ideal(r);
    return g_steal_pointer(&r);
}

void strat_replay_free(StratReplay *replay)
{
    if (!replay)
        return;
    g_free(replay->ops);
    g_free(replay->nth);
    g_free(replay->previous);
    g_free(replay->waits);
    g_free(replay->group);
    g_free(replay->work_ns);
    g_free(replay->gap_ns);
    g_free(replay->worker_first);
    g_free(replay->measured_s);
    g_free(replay);
}

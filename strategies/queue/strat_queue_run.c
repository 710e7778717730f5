/* Runs of jobs: what they take, how they end, and where their time is booked.
 *
 *   run = restart + work left x (1 + beside)        restart: not of a job's first run
 *
 * cut short by the job's own failure, its crash, its lifetime, a node, or preemption. What is done
 * by then is kept up to the last checkpoint (every so much work, at no cost) and lost beyond it.
 * Victims of a preemption are runs of the lowest level, the oldest first: it does not matter for
 * what they lose, which is half an interval on average, and one that is taken is never given back
 * although a larger one taken later would have done. */
#include "strat_queue_once.h"

static const int64_t MILLION = 1000000;

enum { DRAW_RESTART = 16 }; /* and further ones, by run: strat_queue_source.c has the others */

static SimTime stretch(SimTime work, int64_t ppm)
{
    return work + (SimTime)((StratNodeTime)work * ppm / MILLION);
}

/* The work done in @compute: the other way round, whole. */
static SimTime shrink(SimTime compute, int64_t ppm)
{
    return (SimTime)(((StratNodeTime)compute * MILLION + MILLION + ppm - 1) / (MILLION + ppm));
}

static SimTime limit(const StratQueueOnce *once)
{
    return once->lifetime > 0 ? once->lifetime : SIM_TIME_MAX;
}

SimTime strat_queue_expect(const StratQueueOnce *once, const StratQueueJob *job)
{
    SimTime setup = job->runs > 0 ? once->restart : 0;
    int64_t ppm = job->nodes > 1 ? once->most_slow_ppm[job->class_index] : 0;
    double longest = (double)(setup + stretch(job->work - job->done, ppm));
    SimTime more = (SimTime)((once->queue->estimate - 1.0) * longest);
    return MIN(setup + stretch(job->work - job->done, ppm) + more, limit(once));
}

/* Sets how the run of @job ends; returns how long it takes. */
static SimTime plan_end(StratQueueOnce *once, StratQueueJob *job)
{
    SimTime to = job->fail_at >= 0 ? job->fail_at : job->work;
    SimTime length = job->setup + stretch(to - job->done, job->slow_ppm);
    const StratQueueClass *c = &once->queue->classes[job->class_index];
    SimTime crash = job->crashes ? job->setup + sim_time_capped(c->crash_after_s) : SIM_TIME_MAX;
    if (job->runs > 1 && once->queue->restart_failure > 0.0) {
        SimRandom draws = strat_queue_source_draws(&once->source, job->number);
        draws = sim_random_child(&draws, DRAW_RESTART + (uint64_t)job->runs);
        if (sim_random_uniform(&draws) < once->queue->restart_failure)
            crash = job->setup;
    }
    job->ending = job->fail_at >= 0 ? STRAT_QUEUE_FAILED : STRAT_QUEUE_COMPLETED;
    if (crash < length) {
        job->ending = STRAT_QUEUE_REQUEUED;
        length = crash;
    }
    if (length > limit(once)) {
        job->ending = STRAT_QUEUE_TIMEOUT;
        length = limit(once);
    }
    return length;
}

static void take_nodes(StratQueueOnce *once, StratQueueJob *job)
{
    StratQueueTally *tally = once->tally;
    int64_t per_leaf = once->pool->per_leaf, fewest = (job->nodes + per_leaf - 1) / per_leaf;
    StratQueueTaken taken =
        strat_queue_pool_take(once->pool, once->queue->placement, job->nodes, job->class_index);
    job->first_node = taken.first;
    job->slow_ppm = taken.slow_ppm;
    for (int32_t node = taken.first; node >= 0; node = once->pool->next[node])
        once->at_node[node] = job;
    if (job->nodes > 1) {
        tally->spread_starts++;
        tally->leaves += taken.leaves;
        tally->fewest_leaves += fewest;
        tally->scattered += taken.leaves > fewest;
    }
}

/* The index of the first release after @at. */
static guint release_index(const GArray *running, SimTime at)
{
    guint low = 0, high = running->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(running, StratQueueRelease, middle).at <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void append_run(StratQueueRuns *runs, StratQueueJob *job)
{
    job->before = runs->last;
    job->after = NULL;
    job->is_old = false;
    if (runs->last)
        runs->last->after = job;
    else
        runs->first = job;
    runs->last = job;
    if (!runs->young)
        runs->young = job;
}

static void remove_run(StratQueueRuns *runs, StratQueueJob *job)
{
    if (job->before)
        job->before->after = job->after;
    else
        runs->first = job->after;
    if (job->after)
        job->after->before = job->before;
    else
        runs->last = job->before;
    if (runs->young == job)
        runs->young = job->after;
    if (job->is_old)
        runs->old_nodes -= job->nodes;
}

void strat_queue_start(StratQueueOnce *once, StratQueueWalk *walk)
{
    StratQueueJob *job = strat_queue_line_at(&once->line, walk)->job;
    SimTime expect = strat_queue_expect(once, job);
    strat_queue_line_remove(&once->line, walk);
    job->queued += once->now - job->since;
    job->since = once->now;
    if (job->first_start < 0) {
        double wait_s = (double)(once->now - job->arrival) * 1e-9;
        g_array_append_val(once->tally->waits, wait_s);
        once->tally->classes[job->class_index].started++;
        once->tally->classes[job->class_index].wait_s += wait_s;
        job->first_start = once->now;
    }
    job->setup = job->runs++ > 0 ? once->restart : 0;
    take_nodes(once, job);
    SimTime end = sim_time_later(once->now, plan_end(once, job));
    job->expected = sim_time_later(once->now, expect);
    strat_heap_push(&once->ends, ((StratFine)end << STRAT_FINE_BITS) | job->number, job,
                    &job->place);
    StratQueueRelease release = {job->expected, job->nodes, job};
    g_array_insert_val(once->running, release_index(once->running, release.at), release);
    append_run(&once->runs[job->level], job);
}

void strat_queue_book(StratQueueOnce *once, StratQueueJob *job, bool kept_all, StratQueueSpent lost)
{
    StratNodeTime nodes = job->nodes, *spent = once->tally->spent;
    SimTime elapsed = once->now - job->since, setup = MIN(elapsed, job->setup);
    SimTime compute = elapsed - setup, did = shrink(compute, job->slow_ppm);
    SimTime all = job->done + did;
    SimTime every = sim_time_capped(once->queue->classes[job->class_index].checkpoint_s);
    SimTime kept = kept_all ? all : every > 0 ? all / every * every : 0;
    spent[STRAT_QUEUE_RESTART] += nodes * setup;
    spent[STRAT_QUEUE_SLOWED] += nodes * (compute - did);
    spent[STRAT_QUEUE_PRODUCTIVE] += nodes * (kept - job->done);
    spent[lost] += nodes * (all - kept);
    job->done = kept;
    job->ran += elapsed;
    job->since = once->now;
}

/* Takes the run of @job off the nodes and all lists. */
static void release(StratQueueOnce *once, StratQueueJob *job)
{
    strat_heap_remove(&once->ends, job->place);
    guint i = release_index(once->running, job->expected - 1);
    while (g_array_index(once->running, StratQueueRelease, i).job != job)
        i++;
    g_array_remove_index(once->running, i);
    remove_run(&once->runs[job->level], job);
    for (int32_t node = job->first_node; node >= 0; node = once->pool->next[node])
        once->at_node[node] = NULL;
    strat_queue_pool_give(once->pool, job->first_node, job->class_index);
    once->is_freed = true;
    once->is_early = once->is_early || once->now < job->expected;
    if (once->profile->len > 0)
        strat_queue_profile_add(once->profile, once->now, job->expected, job->nodes);
}

void strat_queue_end_run(StratQueueOnce *once, StratQueueJob *job, StratQueueEnd end,
                         StratQueueSpent lost)
{
    strat_queue_book(once, job, end == STRAT_QUEUE_COMPLETED, lost);
    release(once, job);
    once->tally->ended[end]++;
    bool is_back = end == STRAT_QUEUE_PREEMPTED || end == STRAT_QUEUE_REQUEUED;
    job->reserved = is_back ? -1 : job->reserved;
    if (end == STRAT_QUEUE_REQUEUED && once->requeue > 0) {
        job->expected = sim_time_later(once->now, once->requeue);
        g_queue_push_tail(once->later, job);
        return;
    }
    if (is_back) {
        strat_queue_line_add(&once->line, job->level,
                             (StratQueuePlace){job, job->nodes, strat_queue_expect(once, job)});
        return;
    }
    strat_queue_tell(once, job, end);
    g_ptr_array_add(once->unused, job);
}

static void grow_old(StratQueueOnce *once, StratQueueRuns *runs)
{
    for (; runs->young && once->now - runs->young->since >= once->preemptible;
         runs->young = runs->young->after) {
        runs->young->is_old = true;
        runs->old_nodes += runs->young->nodes;
    }
}

bool strat_queue_preempt(StratQueueOnce *once, const StratQueueJob *job)
{
    int64_t nodes = once->pool->free;
    SimTime wake = SIM_TIME_MAX;
    for (int level = 0; level < job->level; level++) {
        StratQueueRuns *runs = &once->runs[level];
        grow_old(once, runs);
        nodes += runs->old_nodes;
        if (runs->young)
            wake = MIN(wake, sim_time_later(runs->young->since, once->preemptible));
    }
    if (nodes < job->nodes) {
        once->wake = wake;
        return false;
    }
    bool is_back = job->requeues > 0;
    for (int level = 0; level < job->level; level++)
        while (once->pool->free < job->nodes && once->runs[level].first &&
               once->runs[level].first->is_old) {
            StratQueueJob *victim = once->runs[level].first;
            victim->preemptions++;
            once->tally->secondary += is_back;
            once->tally->classes[job->class_index].caused += is_back;
            once->tally->classes[job->class_index].caused_nodes += is_back ? victim->nodes : 0;
            once->tally->preempted_nodes += victim->nodes;
            strat_queue_end_run(once, victim, STRAT_QUEUE_PREEMPTED,
                                is_back ? STRAT_QUEUE_LOST_SECONDARY : STRAT_QUEUE_LOST_PREEMPTED);
        }
    return true;
}

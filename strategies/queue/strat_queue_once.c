/* One history: arrivals, ends of runs, faults and repairs in order of time, in whole nanoseconds.
 * All that happens at one instant happens before the scheduler looks: ends, then repairs, faults,
 * arrivals.
 *
 * A fault of a node that stops a job ends the run there; with the class's swap_fraction its nodes
 * are away until they are repaired, else they are free at once. Idle nodes fail as busy ones do.
 * Left out: faults that only slow a job, the time until one is noticed, and drained nodes.
 *
 * The account closes exactly: idle and repair are sums of nodes over the time between events, the
 * rest is booked as runs end (strat_queue_run.c), and what still runs at the end counts as kept. */
#include "strat_queue_once.h"

static const double SLOWDOWN_BOUND_S = 10.0; /* Feitelson & Rudolph, JSSPP 1998 */

enum { DRAW_SWAP = 1, DRAW_REPAIR = 2 }; /* of a fault */

/* What jobs that meet do to each other, in whole millionths. */
static void set_slow(StratQueueOnce *once)
{
    const StratQueue *queue = once->queue;
    size_t count = queue->class_count;
    once->slow_ppm = g_new(int64_t, count * count);
    once->most_slow_ppm = g_new0(int64_t, count);
    for (size_t i = 0; i < count * count; i++) {
        bool given = queue->beside && queue->beside[i] >= 0.0;
        double slow = given ? queue->beside[i] : queue->shared_leaf;
        once->slow_ppm[i] = (int64_t)(slow * 1e6 + 0.5);
        once->most_slow_ppm[i / count] = MAX(once->most_slow_ppm[i / count], once->slow_ppm[i]);
    }
}

static StratQueueOnce *once_new(const StratQueue *queue, uint64_t replication)
{
    StratQueueOnce *once = g_new0(StratQueueOnce, 1);
    once->queue = queue;
    once->replication = replication;
    once->end = sim_time_capped(queue->duration_s);
    set_slow(once);
    once->pool = strat_queue_pool_new(queue->nodes, queue->nodes_per_leaf, queue->class_count,
                                      once->slow_ppm);
    once->source = strat_queue_source_new(queue, replication);
    once->running = g_array_new(FALSE, FALSE, sizeof(StratQueueRelease));
    once->at_node = g_new0(StratQueueJob *, queue->nodes);
    once->away = g_array_new(FALSE, FALSE, sizeof(StratQueueAway));
    once->unused = g_ptr_array_new_with_free_func(g_free);
    once->profile = g_array_new(FALSE, FALSE, sizeof(StratQueueStep));
    once->wake = SIM_TIME_MAX;
    once->head = -1;
    once->preemptible = sim_time_capped(queue->preemptible_after_s);
    once->lifetime = sim_time_capped(queue->lifetime_s);
    once->restart = sim_time_capped(queue->restart_s);
    once->requeue = sim_time_capped(queue->requeue_s);
    once->later = g_queue_new();
    return once;
}

static void once_free(StratQueueOnce *once)
{
    strat_queue_pool_free(once->pool);
    g_free(once->slow_ppm);
    g_free(once->most_slow_ppm);
    strat_queue_line_clear(&once->line);
    strat_heap_clear(&once->ends);
    g_array_unref(once->running);
    g_free(once->at_node);
    g_array_unref(once->away);
    g_queue_free(once->later);
    g_ptr_array_unref(once->unused);
    g_array_unref(once->profile);
    g_free(once);
}

void strat_queue_tell(StratQueueOnce *once, const StratQueueJob *job, StratQueueEnd end)
{
    StratQueueTally *tally = once->tally;
    struct StratQueueClassTally *c = &tally->classes[job->class_index];
    double elapsed_s = (double)(once->now - job->arrival) * 1e-9;
    double work_s = (double)job->work * 1e-9, kept_s = (double)job->done * 1e-9;
    c->jobs++;
    c->runs += job->runs;
    c->preemptions += job->preemptions;
    c->requeues += job->requeues;
    if (end != STRAT_QUEUE_ENDS) {
        c->kept_s += kept_s;
        c->elapsed_s += elapsed_s;
        tally->kept += kept_s * (double)job->nodes;
        tally->elapsed += elapsed_s * (double)job->nodes;
    }
    if (end == STRAT_QUEUE_COMPLETED) {
        double slowdown = MAX(elapsed_s / MAX(work_s, SLOWDOWN_BOUND_S), 1.0);
        g_array_append_val(tally->slowdowns, slowdown);
        c->completed++;
    }
    if (!once->sink || once->replication > 0)
        return;
    StratQueueJobRow row = {
        .number = job->number,
        .class_index = job->class_index,
        .nodes = job->nodes,
        .arrival = job->arrival,
        .first_start = job->first_start,
        .left = end == STRAT_QUEUE_ENDS ? -1 : once->now,
        .queued = job->queued,
        .ran = job->ran,
        .work = job->work,
        .done = job->done,
        .runs = job->runs,
        .preemptions = job->preemptions,
        .requeues = job->requeues,
        .end = end,
    };
    once->sink(&row, once->sink_ctx);
}

static void arrive(StratQueueOnce *once)
{
    StratQueueArrival arrival = strat_queue_source_next(&once->source);
    guint unused = once->unused->len;
    StratQueueJob *job =
        unused > 0 ? g_ptr_array_steal_index(once->unused, unused - 1) : g_new(StratQueueJob, 1);
    bool by_priority = once->queue->policy->by_priority;
    *job = (StratQueueJob){
        .number = arrival.number,
        .arrival = arrival.at,
        .work = arrival.work,
        .fail_at = arrival.fail_at,
        .class_index = arrival.class_index,
        .level = by_priority ? (int)once->queue->classes[arrival.class_index].priority : 0,
        .crashes = arrival.crashes,
        .nodes = arrival.nodes,
        .since = once->now,
        .first_start = -1,
        .reserved = -1,
    };
    once->tally->arrived++;
    once->fresh++;
    once->fresh_level = job->level;
    strat_queue_line_add(&once->line, job->level,
                         (StratQueuePlace){job, job->nodes, strat_queue_expect(once, job)});
}

/* Ends the run of @job after a failure: it comes back unless it has too often. */
static void fail_run(StratQueueOnce *once, StratQueueJob *job, StratQueueEnd last,
                     StratQueueSpent lost)
{
    bool is_last = job->requeues >= once->queue->most_requeues;
    job->requeues += !is_last;
    strat_queue_end_run(once, job, is_last ? last : STRAT_QUEUE_REQUEUED, lost);
}

static void end_naturally(StratQueueOnce *once, StratQueueJob *job)
{
    if (job->ending == STRAT_QUEUE_REQUEUED)
        fail_run(once, job, STRAT_QUEUE_FAILED, STRAT_QUEUE_LOST_OWN);
    else
        strat_queue_end_run(once, job, job->ending,
                            job->ending == STRAT_QUEUE_TIMEOUT ? STRAT_QUEUE_LOST_TIMEOUT
                                                               : STRAT_QUEUE_LOST_OWN);
}

static void send_away(StratQueueOnce *once, int32_t node, SimTime until)
{
    StratQueueAway away = {until, node};
    guint i = once->away->len;
    while (i > 0 && g_array_index(once->away, StratQueueAway, i - 1).until > until)
        i--;
    g_array_insert_val(once->away, i, away);
    strat_queue_pool_remove(once->pool, node);
    once->is_less = true;
}

static bool ends_run(StratFaultEffect effect)
{
    return effect == STRAT_FAULT_STOP || effect == STRAT_FAULT_HANG || effect == STRAT_FAULT_LINK;
}

static void strike(StratQueueOnce *once, const StratFault *fault)
{
    const StratFaultClass *c = &once->queue->faults.classes[fault->class_index];
    if (!ends_run(c->effect))
        return;
    SimRandom swap = sim_random_child(&fault->draws, DRAW_SWAP);
    SimRandom repair = sim_random_child(&fault->draws, DRAW_REPAIR);
    bool swaps = sim_random_uniform(&swap) < c->swap_fraction;
    SimTime until =
        sim_time_later(once->now, sim_time_capped(strat_spread_draw(&once->queue->repair, repair)));
    int64_t end = MIN(fault->node + fault->nodes, once->queue->nodes);
    for (int64_t node = fault->node; node < end; node++) {
        if (once->at_node[node])
            fail_run(once, once->at_node[node], STRAT_QUEUE_NODE_FAIL, STRAT_QUEUE_LOST_NODE);
        if (swaps && until > once->now && strat_queue_pool_is_free(once->pool, (int32_t)node))
            send_away(once, (int32_t)node, until);
    }
}

static SimTime end_at(const StratQueueOnce *once)
{
    const StratHeapItem *top = strat_heap_top(&once->ends);
    return top ? (SimTime)(top->key >> STRAT_FINE_BITS) : SIM_TIME_MAX;
}

static SimTime back_at(const StratQueueOnce *once)
{
    return once->away->len > 0 ? g_array_index(once->away, StratQueueAway, 0).until : SIM_TIME_MAX;
}

static SimTime later_at(const StratQueueOnce *once)
{
    const StratQueueJob *job = g_queue_peek_head(once->later);
    return job ? job->expected : SIM_TIME_MAX;
}

static void come_back(StratQueueOnce *once, StratQueueJob *job)
{
    once->fresh += 2; /* it is not the last of its level, as one that arrives is */
    strat_queue_line_add(&once->line, job->level,
                         (StratQueuePlace){job, job->nodes, strat_queue_expect(once, job)});
}

/* Idle and repair time until @at. */
static void pass_time(StratQueueOnce *once, SimTime at)
{
    StratNodeTime lasts = at - once->now;
    once->tally->spent[STRAT_QUEUE_IDLE] += lasts * once->pool->free;
    once->tally->spent[STRAT_QUEUE_REPAIR] += lasts * once->away->len;
    once->now = at;
}

/* What happens at @once->now. */
static void happen(StratQueueOnce *once, StratFaultHistory *faults, StratFault *fault)
{
    while (end_at(once) == once->now)
        end_naturally(once, strat_heap_top(&once->ends)->item);
    while (back_at(once) == once->now) {
        strat_queue_pool_return(once->pool, g_array_index(once->away, StratQueueAway, 0).node);
        g_array_remove_index(once->away, 0);
        once->is_freed = true;
    }
    while (fault->at == once->now) {
        strike(once, fault);
        if (!strat_fault_history_next(faults, fault))
            fault->at = SIM_TIME_MAX;
    }
    while (later_at(once) == once->now)
        come_back(once, g_queue_pop_head(once->later));
    while (strat_queue_source_peek(&once->source) == once->now)
        arrive(once);
}

static void schedule(StratQueueOnce *once)
{
    once->wake = SIM_TIME_MAX;
    once->queue->policy->schedule(once);
    once->is_freed = once->is_early = once->is_less = false;
    once->fresh = 0;
}

/* What is there when all ends. */
static void finish(StratQueueOnce *once)
{
    for (guint i = 0; i < once->running->len; i++) {
        StratQueueJob *job = g_array_index(once->running, StratQueueRelease, i).job;
        strat_queue_book(once, job, true, STRAT_QUEUE_PRODUCTIVE);
        strat_queue_tell(once, job, STRAT_QUEUE_ENDS);
        once->tally->running++;
        g_ptr_array_add(once->unused, job);
    }
    while (!g_queue_is_empty(once->later))
        come_back(once, g_queue_pop_head(once->later));
    StratQueueWalk walk = strat_queue_front;
    for (StratQueuePlace *p; (p = strat_queue_line_at(&once->line, &walk)); walk.step++) {
        p->job->queued += once->now - p->job->since;
        strat_queue_tell(once, p->job, STRAT_QUEUE_ENDS);
        once->tally->waiting++;
        g_ptr_array_add(once->unused, p->job);
    }
}

void strat_queue_once(const StratQueue *queue, uint64_t replication, StratQueueSink *sink,
                      void *ctx, StratQueueTally *tally)
{
    StratQueueOnce *once = once_new(queue, replication);
    once->sink = sink;
    once->sink_ctx = ctx;
    once->tally = tally;
    g_autoptr(StratFaultHistory) faults = strat_fault_history_new(&queue->faults, replication);
    StratFault fault = {0};
    if (!strat_fault_history_next(faults, &fault))
        fault.at = SIM_TIME_MAX;
    for (;;) {
        SimTime at = MIN(MIN(end_at(once), back_at(once)), MIN(fault.at, once->wake));
        at = MIN(at, MIN(later_at(once), strat_queue_source_peek(&once->source)));
        if (at >= once->end)
            break;
        pass_time(once, at);
        happen(once, faults, &fault);
        schedule(once);
    }
    pass_time(once, once->end);
    finish(once);
    once_free(once);
}

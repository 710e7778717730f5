/* Policies of a queue, all of them gang schedulers: a job starts on all its nodes at once.
 *
 *   fifo           in order; who does not fit blocks those behind
 *   priority       the same, the highest priority first, which may preempt lower ones
 *   easy-backfill  those behind start if the front is not delayed: it has a reservation at the time
 *                  at which enough runs are expected to have ended (the shadow time); a job behind
 *                  starts when it ends by then, or takes nodes that the front leaves over (extra)
 *   conservative-backfill  each job has a reservation when it arrives, in the first gap that
 *                  delays nobody before it; when nodes come free early, each in order moves forward
 *                  if it can, and none moves back
 *
 * Mu'alem & Feitelson, IEEE TPDS 12(6), 2001, sections 2 and 3. Runs end when they are expected or
 * before: what they take is known, times the estimate factor of the queue. A node in repair is
 * expected back when it is; one that fails meanwhile breaks promises, and conservative ones are
 * made anew. Only so many jobs behind the front as the queue's depth says are looked at. */
#include "strat_queue_policy.h"

#include "sim_row.h"
#include "strat_queue_once.h"
#include "strat_schedule.h"

static bool start_front(StratQueueOnce *once)
{
    StratQueueWalk front = strat_queue_front;
    const StratQueuePlace *place = strat_queue_line_at(&once->line, &front);
    if (!place)
        return false;
    if (place->nodes > once->pool->free &&
        !(once->queue->policy->preempts && strat_queue_preempt(once, place->job)))
        return false;
    strat_queue_start(once, &front);
    return true;
}

static void schedule_fifo(StratQueueOnce *once)
{
    while (start_front(once))
        ;
}

/* When @nodes are expected to be free, and how many more then are. */
static void reserve(StratQueueOnce *once, int64_t nodes)
{
    const GArray *running = once->running, *away = once->away;
    int64_t free = once->pool->free;
    guint r = 0, a = 0;
    once->shadow = once->now;
    while (r < running->len || a < away->len) {
        SimTime run =
            r < running->len ? g_array_index(running, StratQueueRelease, r).at : SIM_TIME_MAX;
        SimTime back = a < away->len ? g_array_index(away, StratQueueAway, a).until : SIM_TIME_MAX;
        if (free >= nodes && MIN(run, back) > once->shadow)
            break;
        once->shadow = MIN(run, back);
        free += run <= back ? g_array_index(running, StratQueueRelease, r).nodes : 1;
        r += run <= back;
        a += run > back;
    }
    once->extra = free - nodes;
}

/* Starts the job at @walk if that does not delay the front; else goes to the next. */
static void backfill(StratQueueOnce *once, const StratQueuePlace *place, StratQueueWalk *walk)
{
    bool ends = sim_time_later(once->now, place->expect) <= once->shadow;
    if (place->nodes > once->pool->free || (!ends && place->nodes > once->extra)) {
        walk->step++;
        return;
    }
    once->extra -= ends ? 0 : place->nodes;
    strat_queue_start(once, walk);
}

/* The job that has just arrived; nothing else has changed. */
static void backfill_fresh(StratQueueOnce *once)
{
    const struct StratQueueRow *row = once->line.row;
    size_t step = row[once->fresh_level].tail - row[once->fresh_level].head - 1, passed = step;
    for (int level = once->fresh_level + 1; level < STRAT_QUEUE_LEVELS; level++)
        passed += row[level].tail - row[level].head;
    StratQueueWalk walk = {once->fresh_level, step};
    if ((int64_t)passed <= once->queue->depth)
        backfill(once, strat_queue_line_at(&once->line, &walk), &walk);
}

static void schedule_easy(StratQueueOnce *once)
{
    schedule_fifo(once);
    StratQueueWalk walk = strat_queue_front;
    const StratQueuePlace *place = strat_queue_line_at(&once->line, &walk);
    int64_t head = place ? place->job->number : -1;
    bool is_same = head == once->head && !once->is_freed && !once->is_less;
    once->head = head;
    if (!place || (is_same && once->fresh == 0))
        return;
    if (is_same && once->fresh == 1) {
        backfill_fresh(once);
        return;
    }
    reserve(once, place->nodes);
    walk.step++;
    for (int64_t i = 0; i < once->queue->depth && once->pool->free > 0; i++) {
        place = strat_queue_line_at(&once->line, &walk);
        if (!place)
            return;
        backfill(once, place, &walk);
    }
}

/* What runs and what is in repair, with no reservations. */
static void rebuild_profile(StratQueueOnce *once)
{
    strat_queue_profile_reset(once->profile, once->now, once->pool->free);
    for (guint i = 0; i < once->running->len; i++) {
        const StratQueueRelease *r = &g_array_index(once->running, StratQueueRelease, i);
        strat_queue_profile_add(once->profile, r->at, SIM_TIME_MAX, r->nodes);
    }
    for (guint i = 0; i < once->away->len; i++)
        strat_queue_profile_add(once->profile, g_array_index(once->away, StratQueueAway, i).until,
                                SIM_TIME_MAX, 1);
    StratQueueWalk walk = strat_queue_front;
    for (StratQueuePlace *p; (p = strat_queue_line_at(&once->line, &walk)); walk.step++)
        p->job->reserved = -1;
}

static void reserve_place(StratQueueOnce *once, const StratQueuePlace *place)
{
    SimTime at = place->job->reserved;
    if (at >= 0)
        strat_queue_profile_add(once->profile, at, sim_time_later(at, place->expect), place->nodes);
    at = strat_queue_profile_earliest(once->profile, place->nodes, place->expect);
    g_assert(place->job->reserved < 0 || at <= place->job->reserved); /* promises are kept */
    strat_queue_profile_add(once->profile, at, sim_time_later(at, place->expect), -place->nodes);
    place->job->reserved = at;
}

static void schedule_conservative(StratQueueOnce *once)
{
    if (once->is_less || once->profile->len == 0)
        rebuild_profile(once);
    else
        strat_queue_profile_trim(once->profile, once->now);
    StratQueueWalk walk = strat_queue_front;
    for (int64_t i = 0; i <= once->queue->depth; i++) {
        const StratQueuePlace *place = strat_queue_line_at(&once->line, &walk);
        if (!place)
            return;
        if (place->job->reserved < 0 || once->is_early)
            reserve_place(once, place);
        if (place->job->reserved == once->now)
            strat_queue_start(once, &walk);
        else
            walk.step++;
    }
}

/* clang-format off */
static const StratQueuePolicy policies[] = {
    {.name = "easy-backfill",
     .source = "EASY: Lifka, JSSPP 1995; as in Mu'alem & Feitelson, IEEE TPDS 2001, section 2",
     .schedule = schedule_easy},
    {.name = "conservative-backfill",
     .source = "Mu'alem & Feitelson, IEEE TPDS 2001, section 3: a reservation for each job",
     .schedule = schedule_conservative},
    {.name = "fifo",
     .source = "first come, first served, all nodes of a job at once",
     .schedule = schedule_fifo},
    {.name = "priority",
     .source = "as fifo by priority, with preemption: Slurm's preempt/qos, of which RSC (Kokolis et al., HPCA 2025) makes use",
     .by_priority = true, .preempts = true, .schedule = schedule_fifo},
    {.name = "priority-backfill",
     .source = "as easy-backfill by priority, with preemption: Slurm with sched/backfill and preempt/qos",
     .by_priority = true, .preempts = true, .schedule = schedule_easy},
};
/* clang-format on */

const StratQueuePolicy *strat_queue_policy_all(size_t *count)
{
    *count = G_N_ELEMENTS(policies);
    return policies;
}

const StratQueuePolicy *strat_queue_policy_by_name(const char *name, GError **error)
{
    if (!name)
        return &policies[0];
    return sim_row_by_name(policies, G_N_ELEMENTS(policies), sizeof policies[0], name,
                           "queue policy", STRAT_ERROR, STRAT_ERROR_UNKNOWN_NAME, error);
}

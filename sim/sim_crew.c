/* Threads with two queues. Idle threads draw the next task from one, so that none waits for another
 * while there is work; results come back through the other to the thread that owns the crew, which
 * alone takes them. So what takes needs no lock, and may own a file or a database.
 *
 * Results that must be taken in order wait for those before them. As many as there are tasks may
 * wait, if the first is the slowest. */
#include "sim_crew.h"

struct SimCrew {
    const SimFarmJob *job;
    GThreadPool *pool;
    GAsyncQueue *done; /* of SimDone */
    gint enough;       /* atomic */
};

void sim_done_free(SimDone *done)
{
    if (!done)
        return;
    g_clear_pointer(&done->bytes, g_bytes_unref);
    g_free(done);
}

static void work_one(gpointer data, gpointer user_data)
{
    SimCrew *crew = user_data;
    SimDone *done = data;
    if (!g_atomic_int_get(&crew->enough)) {
        gint64 from = g_get_monotonic_time();
        done->bytes = crew->job->work(done->task, crew->job->ctx);
        done->spent_s = (double)(g_get_monotonic_time() - from) * 1e-6;
    }
    g_async_queue_push(crew->done, done);
}

SimCrew *sim_crew_new(const SimFarmJob *job, int64_t threads)
{
    SimCrew *crew = g_new0(SimCrew, 1);
    crew->job = job;
    crew->done = g_async_queue_new_full((GDestroyNotify)sim_done_free);
    crew->pool = g_thread_pool_new(work_one, crew, (gint)threads, FALSE, NULL);
    return crew;
}

void sim_crew_stop(SimCrew *crew)
{
    g_atomic_int_set(&crew->enough, 1);
}

void sim_crew_free(SimCrew *crew)
{
    if (!crew)
        return;
    sim_crew_stop(crew);
    g_thread_pool_free(crew->pool, FALSE, TRUE);
    g_async_queue_unref(crew->done);
    g_free(crew);
}

void sim_crew_push(SimCrew *crew, int64_t task)
{
    SimDone *done = g_new0(SimDone, 1);
    done->task = task;
    g_thread_pool_push(crew->pool, done, NULL);
}

SimDone *sim_crew_pop(SimCrew *crew, int64_t wait_us)
{
    if (wait_us < 0)
        return g_async_queue_pop(crew->done);
    return wait_us > 0 ? g_async_queue_timeout_pop(crew->done, (guint64)wait_us)
                       : g_async_queue_try_pop(crew->done);
}

SimYield sim_yield_of(const SimFarmJob *job)
{
    bool waits = job->take && (job->ordered || job->everywhere);
    return (SimYield){.job = job, .held = waits ? g_new0(SimDone *, job->count) : NULL};
}

void sim_yield_clear(SimYield *yield)
{
    for (int64_t i = 0; yield->held && i < yield->job->count; i++)
        g_clear_pointer(&yield->held[i], sim_done_free);
    g_clear_pointer(&yield->held, g_free);
}

/* Consumes @done. */
static bool take_one(const SimFarmJob *job, SimDone *done)
{
    bool more = !job->take || job->take(done->task, done->bytes, job->ctx);
    sim_done_free(done);
    return more;
}

bool sim_yield_take(SimYield *yield, SimDone *done)
{
    if (!yield->held)
        return take_one(yield->job, done);
    bool more = true;
    yield->held[done->task] = done;
    while (more && yield->next < yield->job->count && yield->held[yield->next])
        more = take_one(yield->job, g_steal_pointer(&yield->held[yield->next++]));
    return more;
}

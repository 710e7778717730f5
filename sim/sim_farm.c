/* Independent tasks on threads. Idle threads draw the next task from one queue, so that no thread
 * waits for another while there is work; results come back through a second queue to the thread
 * that called, which alone takes them. So what takes needs no lock, and may own a file or a
 * database.
 *
 * Results that must be taken in order wait for those before them. As many as there are tasks may
 * wait, if the first is the slowest.
 *
 * Left out: priorities; tasks that make tasks. */
#include "sim_farm.h"

typedef struct Done {
    int64_t task;
    GBytes *bytes;
} Done;

/* What the threads of one job share. */
typedef struct Crew {
    const SimFarmJob *job;
    GAsyncQueue *done; /* of Done */
    gint enough;       /* atomic */
} Crew;

static void done_free(Done *done)
{
    g_clear_pointer(&done->bytes, g_bytes_unref);
    g_free(done);
}

static void work_one(gpointer data, gpointer user_data)
{
    Crew *crew = user_data;
    Done *done = data;
    if (!g_atomic_int_get(&crew->enough))
        done->bytes = crew->job->work(done->task, crew->job->ctx);
    g_async_queue_push(crew->done, done);
}

/* What has come back of a job. */
typedef struct Yield {
    const SimFarmJob *job;
    Done **held; /* by task: results that wait for those before them; NULL: none waits */
    int64_t next;
} Yield;

/* Consumes @done. False: enough. */
static bool take_one(Yield *yield, Done *done)
{
    bool more = yield->job->take(done->task, done->bytes, yield->job->ctx);
    done_free(done);
    return more;
}

static bool take(Yield *yield, Done *done)
{
    if (!yield->held)
        return take_one(yield, done);
    bool more = true;
    yield->held[done->task] = done;
    while (more && yield->next < yield->job->count && yield->held[yield->next])
        more = take_one(yield, g_steal_pointer(&yield->held[yield->next++]));
    return more;
}

static void run_crew(GThreadPool *pool, Crew *crew)
{
    const SimFarmJob *job = crew->job;
    g_autofree Done **held = job->ordered || job->everywhere ? g_new0(Done *, job->count) : NULL;
    Yield yield = {.job = job, .held = held};
    for (int64_t i = 0; i < job->count; i++) {
        Done *done = g_new0(Done, 1);
        done->task = i;
        g_thread_pool_push(pool, done, NULL);
    }
    for (int64_t i = 0; i < job->count; i++) {
        Done *done = g_async_queue_pop(crew->done);
        if (!job->take || g_atomic_int_get(&crew->enough))
            done_free(done);
        else if (!take(&yield, done))
            g_atomic_int_set(&crew->enough, 1);
    }
    for (int64_t i = 0; held && i < job->count; i++)
        g_clear_pointer(&held[i], done_free);
}

static void run_alone(const SimFarmJob *job)
{
    bool more = true;
    for (int64_t i = 0; more && i < job->count; i++) {
        GBytes *bytes = job->work(i, job->ctx);
        if (job->take)
            more = job->take(i, bytes, job->ctx);
        g_clear_pointer(&bytes, g_bytes_unref);
    }
}

static bool run_threads(const SimFarm *farm, const SimFarmJob *job, GError **error)
{
    (void)error;
    int64_t threads = MIN(farm->threads, job->count);
    if (threads <= 1) {
        run_alone(job);
        return true;
    }
    Crew crew = {.job = job, .done = g_async_queue_new()};
    GThreadPool *pool = g_thread_pool_new(work_one, &crew, (gint)threads, FALSE, NULL);
    run_crew(pool, &crew);
    g_thread_pool_free(pool, FALSE, TRUE);
    g_async_queue_unref(crew.done);
    return true;
}

SimFarm sim_farm_threads(int64_t threads)
{
    int64_t count = CLAMP(threads > 0 ? threads : (int64_t)g_get_num_processors(), 1, G_MAXINT);
    return (SimFarm){.run = run_threads, .threads = count, .hands = count};
}

bool sim_farm_run(const SimFarm *farm, const SimFarmJob *job, GError **error)
{
    return job->count <= 0 || farm->run(farm, job, error);
}

/* Independent tasks on threads (sim_crew.c). With one thread the caller does them itself, one after
 * another.
 *
 * Left out: priorities; tasks that make tasks. */
#include "sim_farm.h"

#include "sim_crew.h"

static void run_alone(const SimFarmJob *job)
{
    bool more = true;
    for (int64_t i = 0; more && i < job->count; i++) {
        g_autoptr(GBytes) bytes = job->work(i, job->ctx);
        if (job->take)
            more = job->take(i, bytes, job->ctx);
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
    g_autoptr(SimCrew) crew = sim_crew_new(job, threads);
    SimYield yield = sim_yield_of(job);
    bool more = true;
    for (int64_t i = 0; i < job->count; i++)
        sim_crew_push(crew, i);
    for (int64_t i = 0; more && i < job->count; i++)
        more = sim_yield_take(&yield, sim_crew_pop(crew, -1));
    sim_yield_clear(&yield);
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

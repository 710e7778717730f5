/* Running the points of a sweep that are missing.
 *
 * Task t of the farm is point first + t x shards, so that every process that has the same command line
 * means the same point by it. Which points are in the database already its owner tells all before: the
 * tasks of those come back empty at once. Points are simulated on any thread, none knows of the others, and their outcomes are put
 * into the database by the one thread that owns it, in the order in which they arrive. Since a row
 * depends on its point alone, the order shows nowhere. */
#include "scen_sweep_run.h"

#include <string.h>

/* What a run is about. */
typedef struct Job {
    const ScenSweepPlan *plan;
    const ScenSweepOptions *options;
    ScenSweepStore *store;
    bool *done;    /* of each point: it is in the database */
    int64_t first; /* point of task 0 */
    int64_t wanted;
    ScenSweepTally *tally;
    int64_t failed;
    gint64 began;
    GError *error;
} Job;

static int64_t point_of(const Job *job, int64_t task)
{
    return job->first + task * job->options->share.shards;
}

static GBytes *work(int64_t task, void *ctx)
{
    const Job *job = ctx;
    int64_t point = point_of(job, task);
    return job->done[point - 1] ? NULL : scen_sweep_point_run(job->plan, point);
}

static bool take(int64_t task, GBytes *bytes, void *ctx)
{
    Job *job = ctx;
    const ScenSweepOptions *options = job->options;
    ScenSweepTally *tally = job->tally;
    int64_t point = point_of(job, task);
    if (!bytes)
        return true;
    g_auto(GStrv) sets = scen_sweep_point_sets(job->plan, point);
    if (!scen_sweep_store_put(job->store, point, sets, bytes, &job->error))
        return false;
    tally->ran++;
    job->failed += scen_point_outcome_read(bytes).status != SCEN_POINT_OK;
    tally->seconds = (double)(g_get_monotonic_time() - job->began) * 1e-6;
    if (options->progress)
        options->progress(options->ctx, tally->ran, job->wanted, job->failed, tally->seconds);
    tally->stopped = options->stops && options->stops(options->ctx);
    return !tally->stopped;
}

/* Counts the tasks of @job's share: up to the last point that its limit lets it run. Points beyond are
 * left. */
static int64_t tasks_of(Job *job, int64_t count)
{
    const ScenSweepShare *share = &job->options->share;
    int64_t last = share->last > 0 ? MIN(share->last, count) : count, tasks = 0;
    int64_t ahead =
        (share->shard - 1 - (share->first - 1) % share->shards + share->shards) % share->shards;
    job->first = share->first + ahead;
    for (int64_t point = job->first; point <= last; point += share->shards) {
        bool beyond = share->limit > 0 && job->wanted >= share->limit;
        if (!job->done[point - 1] && beyond)
            job->tally->left++;
        else if (!job->done[point - 1])
            job->wanted++;
        tasks += !beyond;
    }
    return tasks;
}

/* What is done, of each point. */
typedef struct Done {
    bool *done;
    int64_t count;
} Done;

static GBytes *tell_done(int64_t task, void *ctx)
{
    const Done *own = ctx;
    (void)task;
    return g_bytes_new(own->done, (gsize)own->count * sizeof *own->done);
}

static bool learn_done(int64_t task, GBytes *bytes, void *ctx)
{
    const Done *own = ctx;
    (void)task;
    if (g_bytes_get_size(bytes) == (gsize)own->count * sizeof *own->done)
        memcpy(own->done, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    return true;
}

/* Fills @done from @store, on every process: task 0 is the leader's. */
static bool find_done(ScenSweepStore *store, bool *done, int64_t count, const SimFarm *farm,
                      GError **error)
{
    Done own = {done, count};
    const SimFarmJob job = {
        .count = 1, .work = tell_done, .take = learn_done, .ctx = &own, .everywhere = true};
    return (!store || scen_sweep_store_done(store, done, count, error)) &&
           sim_farm_run(farm, &job, error);
}

bool scen_sweep_run(const ScenSweepPlan *plan, ScenSweepStore *store,
                    const ScenSweepOptions *options, ScenSweepTally *tally, GError **error)
{
    int64_t count = scen_variants_base(plan->variants)->sweep.points;
    g_autofree bool *done = g_new0(bool, count);
    *tally = (ScenSweepTally){0};
    if (!find_done(store, done, count, options->farm, error))
        return false;
    Job job = {
        .plan = plan,
        .options = options,
        .store = store,
        .done = done,
        .tally = tally,
        .began = g_get_monotonic_time(),
    };
    const SimFarmJob farm_job = {
        .count = tasks_of(&job, count), .work = work, .take = take, .ctx = &job};
    bool ran = sim_farm_run(options->farm, &farm_job, error);
    tally->left += job.wanted - tally->ran;
    if (job.error)
        g_propagate_error(error, job.error);
    return !job.error && ran && (!store || scen_sweep_store_finish(store, error));
}

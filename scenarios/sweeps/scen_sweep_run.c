/* Running the points of a sweep that are missing.
 *
 * Which points a run takes follows from their numbers, and which of those are missing from the
 * database. They are tasks of a farm: each is simulated on any thread, none knows of the others, and
 * the outcomes are put into the database by the one thread that owns it, in the order in which they
 * arrive. Since a row depends on its point alone, the order shows nowhere. */
#include "scen_sweep_run.h"

/* What a run is about. */
typedef struct Job {
    const ScenSweepPlan *plan;
    const ScenSweepOptions *options;
    ScenSweepStore *store;
    GArray *points; /* of int64_t: the point of each task */
    ScenSweepTally *tally;
    int64_t failed;
    gint64 began;
    GError *error;
} Job;

static GBytes *work(int64_t task, void *ctx)
{
    const Job *job = ctx;
    return scen_sweep_point_run(job->plan, g_array_index(job->points, int64_t, task));
}

static bool take(int64_t task, GBytes *bytes, void *ctx)
{
    Job *job = ctx;
    const ScenSweepOptions *options = job->options;
    int64_t point = g_array_index(job->points, int64_t, task);
    g_auto(GStrv) sets = scen_sweep_point_sets(job->plan, point);
    if (!scen_sweep_store_put(job->store, point, sets, bytes, &job->error))
        return false;
    job->tally->ran++;
    job->failed += scen_point_outcome_read(bytes).status != SCEN_POINT_OK;
    job->tally->seconds = (double)(g_get_monotonic_time() - job->began) * 1e-6;
    if (options->progress)
        options->progress(options->ctx, job->tally->ran, job->points->len, job->failed,
                          job->tally->seconds);
    job->tally->stopped = options->stops && options->stops(options->ctx);
    return !job->tally->stopped;
}

/* The points of @share that are missing, all of them; @left of them go beyond its limit. */
static GArray *missing_new(ScenSweepStore *store, const ScenSweepShare *share, int64_t count,
                           int64_t *left, GError **error)
{
    g_autofree bool *done = g_new0(bool, count);
    if (!scen_sweep_store_done(store, done, count, error))
        return NULL;
    GArray *points = g_array_new(FALSE, FALSE, sizeof(int64_t));
    int64_t last = share->last > 0 ? MIN(share->last, count) : count;
    for (int64_t point = share->first; point <= last; point++) {
        if (done[point - 1] || (point - 1) % share->shards != share->shard - 1)
            continue;
        if (share->limit > 0 && points->len >= share->limit)
            (*left)++;
        else
            g_array_append_val(points, point);
    }
    return points;
}

bool scen_sweep_run(const ScenSweepPlan *plan, ScenSweepStore *store,
                    const ScenSweepOptions *options, ScenSweepTally *tally, GError **error)
{
    *tally = (ScenSweepTally){0};
    int64_t count = scen_variants_base(plan->variants)->sweep.points, beyond = 0;
    g_autoptr(GArray) points = missing_new(store, &options->share, count, &beyond, error);
    if (!points)
        return false;
    Job job = {
        .plan = plan,
        .options = options,
        .store = store,
        .points = points,
        .tally = tally,
        .began = g_get_monotonic_time(),
    };
    const SimFarmJob farm_job = {.count = points->len, .work = work, .take = take, .ctx = &job};
    bool ran = sim_farm_run(options->farm, &farm_job, error);
    tally->left = points->len - tally->ran + beyond;
    if (job.error)
        g_propagate_error(error, job.error);
    return !job.error && ran && scen_sweep_store_finish(store, error);
}

/* A worker's half of a farm of processes: says that it is ready, does what it is given, and sends back
 * results, those of short tasks several at a time. It says now and then that it lives, from the thread
 * that does no tasks. When the job is over it takes the results of all, if the job wants that; a worker
 * that the leader has sent away goes on with what it has, which nobody sees. */
#include "scen_ranks_private.h"

#include "scen_errors.h"

#include <string.h>

static const double SIGN_OF_LIFE_S = 0.5;
static const double FLUSH_S = 0.005; /* results wait so long for others */

typedef struct Shift {
    ScenRanksFarm *farm;
    const SimFarmJob *job;
    SimCrew *crew;
    int64_t under_way;
    GByteArray *results; /* not sent yet; owned */
    gint64 since_us;     /* of the oldest of them */
    gint64 told_us;      /* when the leader heard of this one last */
    ScenNews over;       /* that the job is over */
    bool is_over;
} Shift;

static void tell(Shift *shift, ScenNewsKind kind, const guint8 *data, size_t size)
{
    scen_news_send(
        shift->farm->ranks, 0,
        &(ScenNews){.kind = kind, .epoch = shift->farm->epoch, .data = data, .size = size});
    shift->told_us = g_get_monotonic_time();
}

static double since_s(gint64 then_us)
{
    return (double)(g_get_monotonic_time() - then_us) * 1e-6;
}

static void report(Shift *shift)
{
    bool full =
        shift->results->len > 0 && (shift->under_way == 0 || since_s(shift->since_us) > FLUSH_S);
    if (full && !shift->is_over) {
        tell(shift, SCEN_NEWS_DONE, shift->results->data, shift->results->len);
        g_byte_array_set_size(shift->results, 0);
    }
    if (since_s(shift->told_us) > SIGN_OF_LIFE_S)
        tell(shift, SCEN_NEWS_ALIVE, NULL, 0);
}

static bool hear(Shift *shift)
{
    g_auto(ScenNews) news = {0};
    bool any = scen_ranks_listen(shift->farm, &news);
    for (int64_t i = 0; any && news.kind == SCEN_NEWS_TASKS && i < news.count; i++) {
        sim_crew_push(shift->crew, news.first + i);
        shift->under_way++;
    }
    bool is_over = any && news.kind == SCEN_NEWS_OVER;
    if (is_over) {
        shift->over = news;
        news.bytes = NULL;
    }
    shift->is_over = is_over || shift->farm->is_dismissed;
    if (shift->is_over)
        sim_crew_stop(shift->crew);
    return any;
}

static bool work(Shift *shift, int64_t wait_us)
{
    g_autoptr(SimDone) done = sim_crew_pop(shift->crew, wait_us);
    if (!done)
        return false;
    shift->under_way--;
    if (shift->results->len == 0)
        shift->since_us = g_get_monotonic_time();
    scen_results_add(shift->results, done->task, done->spent_s, done->bytes);
    return true;
}

static void take_all(const Shift *shift)
{
    const guint8 *data = shift->over.data;
    size_t size = shift->over.size;
    bool more = shift->job->everywhere && shift->job->take;
    while (more) {
        g_autoptr(SimDone) done = scen_results_next(&data, &size);
        more = done && shift->job->take(done->task, done->bytes, shift->job->ctx);
    }
}

static void shift_do(Shift *shift)
{
    int64_t pause_us = SCEN_PAUSE_LEAST_US;
    tell(shift, SCEN_NEWS_READY, (const guint8 *)shift->farm->known, strlen(shift->farm->known));
    while (!shift->is_over || shift->under_way > 0) {
        bool heard = !shift->is_over && hear(shift);
        bool done = work(shift, heard ? 0 : pause_us);
        report(shift);
        pause_us = heard || done ? SCEN_PAUSE_LEAST_US : MIN(2 * pause_us, SCEN_PAUSE_MOST_US);
    }
}

bool scen_ranks_work(const SimFarm *farm, const SimFarmJob *job, GError **error)
{
    ScenRanksFarm *ranks = farm->ctx;
    ranks->epoch++;
    Shift shift = {.farm = ranks, .job = job};
    if (!ranks->is_dismissed) {
        shift.crew = sim_crew_new(job, ranks->threads);
        shift.results = g_byte_array_new();
        shift_do(&shift);
        take_all(&shift);
        g_byte_array_unref(shift.results);
        sim_crew_free(shift.crew);
        scen_news_clear(&shift.over);
    }
    if (ranks->is_dismissed)
        g_set_error_literal(error, SCEN_ERROR, SCEN_ERROR_WRONG, "the leader has ended the run");
    return !ranks->is_dismissed;
}

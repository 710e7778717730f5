/* The leader's half of a farm of processes: deals out tasks and takes what comes back.
 *
 * Task 0 is its own, and it goes on doing tasks beside leading. The others get theirs by need: as many
 * as last HOLD_S, by what tasks took them lately, so that a message costs little beside its tasks, and
 * at most their share of half of what is left, so that all end together. They get more when half of
 * that is done, so that they need not wait.
 *
 * Tasks of a worker that is lost go to the front of what is left. */
#include "scen_ranks_private.h"

#include <math.h>

static const double HOLD_S = 0.05;     /* a hundred times what a message takes */
static const double LATELY = 0.5;      /* weight of the latest in what tasks took lately */
static const double LOOK_FOR_DEAD = 8; /* times in the silence that means death */

typedef struct Deal {
    ScenRanksFarm *farm;
    const SimFarmJob *job;
    SimCrew *crew;
    SimYield yield;
    GQueue ranges;    /* of ScenTasks that nobody has; owned */
    GBytes **all;     /* results by task, of a job whose results all take; owned */
    bool *has;        /* of each task: its result has come; owned */
    int64_t own;      /* under way here */
    int64_t left;     /* tasks whose result has not come */
    gint64 looked_us; /* for the dead, last */
    bool enough;
} Deal;

static void put_back(Deal *deal, int64_t first, int64_t count)
{
    ScenTasks *range = g_new(ScenTasks, 1);
    *range = (ScenTasks){first, count};
    g_queue_push_head(&deal->ranges, range);
}

/* The next at most @most tasks that nobody has, of which some may be done after all; false: none. */
static bool draw(Deal *deal, int64_t most, ScenTasks *drawn)
{
    ScenTasks *range = g_queue_peek_head(&deal->ranges);
    if (!range)
        return false;
    *drawn = (ScenTasks){range->first, MIN(range->count, most)};
    range->first += drawn->count;
    range->count -= drawn->count;
    if (range->count == 0)
        g_free(g_queue_pop_head(&deal->ranges));
    return true;
}

static void came(Deal *deal, SimDone *done)
{
    if (deal->enough || deal->has[done->task]) {
        sim_done_free(done);
        return;
    }
    deal->has[done->task] = true;
    deal->left--;
    if (deal->all && done->bytes)
        deal->all[done->task] = g_bytes_ref(done->bytes);
    deal->enough = !sim_yield_take(&deal->yield, done);
}

static void came_from(Deal *deal, const ScenNews *news)
{
    ScenPeer *peer = &deal->farm->peer[news->from];
    const guint8 *data = news->data;
    size_t size = news->size;
    for (SimDone *done; (done = scen_results_next(&data, &size));) {
        double task_s = done->spent_s;
        peer->task_s =
            peer->task_s > 0.0 ? peer->task_s + LATELY * (task_s - peer->task_s) : task_s;
        peer->under_way--;
        came(deal, done);
    }
}

/* Tasks of workers that are out are anybody's again. */
static void reclaim(Deal *deal)
{
    for (int rank = 1; rank < deal->farm->ranks->count; rank++) {
        ScenPeer *peer = &deal->farm->peer[rank];
        ScenTasks *range;
        while (peer->is_out && (range = g_queue_pop_head(&peer->ranges))) {
            for (int64_t i = 0; i < range->count; i++)
                if (!deal->has[range->first + i])
                    put_back(deal, range->first + i, 1);
            g_free(range);
        }
    }
}

/* Looks for the dead now and then, and tells the others that the leader lives. */
static void look_around(Deal *deal)
{
    ScenRanksFarm *farm = deal->farm;
    gint64 now_us = g_get_monotonic_time();
    double since_s = (double)(now_us - deal->looked_us) * 1e-6;
    if (since_s > farm->patience.silence_s / LOOK_FOR_DEAD) {
        deal->looked_us = now_us;
        scen_ranks_find_dead(farm, farm->patience.silence_s);
        for (int rank = 1; rank < farm->ranks->count; rank++)
            if (!farm->peer[rank].is_out)
                scen_news_send(farm->ranks, rank, &(ScenNews){.kind = SCEN_NEWS_ALIVE});
    }
    reclaim(deal);
}

static bool hear_all(Deal *deal)
{
    bool any = false;
    for (;; any = true) {
        g_auto(ScenNews) news = {0};
        if (!scen_news_receive(deal->farm->ranks, &news))
            break;
        scen_ranks_hear(deal->farm, &news);
        if (news.kind == SCEN_NEWS_DONE && news.epoch == deal->farm->epoch)
            came_from(deal, &news);
    }
    look_around(deal);
    return any;
}

/* How many tasks @peer should have. */
static int64_t fair_share(const Deal *deal, const ScenPeer *peer)
{
    const ScenRanksFarm *farm = deal->farm;
    int64_t threads = farm->threads, hands = threads * farm->ranks->count;
    double held = peer->task_s > 0.0 ? ceil(HOLD_S / peer->task_s) : 1.0;
    int64_t most = MAX(deal->left / (2 * hands), 1);
    return threads * (int64_t)MIN(held, (double)most);
}

static void give(Deal *deal, int rank)
{
    ScenPeer *peer = &deal->farm->peer[rank];
    int64_t share = fair_share(deal, peer);
    ScenTasks tasks;
    if (peer->is_out || peer->ready != deal->farm->epoch || peer->under_way > share / 2)
        return;
    while (peer->under_way < share && draw(deal, share - peer->under_way, &tasks)) {
        scen_news_send(deal->farm->ranks, rank,
                       &(ScenNews){.kind = SCEN_NEWS_TASKS,
                                   .epoch = deal->farm->epoch,
                                   .first = tasks.first,
                                   .count = tasks.count});
        g_queue_push_tail(&peer->ranges, g_memdup2(&tasks, sizeof tasks));
        peer->under_way += tasks.count;
    }
}

static void deal_out(Deal *deal)
{
    ScenTasks task;
    while (deal->own < deal->farm->threads && draw(deal, 1, &task)) {
        sim_crew_push(deal->crew, task.first);
        deal->own++;
    }
    for (int rank = 1; rank < deal->farm->ranks->count; rank++)
        give(deal, rank);
}

/* What this process has done, waiting for it at most @wait_us. */
static bool take_own(Deal *deal, int64_t wait_us)
{
    SimDone *done = sim_crew_pop(deal->crew, wait_us);
    if (!done)
        return false;
    deal->own--;
    came(deal, done);
    return true;
}

/* Tells all that it is over, and where all take results, what they are. */
static void tell_over(const Deal *deal)
{
    g_autoptr(GByteArray) list = g_byte_array_new();
    for (int64_t i = 0; deal->all && i < deal->job->count; i++)
        if (deal->has[i])
            scen_results_add(list, i, 0.0, deal->all[i]);
    for (int rank = 1; rank < deal->farm->ranks->count; rank++) {
        ScenPeer *peer = &deal->farm->peer[rank];
        g_queue_clear_full(&peer->ranges, g_free);
        peer->under_way = 0;
        if (!peer->is_out)
            scen_news_send(deal->farm->ranks, rank,
                           &(ScenNews){.kind = SCEN_NEWS_OVER,
                                       .epoch = deal->farm->epoch,
                                       .data = list->data,
                                       .size = list->len});
    }
}

static void deal_clear(Deal *deal)
{
    for (int64_t i = 0; deal->all && i < deal->job->count; i++)
        g_clear_pointer(&deal->all[i], g_bytes_unref);
    g_free(deal->all);
    g_free(deal->has);
    g_queue_clear_full(&deal->ranges, g_free);
    sim_yield_clear(&deal->yield);
    sim_crew_free(deal->crew);
}

bool scen_ranks_lead(const SimFarm *farm, const SimFarmJob *job, GError **error)
{
    (void)error;
    ScenRanksFarm *ranks = farm->ctx;
    int64_t pause_us = SCEN_PAUSE_LEAST_US;
    Deal deal = {
        .farm = ranks,
        .job = job,
        .crew = sim_crew_new(job, ranks->threads),
        .yield = sim_yield_of(job),
        .ranges = G_QUEUE_INIT,
        .all = job->everywhere ? g_new0(GBytes *, job->count) : NULL,
        .has = g_new0(bool, job->count),
        .left = job->count,
    };
    ranks->epoch++;
    put_back(&deal, 0, job->count);
    while (deal.left > 0 && !deal.enough) {
        deal_out(&deal);
        bool heard = hear_all(&deal);
        bool done = take_own(&deal, heard ? 0 : pause_us);
        pause_us = heard || done ? SCEN_PAUSE_LEAST_US : MIN(2 * pause_us, SCEN_PAUSE_MOST_US);
    }
    tell_over(&deal);
    deal_clear(&deal);
    return true;
}

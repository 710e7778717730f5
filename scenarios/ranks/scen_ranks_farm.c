/* A farm over processes. All of them run the same program on the same scenario and come to the same
 * jobs in the same order (epochs); of each job the leader, rank 0, deals out the tasks
 * (scen_ranks_lead.c) and the workers do what they are given (scen_ranks_work.c). Where all must go on
 * knowing the results, the leader sends all of them to all.
 *
 * The answer does not depend on who did what: a task is a function of its number, each is taken once,
 * and in order where the job asks for it.
 *
 * Workers come and go. One that is not ready gets no tasks; one that is silent for a while with tasks
 * under way has died, and others do these; the leader is a hand itself, so there is always one. What
 * cannot be mended here is the death of the leader, which the workers notice and end, and a message layer that
 * ends all processes when one dies. */
#include "scen_ranks_private.h"

#include <string.h>
#include <unistd.h>

enum { LEADERLESS = 3 }; /* status of a worker whose leader has died */

ScenPatience scen_patience(void)
{
    return (ScenPatience){.silence_s = 10.0, .goodbye_s = 20.0, .leader_s = 600.0};
}

ScenRanksFarm *scen_ranks_farm_new(ScenRanks *ranks, int64_t threads, const char *known,
                                   ScenPatience patience, void (*say)(const char *text))
{
    ScenRanksFarm *farm = g_new0(ScenRanksFarm, 1);
    farm->ranks = ranks;
    farm->peer = g_new0(ScenPeer, ranks->count);
    farm->known = g_strdup(known);
    farm->threads = threads;
    farm->patience = patience;
    farm->say = say;
    farm->launcher = (int)getppid();
    farm->heard_us = g_get_monotonic_time();
    return farm;
}

static bool run(const SimFarm *farm, const SimFarmJob *job, GError **error)
{
    if (job->take)
        return farm->is_worker ? scen_ranks_work(farm, job, error)
                               : scen_ranks_lead(farm, job, error);
    SimFarm own = sim_farm_threads(farm->threads);
    return sim_farm_run(&own, job, error);
}

SimFarm scen_ranks_farm_of(ScenRanksFarm *farm)
{
    return (SimFarm){
        .run = run,
        .threads = farm->threads,
        .hands = farm->threads * farm->ranks->count,
        .is_worker = farm->ranks->rank > 0,
        .ctx = farm,
    };
}

/* @all: nobody has died, as far as is known. */
static void send_exit(ScenRanksFarm *farm, int rank, int status, bool all)
{
    scen_news_send(farm->ranks, rank,
                   &(ScenNews){.kind = SCEN_NEWS_EXIT, .first = status, .count = all});
}

void scen_ranks_leave_out(ScenRanksFarm *farm, int rank, const char *why)
{
    ScenPeer *peer = &farm->peer[rank];
    if (peer->is_out)
        return;
    peer->is_out = true;
    g_autofree char *text = g_strdup_printf("rank %d is left out: %s", rank, why);
    farm->say(text);
}

void scen_ranks_find_dead(ScenRanksFarm *farm, double silence_s)
{
    gint64 now_us = g_get_monotonic_time();
    for (int rank = 1; rank < farm->ranks->count; rank++) {
        ScenPeer *peer = &farm->peer[rank];
        bool is_waited_for = peer->under_way > 0 || peer->ready == farm->epoch;
        if (peer->is_gone || !is_waited_for || (double)(now_us - peer->heard_us) * 1e-6 < silence_s)
            continue;
        peer->is_gone = peer->has_died = true;
        scen_ranks_leave_out(farm, rank, "it has died, or is not heard of");
    }
}

void scen_ranks_hear(ScenRanksFarm *farm, const ScenNews *news)
{
    ScenPeer *peer = &farm->peer[news->from];
    g_autofree char *text = g_strndup((const char *)news->data, news->size);
    peer->heard_us = g_get_monotonic_time();
    if (news->kind == SCEN_NEWS_READY && !g_str_equal(text, farm->known)) {
        scen_ranks_leave_out(farm, news->from,
                             "its scenario or its version of Orrery is not that of rank 0");
        send_exit(farm, news->from, 0, true);
    } else if (news->kind == SCEN_NEWS_READY) {
        peer->ready = news->epoch;
    } else if (news->kind == SCEN_NEWS_FAILED) {
        scen_ranks_leave_out(farm, news->from, text);
    } else if (news->kind == SCEN_NEWS_BYE) {
        peer->is_out = peer->is_gone = true;
    }
}

/* Sends workers away and awaits their good-byes; whether all have come. */
static bool send_away(ScenRanksFarm *farm, int status)
{
    bool all = true, waits = true;
    for (int rank = 1; rank < farm->ranks->count; rank++)
        all = all && !farm->peer[rank].has_died;
    for (int rank = 1; rank < farm->ranks->count; rank++) {
        farm->peer[rank].heard_us = g_get_monotonic_time();
        if (!farm->peer[rank].is_gone || farm->peer[rank].has_died) /* it may be but slow */
            send_exit(farm, rank, status, all);
    }
    while (waits) {
        g_auto(ScenNews) news = {0};
        if (scen_news_receive(farm->ranks, &news)) {
            if (news.kind == SCEN_NEWS_BYE)
                farm->peer[news.from].is_gone = true;
            farm->peer[news.from].heard_us = g_get_monotonic_time();
            continue;
        }
        waits = false;
        for (int rank = 1; rank < farm->ranks->count; rank++) {
            ScenPeer *peer = &farm->peer[rank];
            double silent_s = (double)(g_get_monotonic_time() - peer->heard_us) * 1e-6;
            waits = waits || (!peer->is_gone && silent_s < farm->patience.goodbye_s);
            all = all && (peer->is_gone || silent_s < farm->patience.goodbye_s);
        }
        g_usleep(SCEN_PAUSE_MOST_US);
    }
    return all;
}

static void dismiss(ScenRanksFarm *farm, int status, bool all_live)
{
    farm->is_dismissed = true;
    farm->status = status;
    farm->all_live = all_live;
}

bool scen_ranks_listen(ScenRanksFarm *farm, ScenNews *news)
{
    bool any = scen_news_receive(farm->ranks, news);
    gint64 now_us = g_get_monotonic_time();
    double silent_s = (double)(now_us - farm->heard_us) * 1e-6;
    if (any)
        farm->heard_us = now_us;
    if (any && news->kind == SCEN_NEWS_EXIT)
        dismiss(farm, (int)news->first, news->count != 0);
    else if (!any && (silent_s > farm->patience.leader_s || (int)getppid() != farm->launcher))
        dismiss(farm, LEADERLESS, false);
    return any;
}

/* Awaits the leader's word. */
static void await_exit(ScenRanksFarm *farm)
{
    while (!farm->is_dismissed) {
        g_auto(ScenNews) news = {0};
        if (!scen_ranks_listen(farm, &news))
            g_usleep(SCEN_PAUSE_MOST_US);
    }
}

int scen_ranks_farm_end(ScenRanksFarm *farm, int status, const char *why)
{
    ScenRanks *ranks = farm->ranks;
    bool all = true;
    if (ranks->rank == 0) {
        all = send_away(farm, status);
    } else {
        if (why)
            scen_news_send(ranks, 0,
                           &(ScenNews){.kind = SCEN_NEWS_FAILED,
                                       .data = (const guint8 *)why,
                                       .size = strlen(why)});
        await_exit(farm);
        status = farm->status;
        all = farm->all_live;
        scen_news_send(ranks, 0, &(ScenNews){.kind = SCEN_NEWS_BYE});
    }
    ranks->close(ranks, all);
    g_free(farm->peer);
    g_free(farm->known);
    g_free(farm);
    return status;
}

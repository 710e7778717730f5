/* A team of threads that meet at a barrier before and after each loop. Its members start where the
 * process is confined to, and kern_host_machine_pin() places them. */
#include "kern_host_team.h"

#include <pthread.h>

typedef struct Member {
    KernHostTeam *team;
    int index;
    pthread_t thread;
} Member;

struct KernHostTeam {
    int threads;
    pthread_barrier_t barrier;
    Member *members;   /* the caller is member 0 */
    KernHostWork work; /* NULL: the team is dismissed */
    void *data;
    size_t rows;
};

static void do_part(const KernHostTeam *team, int index)
{
    size_t n = (size_t)team->threads, i = (size_t)index;
    size_t first = team->rows * i / n, end = team->rows * (i + 1) / n;
    if (end > first)
        team->work(team->data, first, end - first);
}

static void *serve(void *data)
{
    Member *member = data;
    for (;;) {
        pthread_barrier_wait(&member->team->barrier);
        if (!member->team->work)
            return NULL;
        do_part(member->team, member->index);
        pthread_barrier_wait(&member->team->barrier);
    }
}

KernHostTeam *kern_host_team_new(int threads)
{
    KernHostTeam *team = g_new0(KernHostTeam, 1);
    team->threads = threads;
    team->members = g_new0(Member, threads);
    pthread_barrier_init(&team->barrier, NULL, (unsigned)threads);
    for (int i = 1; i < threads; i++) {
        team->members[i] = (Member){.team = team, .index = i};
        int failed = pthread_create(&team->members[i].thread, NULL, serve, &team->members[i]);
        g_assert(failed == 0);
    }
    return team;
}

void kern_host_team_free(KernHostTeam *team)
{
    if (!team)
        return;
    team->work = NULL;
    pthread_barrier_wait(&team->barrier);
    for (int i = 1; i < team->threads; i++)
        pthread_join(team->members[i].thread, NULL);
    pthread_barrier_destroy(&team->barrier);
    g_free(team->members);
    g_free(team);
}

void kern_host_team_run(KernHostTeam *team, KernHostWork work, void *data, size_t rows)
{
    if (team->threads == 1) {
        work(data, 0, rows);
        return;
    }
    team->work = work;
    team->data = data;
    team->rows = rows;
    pthread_barrier_wait(&team->barrier);
    do_part(team, 0);
    pthread_barrier_wait(&team->barrier);
}

/* Tasks a second on a farm, of nothing and of 200,000 additions in a row, on one and on two threads; and
 * replications of a campaign a second (scenarios/failures/year-of-131072.yaml) on one and on two processes
 * of mpirun, where it and the module are there. The second of two cores is worth what others leave of it.
 *
 * Prints one line each and fails nothing. With --quick, a hundredth of the tasks and no processes. */
#include "sim_farm.h"

#include <stdio.h>
#include <string.h>

enum { ADDITIONS = 200000, TASKS = 20000, REPLICATIONS = 200 };

static GBytes *nothing(int64_t task, void *ctx)
{
    (void)task;
    (void)ctx;
    return NULL;
}

static GBytes *additions(int64_t task, void *ctx)
{
    volatile double sum = (double)task;
    (void)ctx;
    for (int i = 0; i < ADDITIONS; i++)
        sum = sum + 1.0;
    double end = sum;
    return g_bytes_new(&end, sizeof end);
}

static bool take(int64_t task, GBytes *bytes, void *ctx)
{
    (void)task;
    *(int64_t *)ctx += bytes != NULL;
    return true;
}

static double seconds_since(gint64 from)
{
    return (double)(g_get_monotonic_time() - from) * 1e-6;
}

static void report(const char *name, SimFarmWork work, int64_t count)
{
    for (int threads = 1; threads <= 2; threads++) {
        int64_t taken = 0;
        SimFarm farm = sim_farm_threads(threads);
        SimFarmJob job = {.count = count, .work = work, .take = take, .ctx = &taken};
        gint64 from = g_get_monotonic_time();
        sim_farm_run(&farm, &job, NULL);
        printf("farm %-9s %d threads    %10.0f tasks/s\n", name, threads,
               (double)count / seconds_since(from));
    }
}

/* A campaign on @ranks processes, its start and its one healthy step counted. */
static void report_ranks(int ranks)
{
    g_autofree char *line =
        g_strdup_printf("env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun "
                        "--oversubscribe -n %d "
                        "%s run %s/scenarios/failures/year-of-131072.yaml --threads 1 --json "
                        "--set campaign.replications=%d",
                        ranks, ORRERY_BINARY, TEST_SOURCE_DIR, REPLICATIONS);
    g_autofree char *out = NULL, *err = NULL;
    int status = -1;
    gint64 from = g_get_monotonic_time();
    bool ran = g_spawn_command_line_sync(line, &out, &err, &status, NULL) && status == 0;
    if (ran)
        printf("farm campaign  %d processes  %10.0f replications/s\n", ranks,
               REPLICATIONS / seconds_since(from));
    else
        printf("farm campaign  %d processes  no MPI here, or it does not start\n", ranks);
}

int main(int argc, char **argv)
{
    bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    int64_t count = quick ? TASKS / 100 : TASKS;
    report("nothing", nothing, 20 * count);
    report("additions", additions, count);
    for (int ranks = 1; ranks <= 2 && !quick; ranks++)
        report_ranks(ranks);
    return 0;
}

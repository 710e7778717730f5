/* The farm of ranks without MPI: processes are threads here, letter boxes are queues. A rank can die
 * after some letters: what it sends then is lost. */
#include "scen_ranks_farm.h"

#include <criterion/criterion.h>

enum { RANKS = 4, COUNT = 300, EPOCHS = 3, IMMORTAL = 1 << 30 };

typedef struct Letter {
    int from;
    GBytes *bytes;
} Letter;

typedef struct World {
    GAsyncQueue *box[RANKS]; /* of Letter */
} World;

typedef struct Box {
    ScenRanks ranks;
    World *world;
    int letters_left; /* until it dies */
} Box;

/* What one process knows at the end. */
typedef struct Process {
    World *world;
    int rank, letters, status;
    const char *known, *why;
    bool everywhere;
    int64_t sum, takes, worked;
    bool sorted, all;
    int64_t last;
} Process;

static void box_send(ScenRanks *ranks, int to, GBytes *bytes)
{
    Box *box = (Box *)ranks;
    if (box->letters_left-- <= 0)
        return;
    Letter *letter = g_new(Letter, 1);
    *letter = (Letter){ranks->rank, g_bytes_ref(bytes)};
    g_async_queue_push(box->world->box[to], letter);
}

static GBytes *box_receive(ScenRanks *ranks, int *from)
{
    Box *box = (Box *)ranks;
    g_autofree Letter *letter = g_async_queue_try_pop(box->world->box[ranks->rank]);
    if (!letter)
        return NULL;
    *from = letter->from;
    return letter->bytes;
}

static void box_close(ScenRanks *ranks, bool all)
{
    (void)all;
    g_free(ranks);
}

static ScenRanks *box_open(const Process *process)
{
    Box *box = g_new0(Box, 1);
    box->ranks = (ScenRanks){process->rank, RANKS, box_send, box_receive, box_close};
    box->world = process->world;
    box->letters_left = process->letters;
    return &box->ranks;
}

static void say(const char *text)
{
    cr_log_info("%s", text);
}

static GBytes *work(int64_t task, void *ctx)
{
    Process *process = ctx;
    process->worked++;
    g_usleep(task % 7 == 0 ? 2000 : 100);
    int64_t value = 3 * task + 1;
    return g_bytes_new(&value, sizeof value);
}

static bool take(int64_t task, GBytes *bytes, void *ctx)
{
    Process *process = ctx;
    process->sorted = process->sorted && task == process->last + 1;
    process->last = task;
    process->takes++;
    process->sum += *(const int64_t *)g_bytes_get_data(bytes, NULL);
    return true;
}

static gpointer live(gpointer data)
{
    Process *process = data;
    ScenPatience patience = {.silence_s = 1.5, .goodbye_s = 1.5, .leader_s = 60.0};
    ScenRanksFarm *ranks = scen_ranks_farm_new(box_open(process), 1, process->known, patience, say);
    SimFarm farm = scen_ranks_farm_of(ranks);
    process->sorted = true;
    for (int i = 0; i < EPOCHS; i++) {
        SimFarmJob job = {.count = COUNT,
                          .work = work,
                          .take = take,
                          .ctx = process,
                          .everywhere = process->everywhere};
        process->last = -1;
        if (!process->why && !sim_farm_run(&farm, &job, NULL))
            break;
    }
    process->status = scen_ranks_farm_end(ranks, process->rank == 0 ? 7 : 1, process->why);
    return NULL;
}

/* Lets @process run; those that die are not awaited. */
static void run(Process process[RANKS], bool everywhere)
{
    World world = {0};
    GThread *thread[RANKS];
    for (int i = 0; i < RANKS; i++)
        world.box[i] = g_async_queue_new();
    for (int i = 0; i < RANKS; i++) {
        process[i].world = &world;
        process[i].rank = i;
        process[i].everywhere = everywhere;
        if (process[i].letters == 0)
            process[i].letters = IMMORTAL;
        if (!process[i].known)
            process[i].known = "scenario";
        thread[i] = g_thread_new("rank", live, &process[i]);
    }
    for (int i = 0; i < RANKS; i++)
        g_thread_join(thread[i]);
}

static const int64_t ONE_EPOCH = 3 * COUNT * (COUNT - 1) / 2 + COUNT;

Test(scen_ranks, the_leader_takes_each_task_once_and_all_end_with_its_status)
{
    Process process[RANKS] = {0};
    run(process, false);
    cr_expect_eq(process[0].takes, EPOCHS * COUNT);
    cr_expect_eq(process[0].sum, EPOCHS * ONE_EPOCH);
    for (int i = 0; i < RANKS; i++) {
        cr_expect_eq(process[i].status, 7, "rank %d: %d", i, process[i].status);
        cr_expect(process[i].worked > EPOCHS, "rank %d did %d tasks", i, (int)process[i].worked);
        cr_expect(i == 0 || process[i].takes == 0);
    }
}

Test(scen_ranks, what_all_take_comes_to_all_in_order)
{
    Process process[RANKS] = {0};
    run(process, true);
    for (int i = 0; i < RANKS; i++) {
        cr_expect_eq(process[i].sum, EPOCHS * ONE_EPOCH, "rank %d", i);
        cr_expect(process[i].sorted, "rank %d", i);
    }
}

Test(scen_ranks, a_rank_that_dies_loses_nothing)
{
    Process process[RANKS] = {{0}, {.letters = 5}, {0}, {.letters = 1}};
    run(process, true);
    cr_expect_eq(process[0].sum, EPOCHS * ONE_EPOCH);
    cr_expect_eq(process[0].takes, EPOCHS * COUNT);
    cr_expect(process[0].sorted);
    cr_expect_eq(process[2].sum, EPOCHS * ONE_EPOCH);
    cr_expect_eq(process[0].status, 7);
}

Test(scen_ranks, a_rank_with_another_scenario_or_a_fault_is_left_out)
{
    Process process[RANKS] = {{0}, {.known = "another"}, {.why = "no such file"}, {0}};
    run(process, true);
    cr_expect_eq(process[0].sum, EPOCHS * ONE_EPOCH);
    cr_expect_eq(process[3].sum, EPOCHS * ONE_EPOCH);
    cr_expect_eq(process[1].worked, 0);
    cr_expect_eq(process[1].takes, 0);
}

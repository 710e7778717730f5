/* The farm: every task once, takes one at a time and in order where that is asked. */
#include "sim_farm.h"

#include <criterion/criterion.h>

enum { COUNT = 500 };

typedef struct Yard {
    gint worked[COUNT]; /* atomic */
    gint taken[COUNT];
    int64_t last, takes, most; /* most: enough after so many; 0: never */
    GThread *leader;
    bool sorted, alone, right;
} Yard;

static GBytes *square(int64_t task, void *ctx)
{
    Yard *yard = ctx;
    g_atomic_int_inc(&yard->worked[task]);
    if (task % 50 == 0 || yard->most > 0)
        g_usleep(1000);
    int64_t value = task * task;
    return task % 3 == 0 ? NULL : g_bytes_new(&value, sizeof value);
}

static bool take(int64_t task, GBytes *bytes, void *ctx)
{
    Yard *yard = ctx;
    yard->taken[task]++;
    yard->sorted = yard->sorted && task > yard->last;
    yard->last = task;
    yard->alone = yard->alone && g_thread_self() == yard->leader;
    if (task % 3 == 0)
        yard->right = yard->right && !bytes;
    else
        yard->right = yard->right && bytes && g_bytes_get_size(bytes) == sizeof(int64_t) &&
                      *(const int64_t *)g_bytes_get_data(bytes, NULL) == task * task;
    return ++yard->takes != yard->most;
}

static Yard *run(int64_t threads, int64_t most, bool ordered)
{
    Yard *yard = g_new0(Yard, 1);
    *yard = (Yard){.last = -1, .most = most, .leader = g_thread_self()};
    yard->sorted = yard->alone = yard->right = true;
    SimFarm farm = sim_farm_threads(threads);
    SimFarmJob job = {
        .count = COUNT, .work = square, .take = take, .ctx = yard, .ordered = ordered};
    cr_assert(sim_farm_run(&farm, &job, NULL));
    return yard;
}

Test(sim_farm, every_task_is_worked_and_taken_once_by_the_caller)
{
    for (int64_t threads = 0; threads <= 4; threads++) {
        g_autofree Yard *yard = run(threads, 0, false);
        for (int i = 0; i < COUNT; i++)
            cr_expect(yard->worked[i] == 1 && yard->taken[i] == 1, "%d", i);
        cr_expect(yard->alone && yard->right);
    }
}

Test(sim_farm, takes_go_in_order_where_asked)
{
    g_autofree Yard *yard = run(4, 0, true);
    cr_expect_eq(yard->takes, COUNT);
    cr_expect(yard->sorted && yard->right);
    g_autofree Yard *any = run(4, 0, false);
    cr_expect_not(any->sorted, "the first task sleeps, so that without order others come before");
}

Test(sim_farm, enough_is_enough)
{
    for (int64_t threads = 1; threads <= 4; threads += 3)
        for (int ordered = 0; ordered <= 1; ordered++) {
            g_autofree Yard *yard = run(threads, 20, ordered);
            int worked = 0;
            for (int i = 0; i < COUNT; i++)
                worked += yard->worked[i];
            cr_expect_eq(yard->takes, 20);
            cr_expect_lt(worked, COUNT);
        }
}

static GBytes *mark(int64_t task, void *ctx)
{
    ((int *)ctx)[task]++;
    return NULL;
}

Test(sim_farm, work_may_leave_its_results_itself_and_no_tasks_are_no_fault)
{
    int marks[COUNT] = {0};
    SimFarm farm = sim_farm_threads(3);
    SimFarmJob job = {.count = COUNT, .work = mark, .ctx = marks};
    cr_assert(sim_farm_run(&farm, &job, NULL));
    for (int i = 0; i < COUNT; i++)
        cr_expect_eq(marks[i], 1);
    job.count = 0;
    cr_assert(sim_farm_run(&farm, &job, NULL));
}

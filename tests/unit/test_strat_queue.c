/* Schedules worked by hand, to the nanosecond. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "strat_queue_pool.h"
#include "toy_queue.h"

#include <string.h>

static const SimTime S = SIM_TIME_SECOND;

/* Six jobs on four nodes: when, nodes, work. */
static const StratQueueRecord six[] = {
    {0.0, 0, 2, 10.0},
    {1.0, 0, 3, 5.0 },
    {2.0, 0, 4, 5.0 },
    {3.0, 0, 1, 20.0},
    {4.0, 0, 2, 6.0 },
    {5.0, 0, 1, 2.0 },
};

/* Who starts when. Under EASY job 3 takes the node that the front (1) leaves over and so delays job
 * 2 from 15 to 23; with a reservation for each job it may not, and job 4 fits before. */
static const struct {
    const char *policy;
    SimTime start_s[6];
} schedules[] = {
    {"fifo",                  {0, 10, 15, 20, 20, 20}},
    {"easy-backfill",         {0, 10, 23, 3, 15, 5}  },
    {"conservative-backfill", {0, 10, 15, 20, 4, 10} },
    {"priority",              {0, 10, 15, 20, 20, 20}},
    {"priority-backfill",     {0, 10, 23, 3, 15, 5}  },
};

Test(strat_queue, policies_start_six_jobs_as_worked_by_hand)
{
    const StratQueueClass one = {.name = "job", .nodes = 1};
    for (size_t i = 0; i < G_N_ELEMENTS(schedules); i++) {
        StratQueue queue = toy_queue(4, schedules[i].policy, 100.0);
        queue.classes = &one;
        queue.class_count = 1;
        queue.records = six;
        queue.record_count = G_N_ELEMENTS(six);
        g_autoptr(GArray) rows = toy_queue_rows(&queue, NULL);
        cr_assert(eq(u32, rows->len, 6));
        for (guint j = 0; j < 6; j++) {
            const StratQueueJobRow *row = &g_array_index(rows, StratQueueJobRow, j);
            cr_expect(eq(i64, row->first_start, schedules[i].start_s[j] * S), "%s: job %u",
                      schedules[i].policy, j);
            cr_expect(eq(i64, row->left, row->first_start + row->work));
            cr_expect(eq(int, (int)row->end, STRAT_QUEUE_COMPLETED));
        }
    }
}

static void expect_spent(const StratQueueResult *r, StratQueueSpent bucket, double node_s,
                         double all_node_s)
{
    cr_expect(epsilon_eq(dbl, r->spent[bucket].mean * all_node_s, node_s, 1e-9), "%s",
              strat_queue_spent_key(bucket));
}

Test(strat_queue, a_run_is_preempted_once_it_is_old_enough_and_keeps_its_checkpoints)
{
    const StratQueueClass classes[] = {
        {.name = "low",  .nodes = 2, .checkpoint_s = 2.0},
        {.name = "high", .nodes = 2, .priority = 1      },
    };
    const StratQueueRecord jobs[] = {
        {0.0, 0, 2, 20.0},
        {3.0, 0, 2, 20.0},
        {4.0, 1, 2, 3.0 }, /* waits until 5, when job 0 has run for 5 s and loses one */
        {6.0, 0, 1, 2.0 }, /* behind job 0, which has kept its place */
    };
    StratQueue queue = toy_queue(4, "priority", 30.0);
    queue.classes = classes;
    queue.class_count = 2;
    queue.records = jobs;
    queue.record_count = G_N_ELEMENTS(jobs);
    queue.preemptible_after_s = 5.0;
    queue.restart_s = 1.0;
    g_autoptr(StratQueueResult) r = NULL;
    g_autoptr(GArray) rows = toy_queue_rows(&queue, &r);
    const StratQueueJobRow *row = (const StratQueueJobRow *)(void *)rows->data;
    cr_expect(eq(i64, row[2].first_start, 5 * S));
    cr_expect(eq(i64, row[2].left, 8 * S));
    cr_expect(eq(i64, row[0].left, 25 * S));
    cr_expect(eq(i64, row[0].preemptions, 1));
    cr_expect(eq(i64, row[0].queued, 3 * S));
    cr_expect(eq(i64, row[0].ran, 22 * S));
    cr_expect(eq(i64, row[1].left, 23 * S));
    cr_expect(eq(i64, row[3].first_start, 23 * S));
    cr_expect(eq(i64, row[3].left, 25 * S));
    expect_spent(r, STRAT_QUEUE_PRODUCTIVE, 88.0, 120.0);
    expect_spent(r, STRAT_QUEUE_RESTART, 2.0, 120.0);
    expect_spent(r, STRAT_QUEUE_LOST_PREEMPTED, 2.0, 120.0);
    expect_spent(r, STRAT_QUEUE_LOST_SECONDARY, 0.0, 120.0);
    expect_spent(r, STRAT_QUEUE_IDLE, 28.0, 120.0);
    cr_expect(epsilon_eq(dbl, r->ettr.mean, 88.0 / (50.0 + 40.0 + 8.0 + 19.0), 1e-12));
}

static const StratFaultClass broken = {.name = "node",
                                       .unit = STRAT_FAULT_NODE,
                                       .effect = STRAT_FAULT_STOP,
                                       .shape = 1.0,
                                       .swap_fraction = 1.0};
static const StratFaultRecord at_5_s = {.at_s = 5.0};

Test(strat_queue, a_node_that_fails_takes_its_run_and_is_away_until_repaired)
{
    const StratQueueClass one = {.name = "job", .nodes = 1, .checkpoint_s = 4.0};
    const StratQueueRecord jobs[] = {
        {0.0, 0, 2, 20.0},
        {1.0, 0, 1, 6.0 }, /* runs while job 0 waits for the repair */
    };
    StratQueue queue = toy_queue(2, "easy-backfill", 40.0);
    queue.classes = &one;
    queue.class_count = 1;
    queue.records = jobs;
    queue.record_count = 2;
    queue.restart_s = 1.0;
    queue.faults.classes = &broken;
    queue.faults.count = 1;
    queue.faults.records = &at_5_s;
    queue.faults.record_count = 1;
    queue.repair = (StratSpread){.kind = STRAT_SPREAD_FIXED, .mean_s = 10.0};
    g_autoptr(StratQueueResult) r = NULL;
    g_autoptr(GArray) rows = toy_queue_rows(&queue, &r);
    const StratQueueJobRow *row = (const StratQueueJobRow *)(void *)rows->data;
    cr_expect(eq(i64, row[0].left, 32 * S));
    cr_expect(eq(i64, row[0].requeues, 1));
    cr_expect(eq(i64, row[1].first_start, 5 * S));
    expect_spent(r, STRAT_QUEUE_PRODUCTIVE, 46.0, 80.0);
    expect_spent(r, STRAT_QUEUE_RESTART, 2.0, 80.0);
    expect_spent(r, STRAT_QUEUE_LOST_NODE, 2.0, 80.0);
    expect_spent(r, STRAT_QUEUE_REPAIR, 10.0, 80.0);
    expect_spent(r, STRAT_QUEUE_IDLE, 20.0, 80.0);
    cr_expect(eq(dbl, r->runs[STRAT_QUEUE_REQUEUED], 1.0));
    queue.most_requeues = 0;
    g_autoptr(GArray) last = toy_queue_rows(&queue, NULL);
    row = (const StratQueueJobRow *)(void *)last->data;
    cr_expect(eq(int, (int)row[0].end, STRAT_QUEUE_NODE_FAIL));
    cr_expect(eq(i64, row[0].left, 5 * S));
}

Test(strat_queue, a_job_in_a_crash_loop_is_requeued_as_often_as_it_may)
{
    const StratQueueClass one = {
        .name = "loop", .nodes = 1, .crash_fraction = 1.0, .crash_after_s = 2.0};
    const StratQueueRecord job = {0.0, 0, 1, 100.0};
    StratQueue queue = toy_queue(1, "fifo", 20.0);
    queue.classes = &one;
    queue.class_count = 1;
    queue.records = &job;
    queue.record_count = 1;
    queue.restart_s = 1.0;
    queue.most_requeues = 3;
    g_autoptr(StratQueueResult) r = NULL;
    g_autoptr(GArray) rows = toy_queue_rows(&queue, &r);
    const StratQueueJobRow *row = (const StratQueueJobRow *)(void *)rows->data;
    cr_expect(eq(i64, row->left, 11 * S));
    cr_expect(eq(i64, row->runs, 4));
    cr_expect(eq(int, (int)row->end, STRAT_QUEUE_FAILED));
    expect_spent(r, STRAT_QUEUE_LOST_OWN, 8.0, 20.0);
    expect_spent(r, STRAT_QUEUE_RESTART, 3.0, 20.0);
    queue.requeue_s = 2.5; /* three times, and no run can end later than 18.5 */
    g_autoptr(GArray) later = toy_queue_rows(&queue, NULL);
    row = (const StratQueueJobRow *)(void *)later->data;
    cr_expect(eq(i64, row->left, 18 * S + S / 2));
    cr_expect(eq(i64, row->queued, 7 * S + S / 2));
}

Test(strat_queue, a_run_ends_at_its_lifetime)
{
    const StratQueueClass one = {.name = "long", .nodes = 1, .checkpoint_s = 3.0};
    const StratQueueRecord job = {0.0, 0, 1, 10.0};
    StratQueue queue = toy_queue(1, "fifo", 20.0);
    queue.classes = &one;
    queue.class_count = 1;
    queue.records = &job;
    queue.record_count = 1;
    queue.lifetime_s = 7.0;
    g_autoptr(StratQueueResult) r = NULL;
    g_autoptr(GArray) rows = toy_queue_rows(&queue, &r);
    const StratQueueJobRow *row = (const StratQueueJobRow *)(void *)rows->data;
    cr_expect(eq(int, (int)row->end, STRAT_QUEUE_TIMEOUT));
    cr_expect(eq(i64, row->left, 7 * S));
    expect_spent(r, STRAT_QUEUE_PRODUCTIVE, 6.0, 20.0);
    expect_spent(r, STRAT_QUEUE_LOST_TIMEOUT, 1.0, 20.0);
}

/* Two jobs of three nodes on leaves of two: the second shares the leaf in the middle. */
Test(strat_queue, jobs_that_share_a_leaf_take_longer_by_the_given_factor)
{
    const StratQueueClass one = {.name = "job", .nodes = 3};
    const StratQueueRecord jobs[] = {
        {0.0, 0, 0, 10.0},
        {1.0, 0, 0, 10.0},
    };
    StratQueue queue = toy_queue(6, "fifo", 20.0);
    queue.nodes_per_leaf = 2;
    queue.classes = &one;
    queue.class_count = 1;
    queue.records = jobs;
    queue.record_count = 2;
    queue.shared_leaf = 0.1;
    g_autoptr(StratQueueResult) r = NULL;
    g_autoptr(GArray) rows = toy_queue_rows(&queue, &r);
    const StratQueueJobRow *row = (const StratQueueJobRow *)(void *)rows->data;
    cr_expect(eq(i64, row[0].left, 10 * S));
    cr_expect(eq(i64, row[1].left, 12 * S));
    expect_spent(r, STRAT_QUEUE_SLOWED, 3.0, 120.0);
    expect_spent(r, STRAT_QUEUE_PRODUCTIVE, 60.0, 120.0);
}

static const int64_t nothing = 0;

/* Nodes of a chain as a set of bits. */
static unsigned taken(StratQueuePool *pool, const char *placement, int64_t nodes)
{
    unsigned bits = 0;
    StratQueueTaken t =
        strat_queue_pool_take(pool, strat_queue_placement_by_name(placement, NULL), nodes, 0);
    for (int32_t node = t.first; node >= 0; node = pool->next[node])
        bits |= 1u << node;
    return bits;
}

Test(strat_queue, placements_pick_the_nodes_they_say)
{
    g_autoptr(StratQueuePool) packed = strat_queue_pool_new(12, 4, 1, &nothing);
    cr_expect(eq(uint, taken(packed, "packed", 3), 0x007));
    cr_expect(eq(uint, taken(packed, "packed", 1), 0x008)); /* best fit: what the first left */
    cr_expect(eq(uint, taken(packed, "packed", 6), 0x3f0));
    cr_expect(eq(i64, packed->free, 2));
    g_autoptr(StratQueuePool) spread = strat_queue_pool_new(12, 4, 1, &nothing);
    unsigned three = taken(spread, "spread", 3);
    cr_expect(eq(uint, three, 0x111));
    g_autoptr(StratQueuePool) contiguous = strat_queue_pool_new(12, 4, 1, &nothing);
    strat_queue_pool_remove(contiguous, 2);
    strat_queue_pool_remove(contiguous, 7);
    cr_expect(eq(uint, taken(contiguous, "contiguous", 4), 0x078));
    cr_expect(eq(uint, taken(contiguous, "contiguous", 6), 0xf03)); /* there is no such gap */
}

Test(strat_queue, unknown_names_are_refused_with_the_known_ones)
{
    g_autoptr(GError) policy = NULL, placement = NULL;
    cr_expect_null(strat_queue_policy_by_name("lottery", &policy));
    cr_expect(ne(ptr, strstr(policy->message, "easy-backfill"), NULL));
    cr_expect_null(strat_queue_placement_by_name("nowhere", &placement));
    cr_expect(ne(ptr, strstr(placement->message, "contiguous"), NULL));
}

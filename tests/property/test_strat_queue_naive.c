/* Queues against a naive scheduler, and what must hold whatever comes. The naive one goes through
 * time event by event over plain arrays and makes each decision anew, in the words of Mu'alem &
 * Feitelson (2001); nothing fails, nobody preempts, and estimates are exact. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "strat_queue_once.h"
#include "toy_queue.h"

#include <string.h>

enum { JOBS = 60, NODES = 12, CASES = 60 };

typedef struct Naive {
    SimTime arrival[JOBS], work[JOBS], start[JOBS], promised[JOBS]; /* promised: -1, never */
    int64_t nodes[JOBS];
} Naive;

static const SimTime S = SIM_TIME_SECOND;

/* Jobs in whole seconds, so that many things happen at once; dense enough to queue. */
static void draw(uint64_t seed, Naive *naive, StratQueueRecord *records)
{
    SimRandom luck = sim_random_stream(seed, "naive queue");
    SimTime at = 0;
    for (int j = 0; j < JOBS; j++) {
        at += (SimTime)sim_random_below(&luck, 4) * S;
        naive->arrival[j] = at;
        naive->work[j] = (SimTime)(1 + sim_random_below(&luck, 15)) * S;
        bool is_large = sim_random_below(&luck, 5) == 0;
        naive->nodes[j] = 1 + (int64_t)sim_random_below(&luck, is_large ? NODES : 4);
        naive->start[j] = naive->promised[j] = -1;
        records[j] = (StratQueueRecord){(double)at * 1e-9, 0, naive->nodes[j],
                                        (double)naive->work[j] * 1e-9};
    }
}

/* Nodes in use at @at by jobs that have started or are to start. */
static int64_t used(const Naive *naive, SimTime at)
{
    int64_t sum = 0;
    for (int j = 0; j < JOBS; j++)
        if (naive->start[j] >= 0 && naive->start[j] <= at && at < naive->start[j] + naive->work[j])
            sum += naive->nodes[j];
    return sum;
}

/* Whether job @j fits from @from on, beside all that have a start. */
static bool fits(const Naive *naive, int j, SimTime from)
{
    for (SimTime at = from; at < from + naive->work[j]; at += S)
        if (used(naive, at) + naive->nodes[j] > NODES)
            return false;
    return true;
}

static SimTime earliest(const Naive *naive, int j, SimTime from)
{
    while (!fits(naive, j, from))
        from += S;
    return from;
}

static void run_fifo(Naive *naive)
{
    for (int j = 0; j < JOBS; j++)
        naive->start[j] =
            earliest(naive, j, MAX(naive->arrival[j], j > 0 ? naive->start[j - 1] : 0));
}

static void run_conservative(Naive *naive)
{
    for (int j = 0; j < JOBS; j++)
        naive->start[j] = earliest(naive, j, naive->arrival[j]);
}

/* A job behind the front may start if the front then still can when it could before. */
static void run_easy(Naive *naive)
{
    for (SimTime now = 0, left = JOBS; left > 0; now += S) {
        int front = -1;
        for (int j = 0; j < JOBS && naive->arrival[j] <= now; j++) {
            if (naive->start[j] >= 0)
                continue;
            bool starts = used(naive, now) + naive->nodes[j] <= NODES;
            if (front < 0 && !starts) {
                front = j;
                naive->promised[j] =
                    naive->promised[j] < 0 ? earliest(naive, j, now) : naive->promised[j];
                continue;
            }
            if (!starts)
                continue;
            SimTime promised = front >= 0 ? earliest(naive, front, now) : 0;
            naive->start[j] = now;
            if (front >= 0 && !fits(naive, front, promised))
                naive->start[j] = -1;
            else
                left--;
        }
    }
}

static const struct {
    const char *policy;
    void (*run)(Naive *naive);
} policies[] = {
    {"fifo",                  run_fifo        },
    {"easy-backfill",         run_easy        },
    {"conservative-backfill", run_conservative},
};

static const StratQueueClass one = {.name = "job", .nodes = 1};

static StratQueue queue_of(const char *policy, const StratQueueRecord *records)
{
    StratQueue queue = toy_queue(NODES, policy, 1e5);
    queue.classes = &one;
    queue.class_count = 1;
    queue.records = records;
    queue.record_count = JOBS;
    return queue;
}

Test(strat_queue_naive, starts_are_those_of_a_naive_scheduler)
{
    int64_t backfilled = 0;
    for (size_t p = 0; p < G_N_ELEMENTS(policies); p++)
        for (uint64_t seed = 0; seed < CASES; seed++) {
            Naive naive;
            StratQueueRecord records[JOBS];
            draw(seed, &naive, records);
            policies[p].run(&naive);
            StratQueue queue = queue_of(policies[p].policy, records);
            g_autoptr(GArray) rows = toy_queue_rows(&queue, NULL);
            cr_assert(eq(u32, rows->len, JOBS));
            for (guint j = 0; j < JOBS; j++) {
                SimTime start = g_array_index(rows, StratQueueJobRow, j).first_start;
                cr_assert(eq(i64, start, naive.start[j]), "%s, seed %d, job %u", policies[p].policy,
                          (int)seed, j);
                backfilled += j > 0 && start < naive.start[j - 1];
                if (naive.promised[j] >= 0)
                    cr_assert(le(i64, start, naive.promised[j]), "a front was delayed");
            }
        }
    cr_expect(gt(i64, backfilled, 100), "the cases show nothing");
}

/* The scheduler asserts that no reservation moves back. Here runs end in half the time that it
 * expects, so reservations move; with all of them kept, a job that arrives when the cluster is
 * empty starts at once, and all jobs run. */
Test(strat_queue_naive, conservative_keeps_its_promises_when_runs_end_early)
{
    int64_t moved = 0;
    for (uint64_t seed = 0; seed < CASES; seed++) {
        Naive naive;
        StratQueueRecord records[JOBS];
        draw(seed, &naive, records);
        StratQueue queue = queue_of("conservative-backfill", records);
        queue.estimate = 2.0;
        g_autoptr(GArray) rows = toy_queue_rows(&queue, NULL);
        for (int j = 0; j < JOBS; j++)
            naive.work[j] *= 2;
        run_conservative(&naive);
        for (guint j = 0; j < JOBS; j++) {
            const StratQueueJobRow *row = &g_array_index(rows, StratQueueJobRow, j);
            cr_assert(eq(int, (int)row->end, STRAT_QUEUE_COMPLETED));
            moved += row->first_start < naive.start[j];
        }
    }
    cr_expect(gt(i64, moved, JOBS * CASES / 2), "the cases show nothing");
}

static const StratFaultClass fault = {.name = "node",
                                      .unit = STRAT_FAULT_NODE,
                                      .effect = STRAT_FAULT_STOP,
                                      .per_unit_s = 1e-3,
                                      .shape = 1.0,
                                      .swap_fraction = 0.5};

#define WORK(s)                                                                                    \
    {                                                                                              \
        STRAT_SPREAD_EXPONENTIAL, .mean_s = (s)                                                    \
    }

/* clang-format off */
static const StratQueueClass mixed[] = {
    {.name = "small", .nodes = 1, .share = 0.7, .work = WORK(60), .fail_fraction = 0.2},
    {.name = "large", .nodes = 7, .share = 0.2, .work = WORK(90), .checkpoint_s = 11.0, .priority = 2},
    {.name = "loop", .nodes = 5, .share = 0.1, .work = WORK(90), .checkpoint_s = 7.0, .priority = 3,
     .crash_fraction = 0.5, .crash_after_s = 3.0},
};
/* clang-format on */

static StratQueue busy(const char *policy, const char *placement)
{
    StratQueue queue = toy_queue(NODES, policy, 20000.0);
    queue.placement = strat_queue_placement_by_name(placement, NULL);
    queue.classes = mixed;
    queue.class_count = G_N_ELEMENTS(mixed);
    queue.per_day = 4000.0;
    queue.preemptible_after_s = 20.0;
    queue.lifetime_s = 300.0;
    queue.restart_s = 2.0;
    queue.restart_failure = 0.1;
    queue.most_requeues = 5;
    queue.shared_leaf = 0.07;
    queue.estimate = 1.5;
    queue.faults.classes = &fault;
    queue.faults.count = 1;
    queue.repair = (StratSpread)WORK(100);
    return queue;
}

static StratQueueTally tally_of(const StratQueue *queue)
{
    StratQueueTally tally = {
        .waits = g_array_new(FALSE, FALSE, sizeof(double)),
        .slowdowns = g_array_new(FALSE, FALSE, sizeof(double)),
        .classes = g_new0(struct StratQueueClassTally, queue->class_count),
    };
    strat_queue_once(queue, 0, NULL, NULL, &tally);
    g_array_unref(tally.waits);
    g_array_unref(tally.slowdowns);
    g_free(tally.classes);
    return tally;
}

Test(strat_queue_naive, the_account_closes_exactly_and_jobs_are_conserved)
{
    size_t policy_count = 0, placement_count = 0;
    const StratQueuePolicy *policy = strat_queue_policy_all(&policy_count);
    const StratQueuePlacement *placement = strat_queue_placement_all(&placement_count);
    for (size_t p = 0; p < policy_count * placement_count; p++) {
        StratQueue queue = busy(policy[p % policy_count].name, placement[p / policy_count].name);
        StratQueueTally t = tally_of(&queue);
        StratNodeTime sum = 0;
        for (int b = 0; b < STRAT_QUEUE_SPENT_COUNT; b++) {
            cr_expect(t.spent[b] >= 0, "%s", strat_queue_spent_key((StratQueueSpent)b));
            sum += t.spent[b];
        }
        cr_expect(sum == (StratNodeTime)NODES * 20000 * S, "%s", queue.policy->name);
        cr_expect(eq(i64, t.arrived,
                     t.waiting + t.running + t.ended[STRAT_QUEUE_COMPLETED] +
                         t.ended[STRAT_QUEUE_FAILED] + t.ended[STRAT_QUEUE_TIMEOUT] +
                         t.ended[STRAT_QUEUE_NODE_FAIL]));
        cr_expect(gt(i64, t.ended[STRAT_QUEUE_REQUEUED], 50));
        cr_expect(eq(int, t.ended[STRAT_QUEUE_PREEMPTED] > 0, queue.policy->preempts));
        cr_expect(eq(int, t.spent[STRAT_QUEUE_LOST_SECONDARY] > 0, queue.policy->preempts));
    }
}

Test(strat_queue_naive, without_failures_and_preemption_no_work_is_lost)
{
    StratQueueClass sound[G_N_ELEMENTS(mixed)];
    memcpy(sound, mixed, sizeof mixed);
    for (size_t i = 0; i < G_N_ELEMENTS(mixed); i++)
        sound[i].fail_fraction = sound[i].crash_fraction = 0.0;
    StratQueue queue = busy("easy-backfill", "packed");
    queue.classes = sound;
    queue.faults.count = 0;
    queue.lifetime_s = 0.0;
    StratQueueTally t = tally_of(&queue);
    for (int b = STRAT_QUEUE_RESTART; b <= STRAT_QUEUE_REPAIR; b++)
        cr_expect(t.spent[b] == 0, "%s", strat_queue_spent_key((StratQueueSpent)b));
    cr_expect(gt(i64, t.ended[STRAT_QUEUE_COMPLETED], 500));
}

Test(strat_queue_naive, threads_change_nothing)
{
    StratQueue queue = busy("priority-backfill", "packed");
    queue.replications = 6;
    SimFarm single = sim_farm_threads(1), crew = sim_farm_threads(3);
    queue.farm = &single;
    g_autoptr(StratQueueResult) alone = strat_queue_run(&queue, NULL, NULL);
    queue.farm = &crew;
    g_autoptr(StratQueueResult) many = strat_queue_run(&queue, NULL, NULL);
    cr_expect(memcmp(alone->spent, many->spent, sizeof alone->spent) == 0);
    cr_expect(memcmp(alone->runs, many->runs, sizeof alone->runs) == 0);
    cr_expect(memcmp(alone->wait_s, many->wait_s, sizeof alone->wait_s) == 0);
    cr_expect(memcmp(alone->classes, many->classes, sizeof *alone->classes * 3) == 0);
}

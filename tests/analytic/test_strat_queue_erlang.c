/* M/M/c: jobs of one node, Poisson arrivals, exponential work. The mean wait is
 *
 *     C / (c / w - l),  C = B / (1 - (1 - B) l w / c),  B = Erlang's loss by B_k = a B / (k + a B)
 *
 * with l arrivals a second, w the mean work, a = l w (Erlang 1917). Tolerance: three standard
 * errors over the replications; they start empty, which over 5,000 hours of jobs of one hour is
 * less. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "toy_queue.h"

static double erlang_wait_s(int64_t nodes, double per_s, double work_s)
{
    double load = per_s * work_s, lost = 1.0;
    for (int64_t k = 1; k <= nodes; k++)
        lost = load * lost / ((double)k + load * lost);
    double waits = lost / (1.0 - (1.0 - lost) * load / (double)nodes);
    return waits / ((double)nodes / work_s - per_s);
}

static const struct {
    int64_t nodes;
    double per_day;
} cases[] = {
    {1,  12.0 }, /* M/M/1 at 0.5: the mean wait is the mean work */
    {4,  76.8 },
    {20, 432.0},
};

Test(strat_queue_erlang, waits_of_jobs_of_one_node_are_those_of_erlang)
{
    const StratQueueClass one = {
        .name = "job",
        .nodes = 1,
        .share = 1.0,
        .work = {STRAT_SPREAD_EXPONENTIAL, .mean_s = 3600.0},
    };
    cr_assert(epsilon_eq(dbl, erlang_wait_s(1, 12.0 / 86400.0, 3600.0), 3600.0, 1e-6));
    const char *policies[] = {"fifo", "easy-backfill", "conservative-backfill"};
    for (size_t i = 0; i < G_N_ELEMENTS(cases) * G_N_ELEMENTS(policies); i++) {
        size_t c = i % G_N_ELEMENTS(cases);
        StratQueue queue =
            toy_queue(cases[c].nodes, policies[i / G_N_ELEMENTS(cases)], 5000.0 * 3600.0);
        queue.replications = 40;
        queue.classes = &one;
        queue.class_count = 1;
        queue.per_day = cases[c].per_day;
        queue.depth = 20;
        g_autoptr(StratQueueResult) r = strat_queue_run(&queue, NULL, NULL);
        double want_s = erlang_wait_s(cases[c].nodes, cases[c].per_day / 86400.0, 3600.0);
        double error_s = (r->wait_mean_s.high - r->wait_mean_s.mean) / 1.6448536269514722;
        cr_expect(epsilon_eq(dbl, r->wait_mean_s.mean, want_s, 3.0 * error_s), "%s, %d nodes",
                  queue.policy->name, (int)cases[c].nodes);
        cr_expect(lt(dbl, error_s, 0.05 * want_s), "too few to tell");
        double load = cases[c].per_day / 24.0 / (double)cases[c].nodes;
        cr_expect(epsilon_eq(dbl, r->utilisation.mean, load, 0.01));
    }
}

/* Workers and servers as events, against laws that hold of any of them.
 *
 * Staleness: while nobody waits, a gradient of every worker is always under way, so that the
 * updates by others in a cycle of a worker are its staleness: N - 1 on average whatever the times
 * are, and always for alike workers.
 *
 * Throughput: computing is a delay, both directions of the servers are shared evenly (processor
 * sharing), which makes a closed network with a product form for any distribution of times (Baskett
 * 1975). Mean value analysis (Reiser 1980), with D = M / (S b) a direction:
 *
 *   R(n) = D (1 + Q(n - 1)),  X(n) = n / (T + 2 R(n)),  Q(n) = X(n) R(n)
 *
 * Synchronous and alike: cycle = T + 2 N D. A bound s: nobody begins more than s steps ahead (Ho
 * 2013, SSP). */
#include "strat_push.h"

#include <criterion/criterion.h>
#include <math.h>

static StratPushRun run_of(int64_t workers, double variation, int64_t staleness)
{
    return (StratPushRun){
        .served = {.workers = workers,
                   .bytes = 1e9,
                   .worker_bytes_per_s = 1e11,
                   .server_bytes_per_s = 1e11},
        .compute_s = 0.1,
        .variation = variation,
        .staleness = staleness,
        .updates = 2000,
        .seed = 1,
    };
}

static double mean_value_analysis(const StratPushRun *run)
{
    double demand = run->served.bytes / run->served.server_bytes_per_s, queue = 0.0, rate = 0.0;
    for (int64_t n = 1; n <= run->served.workers; n++) {
        double residence = demand * (1.0 + queue);
        rate = (double)n / (run->compute_s + 2.0 * residence);
        queue = rate * residence;
    }
    return rate;
}

Test(param_servers, alike_workers_are_n_minus_1_stale)
{
    for (int64_t workers = 2; workers <= 16; workers *= 2) {
        StratPushRun run = run_of(workers, 0.0, -1);
        run.updates = 100;
        StratPushResult got = strat_push_run(&run);
        cr_expect_float_eq(got.staleness_mean, (double)(workers - 1), 1e-9);
        cr_expect_eq(got.staleness[0], workers - 1);
        cr_expect_eq(got.staleness_most, workers - 1);
    }
}

Test(param_servers, mean_staleness_is_n_minus_1_for_random_workers)
{
    static const double variations[] = {0.1, 0.5, 1.0};
    for (size_t i = 0; i < G_N_ELEMENTS(variations); i++) {
        StratPushRun run = run_of(8, variations[i], -1);
        StratPushResult got = strat_push_run(&run);
        cr_expect(fabs(got.staleness_mean / 7.0 - 1.0) < 0.01, "variation %g: %g updates",
                  variations[i], got.staleness_mean);
        cr_expect(got.staleness[0] < 7 && got.staleness_most > 7);
        cr_expect_float_eq(got.wait_s, 0.0, 1e-15);
    }
}

Test(param_servers, throughput_is_that_of_mean_value_analysis)
{
    static const int64_t workers[] = {1, 4, 10, 20};
    for (size_t i = 0; i < G_N_ELEMENTS(workers); i++) {
        StratPushRun run = run_of(workers[i], 1.0, -1);
        StratPushResult got = strat_push_run(&run);
        double want = mean_value_analysis(&run);
        cr_expect(fabs(got.updates_per_s / want - 1.0) < 0.02, "%d workers: %g/s, not %g/s",
                  (int)workers[i], got.updates_per_s, want);
        double limit = run.served.server_bytes_per_s / run.served.bytes;
        cr_expect(got.updates_per_s < limit * (1.0 + 1e-9));
    }
}

Test(param_servers, synchronous_alike_workers_take_t_and_2nd)
{
    for (int64_t workers = 1; workers <= 32; workers *= 2) {
        StratPushRun run = run_of(workers, 0.0, 0);
        run.updates = 50;
        StratPushResult got = strat_push_run(&run);
        double want = 0.1 + strat_push_sync_s(&run.served);
        cr_expect(fabs(got.cycle_s / want - 1.0) < 0.03, "%d: %.9g s, not %.9g", (int)workers,
                  got.cycle_s, want);
        cr_expect_float_eq(got.staleness_mean, 0.0, 1e-15);
        cr_expect_eq(got.lead_most, 0);
    }
}

Test(param_servers, a_bound_is_kept_and_costs_throughput)
{
    static const int64_t bounds[] = {0, 1, 3, 10};
    double last = 0.0;
    for (size_t i = 0; i < G_N_ELEMENTS(bounds); i++) {
        StratPushRun run = run_of(8, 1.0, bounds[i]);
        StratPushResult got = strat_push_run(&run);
        cr_expect_eq(got.lead_most, bounds[i], "bound %d: %d ahead", (int)bounds[i],
                     (int)got.lead_most);
        /* From pull to push one may miss what others did from s steps behind to s ahead. */
        cr_expect_leq(got.staleness_most, 7 * (2 * bounds[i] + 1));
        cr_expect_gt(got.updates_per_s, last);
        cr_expect_gt(got.wait_s, 0.0);
        last = got.updates_per_s;
    }
    StratPushRun free_run = run_of(8, 1.0, -1);
    cr_expect_geq(strat_push_run(&free_run).updates_per_s, last * 0.999);
}

Test(param_servers, the_same_seed_gives_the_same_run)
{
    StratPushRun run = run_of(8, 0.5, 2);
    StratPushResult one = strat_push_run(&run), two = strat_push_run(&run);
    cr_expect_eq(one.cycle_s, two.cycle_s);
    run.seed = 2;
    cr_expect_neq(one.cycle_s, strat_push_run(&run).cycle_s);
}

Test(param_servers, shared_ports_carry_both_directions)
{
    StratPushRun run = run_of(20, 0.5, -1);
    double apart = strat_push_run(&run).updates_per_s;
    run.served.shares_ports = true;
    double shared = strat_push_run(&run).updates_per_s;
    /* 20 workers keep a port busy: each update takes 2 D of the one that is shared. */
    cr_expect(fabs(shared / 50.0 - 1.0) < 0.01, "%g updates/s", shared);
    cr_expect_gt(apart, 1.5 * shared);
}

/*
 * Jobs a second of a queue at the scale of RSC-1: 2,000 nodes, 7,200 jobs a day, a mean of 2.9
 * nodes (size mix below), nodes that fail as those of RSC-1 and are a day in repair. For each
 * policy, 11 months; conservative backfill, whose reservations are moved at each early end, one.
 *
 * Prints one line each and fails nothing. With --quick, a hundredth of the time.
 */
#include "toy_queue.h"

#include <stdio.h>
#include <string.h>

#define HOURS(h)                                                                                   \
    {                                                                                              \
        STRAT_SPREAD_LOGNORMAL, .mean_s = (h)*3600.0, .cv = 2.0                                    \
    }

/* clang-format off */
static const StratQueueClass classes[] = {
    {.name = "1 node", .nodes = 1, .share = 0.90, .work = HOURS(2), .checkpoint_s = 3600.0},
    {.name = "4 nodes", .nodes = 4, .share = 0.07, .work = HOURS(4), .checkpoint_s = 3600.0, .priority = 1},
    {.name = "32 nodes", .nodes = 32, .share = 0.027, .work = HOURS(2), .checkpoint_s = 3600.0, .priority = 2},
    {.name = "256 nodes", .nodes = 256, .share = 0.003, .work = HOURS(1.5), .checkpoint_s = 3600.0, .priority = 3},
};
/* clang-format on */

static const StratFaultClass fault = {.name = "node",
                                      .unit = STRAT_FAULT_NODE,
                                      .effect = STRAT_FAULT_STOP,
                                      .per_unit_s = 0.0065 / 86400.0,
                                      .shape = 1.0,
                                      .swap_fraction = 1.0};

int main(int argc, char **argv)
{
    double scale = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 0.01 : 1.0;
    size_t count = 0;
    const StratQueuePolicy *policies = strat_queue_policy_all(&count);
    for (size_t i = 0; i < count; i++) {
        bool reserves = strcmp(policies[i].name, "conservative-backfill") == 0;
        StratQueue queue =
            toy_queue(2000, policies[i].name, 86400.0 * scale * (reserves ? 30.0 : 335.0));
        queue.nodes_per_leaf = 16;
        queue.classes = classes;
        queue.class_count = G_N_ELEMENTS(classes);
        queue.per_day = 7200.0;
        queue.depth = 100;
        queue.preemptible_after_s = 7200.0;
        queue.lifetime_s = 7 * 86400.0;
        queue.restart_s = 300.0;
        queue.faults.classes = &fault;
        queue.faults.count = 1;
        queue.repair = (StratSpread){STRAT_SPREAD_EXPONENTIAL, .mean_s = 86400.0};
        gint64 start = g_get_monotonic_time();
        g_autoptr(StratQueueResult) r = strat_queue_run(&queue, NULL, NULL);
        double seconds = (double)(g_get_monotonic_time() - start) * 1e-6;
        printf("%-22s %8.0f jobs in %6.2f s: %8.0f jobs/s, utilisation %.3f, waiting %.0f\n",
               policies[i].name, r->arrived, seconds, r->arrived / seconds, r->utilisation.mean,
               r->waiting);
    }
    return 0;
}

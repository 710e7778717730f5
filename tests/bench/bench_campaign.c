/*
 * Campaigns a second, each with eighteen classes of faults:
 *
 *   month   54 days of 16,384 GPUs, 1,000 replications
 *   year    a year of 131,072 GPUs, 100 replications
 *   all     the month with every effect, nodes that differ, rates that change, and detection with
 *           its mistakes, a fleet that is slower by day
 *
 * Prints one line each and fails nothing. With --quick, a hundredth of the replications.
 */
#include "toy_campaign.h"

#include <stdio.h>
#include <string.h>

enum { CLASSES = 18 };

/* Every effect, and everything else that a campaign may have. */
static void add_all(StratCampaign *c, StratFaultClass *classes)
{
    static const StratFaultIncident incidents[] = {
        {"class 4", 20 * 86400.0, 25 * 86400.0, 5.0}
    };
    static const StratFaultCycle cycles[] = {
        {86400.0, 43200.0, 0.2}
    };
    for (int e = 0; e < STRAT_FAULT_EFFECTS; e++) {
        classes[e].effect = (StratFaultEffect)e;
        classes[e].lasts = (StratSpread){STRAT_SPREAD_LOGNORMAL, .mean_s = 600.0, .cv = 2.0};
        classes[e].found_after = (StratSpread){STRAT_SPREAD_EXPONENTIAL, .mean_s = 3600.0};
        classes[e].clock_fraction = 0.8;
        classes[e].nic_lost_fraction = e == STRAT_FAULT_DEGRADE ? 0.5 : 0.0;
    }
    c->faults.incidents = incidents;
    c->faults.incident_count = G_N_ELEMENTS(incidents);
    c->faults.cycles = cycles;
    c->faults.cycle_count = G_N_ELEMENTS(cycles);
    c->faults.node_shape = 0.2;
    c->recovery.failover = strat_failover_by_name("dual-tor", NULL);
    c->swing = (StratCampaignSwing){0.015, 86400.0, 0.0};
    c->detection = (StratDetection){
        .heartbeat_s = 10.0,
        .misses = 3,
        .health_check_s = 300.0,
        .timeout_s = 600.0,
        .recall = 0.883,
        .slow_threshold = 1.05,
        .slow_window_s = 240.0,
        .wrong_node = 0.1,
        .over_evicted = 1,
        .restart_failure = 0.1,
        .backoff_s = 30.0,
        .most_restarts = 5,
        .manual = {STRAT_SPREAD_EXPONENTIAL, .mean_s = 1800.0},
    };
}

static void report(const char *name, int64_t gpus, double days, int64_t replications, bool has_all)
{
    StratFaultClass classes[CLASSES];
    char names[CLASSES][16];
    StratCampaign c = toy_campaign(&classes[0], gpus, 0.0065 / CLASSES, days, 1800.0, 300.0);
    for (int i = 0; i < CLASSES; i++) {
        g_snprintf(names[i], sizeof names[i], "class %d", i);
        classes[i] = classes[0];
        classes[i].name = names[i];
    }
    classes[1].effect = STRAT_FAULT_FLAP;
    classes[1].per_unit_s *= CLASSES;
    classes[1].lasts = (StratSpread){STRAT_SPREAD_LOGNORMAL, .mean_s = 5.0, .cv = 2.0};
    classes[2].effect = STRAT_FAULT_SLOW;
    classes[2].clock_fraction = 0.8;
    classes[2].lasts = (StratSpread){STRAT_SPREAD_LOGNORMAL, .mean_s = 3600.0, .cv = 2.0};
    c.faults.classes = classes;
    c.faults.count = CLASSES;
    c.recovery.flap_s = 30.0;
    c.spares = (StratCampaignSpares){
        .nodes = 64, .repair = {STRAT_SPREAD_LOGNORMAL, .mean_s = 36000.0, .cv = 1.0}
    };
    c.replications = replications;
    if (has_all)
        add_all(&c, classes);
    gint64 start = g_get_monotonic_time();
    g_autoptr(StratCampaignResult) r = strat_campaign_run(&c);
    double took_s = (double)(g_get_monotonic_time() - start) * 1e-6;
    printf("%-6s %4d replications in %7.3f s, %.0f stops each, ETTR %.3f\n", name,
           (int)replications, took_s, r->unplanned.mean, r->ettr.mean);
}

int main(int argc, char **argv)
{
    int64_t divisor = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 100 : 1;
    report("month", 16384, 54.0, 1000 / divisor, false);
    report("year", 131072, 365.0, 100 / divisor, false);
    report("all", 16384, 54.0, 1000 / divisor, true);
    return 0;
}

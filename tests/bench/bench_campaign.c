/*
 * Campaigns a second, each with eighteen classes of faults:
 *
 *   month   54 days of 16,384 GPUs, 1,000 replications
 *   year    a year of 131,072 GPUs, 100 replications
 *
 * Prints one line each and fails nothing. With --quick, a hundredth of the replications.
 */
#include "toy_campaign.h"

#include <stdio.h>
#include <string.h>

enum { CLASSES = 18 };

static void report(const char *name, int64_t gpus, double days, int64_t replications)
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
    gint64 start = g_get_monotonic_time();
    g_autoptr(StratCampaignResult) r = strat_campaign_run(&c);
    double took_s = (double)(g_get_monotonic_time() - start) * 1e-6;
    printf("%-6s %4d replications in %7.3f s, %.0f stops each, ETTR %.3f\n", name,
           (int)replications, took_s, r->unplanned.mean, r->ettr.mean);
}

int main(int argc, char **argv)
{
    int64_t divisor = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 100 : 1;
    report("month", 16384, 54.0, 1000 / divisor);
    report("year", 131072, 365.0, 100 / divisor);
    return 0;
}

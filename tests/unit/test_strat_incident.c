/* The record of one history against its ledger, and its order. */
#include "toy_campaign.h"

#include <criterion/criterion.h>

#include <math.h>

static double sum_of(const GArray *incidents, StratLost bucket)
{
    double sum_s = 0.0;
    for (guint i = 0; i < incidents->len; i++)
        sum_s += sim_time_to_seconds(g_array_index(incidents, StratIncident, i).span[bucket]);
    return sum_s;
}

/* Failures so frequent that many strike during recoveries, so that incidents interrupt each other.
 */
Test(strat_incident, the_spans_of_all_incidents_sum_to_the_ledger)
{
    StratFaultClass faults;
    StratCampaign c = toy_campaign(&faults, 80, 12.0, 20.0, 600.0, 300.0);
    c.replications = 1;
    c.recovery.stop_detection.mean_s = 60.0;
    c.spares = (StratCampaignSpares){.nodes = 1, .repair = {.mean_s = 900.0}};
    g_autoptr(StratCampaignResult) r = strat_campaign_run(&c);
    static const StratLost buckets[] = {STRAT_LOST_DETECTION, STRAT_LOST_WAIT, STRAT_LOST_RESTART,
                                        STRAT_LOST_REWORK};
    cr_assert_eq((double)r->incidents->len, r->unplanned.mean);
    cr_assert(r->incidents->len > 1000, "%u", r->incidents->len);
    for (size_t i = 0; i < G_N_ELEMENTS(buckets); i++) {
        double want = r->lost[buckets[i]].mean * r->duration_s;
        cr_expect(want > 0.0, "nothing in %s", strat_lost_key(buckets[i]));
        cr_expect_float_eq(sum_of(r->incidents, buckets[i]), want, 1e-3, "%s: %g s, not %g",
                           strat_lost_key(buckets[i]), sum_of(r->incidents, buckets[i]), want);
    }
}

Test(strat_incident, an_incident_alone_has_the_times_of_its_recovery)
{
    StratFaultClass faults;
    StratCampaign c = toy_campaign(&faults, 8, 0.0, 1.0, 600.0, 300.0);
    const StratFaultRecord record = {.at_s = 1000.0, .class_index = 0, .node = 0};
    c.faults.records = &record;
    c.faults.record_count = 1;
    c.replications = 3;
    c.recovery.stop_detection.mean_s = 60.0;
    g_autoptr(StratCampaignResult) r = strat_campaign_run(&c);
    cr_assert_eq(r->incidents->len, 1);
    const StratIncident *incident = &g_array_index(r->incidents, StratIncident, 0);
    cr_expect_float_eq(sim_time_to_seconds(incident->at), 1000.0, 1e-9);
    cr_expect_float_eq(sim_time_to_seconds(strat_incident_detected_at(incident)), 1060.0, 1e-9);
    cr_expect_float_eq(sim_time_to_seconds(incident->running_at), 1360.0, 1e-9);
    /* The checkpoint at 600 s is safe, so 400 s are done again. */
    cr_expect_float_eq(sim_time_to_seconds(incident->span[STRAT_LOST_REWORK]), 400.0, 1e-9);
    cr_expect_float_eq(sim_time_to_seconds(strat_incident_lost(incident)), 760.0, 1e-9);
}

Test(strat_incident, the_dearest_come_first)
{
    g_autoptr(GArray) incidents = g_array_new(FALSE, TRUE, sizeof(StratIncident));
    static const SimTime lost[] = {5, 9, 0, 9, 1};
    for (size_t i = 0; i < G_N_ELEMENTS(lost); i++) {
        StratIncident incident = {.span[STRAT_LOST_WAIT] = lost[i]};
        g_array_append_val(incidents, incident);
    }
    g_autoptr(GArray) worst = strat_incident_worst(incidents, 3);
    cr_assert_eq(worst->len, 3);
    cr_expect_eq(g_array_index(worst, guint, 0), 1);
    cr_expect_eq(g_array_index(worst, guint, 1), 3);
    cr_expect_eq(g_array_index(worst, guint, 2), 0);
}

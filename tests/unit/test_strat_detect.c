/* Detection: times of notice from periods and thresholds, and what mistakes cost. Means of n draws
 * are held to three standard errors. */
#include "strat_once.h"
#include "toy_campaign.h"

#include <criterion/criterion.h>

#include <math.h>

enum { DRAWS = 20000 };

/* Mean of strat_detect_s over many faults; the least and the most in @range. */
static double mean_notice(const StratDetection *d, bool hangs, double range[2])
{
    StratSpread given = {STRAT_SPREAD_FIXED, .mean_s = 7777.0};
    SimRandom stream = sim_random_stream(1, "faults");
    double sum = 0.0;
    range[0] = INFINITY;
    range[1] = 0.0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        StratFault fault = {.draws = sim_random_child(&stream, i)};
        double s = strat_detect_s(d, &given, &fault, hangs);
        sum += s / DRAWS;
        range[0] = fmin(range[0], s);
        range[1] = fmax(range[1], s);
    }
    return sum;
}

/* A uniform of width w has the deviation w / sqrt(12). */
static double slack(double width)
{
    return 3.0 * width / sqrt(12.0 * DRAWS);
}

Test(detect, a_heartbeat_tells_a_death_after_its_misses_less_half_a_period)
{
    StratDetection d = {.heartbeat_s = 10.0, .misses = 3, .recall = 1.0};
    double range[2], mean = mean_notice(&d, false, range);
    cr_expect_float_eq(mean, 25.0, slack(10.0), "%g", mean);
    cr_expect(range[0] > 20.0 && range[1] <= 30.0);
    cr_expect_float_eq(mean_notice(&d, true, range), 7777.0, 1e-6); /* what hangs still beats */
}

Test(detect, a_health_check_tells_after_half_a_period)
{
    StratDetection d = {.health_check_s = 300.0, .recall = 1.0}; /* RSC */
    double range[2];
    cr_expect_float_eq(mean_notice(&d, false, range), 150.0, slack(300.0));
    cr_expect(range[0] > 0.0 && range[1] <= 300.0);
    cr_expect_float_eq(mean_notice(&d, true, range), 150.0, slack(300.0));
}

Test(detect, what_shows_nowhere_waits_for_the_timeout)
{
    StratDetection d = {.health_check_s = 300.0, .timeout_s = 600.0, .recall = 0.883};
    double range[2], got = mean_notice(&d, true, range);
    double want = 0.883 * 150.0 + 0.117 * 600.0;
    cr_expect_float_eq(got, want,
                       3.0 * sqrt((0.883 * 300 * 300 / 12 + 0.117 * 0.883 * 450 * 450) / DRAWS),
                       "%g, not %g", got, want);
    cr_expect(range[1] == 600.0);
    d.timeout_s = 100.0; /* the first of both: the check comes sooner in a third of the cases */
    want = 0.883 * (100.0 * 2.0 / 3.0 + 50.0 / 3.0) + 0.117 * 100.0;
    got = mean_notice(&d, true, range);
    cr_expect_float_eq(got, want, slack(100.0), "%g, not %g", got, want);
}

Test(detect, without_means_the_given_times_hold)
{
    StratDetection d = {.recall = 1.0};
    double range[2];
    cr_expect_float_eq(mean_notice(&d, false, range), 7777.0, 1e-6);
}

/* Real faults of a day for 100 days on one node, at no cost in time, so that each is alone. */
static StratCampaign mistaken(StratFaultClass *c)
{
    StratCampaign campaign = toy_campaign(c, 8, 1.0, 1000.0, 3600.0, 1.0);
    campaign.replications = 40;
    return campaign;
}

Test(detect, a_wrong_node_or_a_failed_restart_makes_a_geometric_number_of_stops)
{
    static const struct {
        double wrong, failure, want;
    } rows[] = {
        {0.0, 0.0, 1.0                    },
        {0.5, 0.0, 2.0                    },
        {0.0, 0.2, 1.25                   },
        {0.5, 0.2, 1.0 / (0.5 * (1 - 0.2))}, /* it ends with a good restart of the right node */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        StratFaultClass c;
        StratCampaign campaign = mistaken(&c);
        campaign.detection.wrong_node = rows[i].wrong;
        campaign.detection.restart_failure = rows[i].failure;
        g_autoptr(StratCampaignResult) r = strat_campaign_run(&campaign);
        /* 40,000 faults, each with up to a variance of want^2 besides its own. */
        double want = 1000.0 * rows[i].want;
        cr_expect_float_eq(r->unplanned.mean, want, 3.0 * want * sqrt(2.0 / 40000.0), "%g, not %g",
                           r->unplanned.mean, want);
    }
}

Test(detect, a_node_without_fault_to_take_away_cannot_be_the_wrong_one)
{
    StratFaultClass c;
    StratCampaign campaign = mistaken(&c);
    campaign.detection.wrong_node = 0.9;
    c.swap_fraction = 0.0;
    g_autoptr(StratCampaignResult) r = strat_campaign_run(&campaign);
    cr_expect_float_eq(r->unplanned.mean, 1000.0, 3.0 * sqrt(1000.0 / 40.0), "%g",
                       r->unplanned.mean);
}

/* One fault; nearly every restart fails, so the first comes, and three again, then a person does.
 */
Test(detect, a_crash_loop_backs_off_until_a_person_looks)
{
    static const StratFaultRecord once[] = {
        {50000.5, 0, 0}
    };
    StratFaultClass c;
    StratCampaign campaign = toy_campaign(&c, 8, 0.0, 1.0, 1e6, 100.0);
    campaign.replications = 1;
    campaign.faults.records = once;
    campaign.faults.record_count = 1;
    campaign.detection = (StratDetection){
        .heartbeat_s = 0.0,
        .restart_failure = 1.0 - 1e-9,
        .backoff_s = 30.0,
        .most_restarts = 3,
        .manual = {STRAT_SPREAD_FIXED, .mean_s = 1800.0},
    };
    g_autoptr(StratCampaignResult) r = strat_campaign_run(&campaign);
    cr_expect(r->unplanned.mean == 4.0, "%g", r->unplanned.mean);
    double day_s = 86400.0;
    cr_expect_float_eq(r->lost[STRAT_LOST_WAIT].mean * day_s, 30.0 + 60.0 + 1800.0, 1e-6, "%g",
                       r->lost[STRAT_LOST_WAIT].mean * day_s);
    cr_expect_float_eq(r->lost[STRAT_LOST_RESTART].mean * day_s, 400.0, 1e-6);
    cr_expect_float_eq(r->lost[STRAT_LOST_REWORK].mean * day_s, 50000.5, 1e-6);
}

/* Seven healthy nodes go with each bad one: the pool of eight empties at once, and the second
 * fault, an hour later, waits for the first repair, unless healthy nodes are back after their
 * check. */
Test(detect, nodes_that_are_evicted_for_nothing_leave_the_pool_empty)
{
    static const StratFaultRecord twice[] = {
        {10000.0, 0, 0},
        {13600.0, 0, 1}
    };
    for (int checked = 0; checked < 2; checked++) {
        StratFaultClass c;
        StratCampaign campaign = toy_campaign(&c, 1024, 0.0, 1.0, 1e6, 100.0);
        campaign.replications = 1;
        campaign.faults.records = twice;
        campaign.faults.record_count = 2;
        campaign.detection.over_evicted = 7;
        campaign.spares = (StratCampaignSpares){
            .nodes = 8, .repair = {.mean_s = 20000.0}, .check = {.mean_s = checked ? 1800.0 : 2e4}};
        g_autoptr(StratCampaignResult) r = strat_campaign_run(&campaign);
        /* Back by repair at 30,000 s; or one short, until seven of the second come from their check
         * at 15,400 s. */
        double want = checked ? 1800.0 : 16400.0;
        cr_expect_float_eq(r->lost[STRAT_LOST_WAIT].mean * 86400.0, want, 1e-6, "%g",
                           r->lost[STRAT_LOST_WAIT].mean * 86400.0);
    }
}

/* A GPU at 0.8 makes steps 1.25 times as long. */
static double noticed(double threshold, double window_s, double recall, double lasts_s)
{
    StratFaultClass c;
    StratCampaign campaign = toy_campaign(&c, 8, 1.0, 1000.0, 3600.0, 0.0);
    c.effect = STRAT_FAULT_SLOW;
    c.clock_fraction = 0.8;
    c.lasts = (StratSpread){STRAT_SPREAD_FIXED, .mean_s = lasts_s};
    campaign.replications = 40;
    campaign.detection =
        (StratDetection){.slow_threshold = threshold, .slow_window_s = window_s, .recall = recall};
    g_autoptr(StratCampaignResult) r = strat_campaign_run(&campaign);
    return r->noticed / 1000.0;
}

Test(detect, slow_steps_are_noticed_above_their_threshold_and_after_their_window)
{
    double slack_all = 3.0 / sqrt(40000.0);
    cr_expect_float_eq(noticed(1.2, 240.0, 1.0, 600.0), 1.0, slack_all);
    cr_expect(noticed(1.3, 240.0, 1.0, 600.0) == 0.0);
    cr_expect(noticed(1.2, 600.0, 1.0, 600.0) == 0.0);
    cr_expect_float_eq(noticed(1.2, 240.0, 0.883, 600.0), 0.883, slack_all);
    cr_expect(noticed(0.0, 240.0, 1.0, 600.0) == 0.0);
}

/* SKT's B200 cluster: 0.84 false alarms a day (arXiv 2605.09370). */
Test(detect, false_alarms_stop_a_sound_job)
{
    StratFaultClass c;
    StratCampaign campaign = toy_campaign(&c, 504, 0.0, 55.0, 3600.0, 600.0);
    c.effect = STRAT_FAULT_ALARM;
    c.per_job_s = 0.84 / 86400.0;
    campaign.recovery.stop_detection.mean_s = 1000.0;
    g_autoptr(StratCampaignResult) r = strat_campaign_run(&campaign);
    double want = 0.84 * 55.0;
    cr_expect_float_eq(r->unplanned.mean, want, 3.0 * sqrt(want / 200.0), "%g", r->unplanned.mean);
    cr_expect(r->lost[STRAT_LOST_DETECTION].mean == 0.0);
    cr_expect_float_eq(r->lost[STRAT_LOST_RESTART].mean * 55.0 * 86400.0 / r->unplanned.mean, 600.0,
                       15.0);
}

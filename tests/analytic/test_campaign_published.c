/* Published outcomes of real fleets that need no more than rates, intervals and recoveries. Each
 * row has the name of its row in the collection of published failures; `derived` are answers of
 * somebody else's Monte Carlo to the very same question. Where a source gives a bound, the row is
 * one. */
#include "toy_campaign.h"

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

typedef enum Kind {
    EQUALS,
    AT_LEAST,
} Kind;

/* clang-format off */
static const struct {
    const char *id;
    int64_t gpus;
    double per_node_day, days, interval_s, block_s, recovery_s;
    Kind kind;
    double want, tolerance;
} rows[] = {
    /* 466 interruptions in 54 days; ten minutes lost each, and half of an interval. */
    {"llama3_effective_time, derived", 16384, 466.0 / 2048 / 54, 54, 900, 0, 600, EQUALS, 0.901, 0.005},
    {"llama3_effective_time, derived", 16384, 466.0 / 2048 / 54, 54, 600, 0, 600, EQUALS, 0.914, 0.005},
    {"llama3_effective_time, derived", 16384, 466.0 / 2048 / 54, 54, 1800, 0, 600, EQUALS, 0.860, 0.005},
    {"rsc_ettr_16k, derived", 16000, 0.0065, 30, 3600, 0, 300, EQUALS, 0.722, 0.01},
    {"rsc_ettr_16k", 16000, 0.0065, 30, 3600, 0, 300, EQUALS, 0.70, 0.03},
    {"rsc_ettr_16k", 16000, 0.0065, 30, 300, 0, 300, EQUALS, 0.93, 0.03},
    {"rsc_ettr_8k", 8000, 0.0065, 30, 1800, 0, 360, EQUALS, 0.90, 0.02}, /* a minute of queue */
    {"rsc_ettr_measured", 2048, 0.0065, 30, 3600, 0, 300, AT_LEAST, 0.9, 0},
    {"rsc_ettr_measured, derived", 2048, 0.0065, 30, 3600, 0, 300, EQUALS, 0.96, 0.005},
    {"rsc_ettr_measured", 4096, 0.0065, 30, 3600, 0, 300, AT_LEAST, 0.9, 0},
    {"rsc_ettr_measured, derived", 4096, 0.0065, 30, 3600, 0, 300, EQUALS, 0.922, 0.005},
    {"rsc_ettr_100k", 100000, 0.00234, 30, 120, 0, 120, AT_LEAST, 0.9, 0},
    {"rsc_ettr_100k, derived", 100000, 0.00234, 30, 120, 0, 120, EQUALS, 0.941, 0.005},
    /* At the rate of Llama 3, nine minutes a failure are the 0.97 of ByteRobust. */
    {"byterobust_ettr, derived", 9600, 0.00379, 90, 1, 0, 540, EQUALS, 0.97, 0.01},
    /* A GPU a week on 48 nodes, a blocking save of 40 s every 100 steps of 105 s; half an hour to be
     * back is assumed. */
    {"bloom176b, derived", 384, 1.0 / 7 / 48, 105, 10500, 40, 1800, EQUALS, 0.986, 0.005},
    /* A hundred restarts in four weeks; at worst 10 min to find each and 15 min to catch up. */
    {"megascale", 12288, 100.0 / 1536 / 28, 28, 1, 0, 1500, AT_LEAST, 0.9, 0},
};
/* clang-format on */

Test(campaign_published, productive_shares_of_fleets_are_met)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        StratFaultClass faults;
        StratCampaign c = toy_campaign(&faults, rows[i].gpus, rows[i].per_node_day, rows[i].days,
                                       rows[i].interval_s, rows[i].recovery_s);
        c.checkpoint.block_s = c.checkpoint.save_s = rows[i].block_s;
        g_autoptr(StratCampaignResult) r = strat_campaign_run(&c);
        double got = r->ettr.mean, least = rows[i].want - rows[i].tolerance;
        bool is_met =
            got >= least && (rows[i].kind == AT_LEAST || got <= rows[i].want + rows[i].tolerance);
        cr_expect(is_met, "%s: %.4f, not %.4f", rows[i].id, got, rows[i].want);
    }
}

Test(campaign_published, bloom_saved_for_0_37_percent_of_its_time)
{
    StratFaultClass faults;
    StratCampaign c = toy_campaign(&faults, 384, 0.0, 105, 10500.0, 0.0);
    c.checkpoint.block_s = c.checkpoint.save_s = 40.0;
    g_autoptr(StratCampaignResult) r = strat_campaign_run(&c);
    cr_expect_float_eq(r->lost[STRAT_LOST_CHECKPOINT].mean, 0.0037, 0.0002);
}

/* hpn_link: 3,000 GPUs, a link each; 16 nodes under a ToR are assumed, whose crashes hardly count.
 * With two ToRs a NIC loses half of its rate until it is mended (a day is assumed), and no job
 * dies.
 */
Test(campaign_published, hpn_jobs_crash_once_or_twice_a_month_with_single_tors_only)
{
    StratFaultClass classes[2];
    StratCampaign c = toy_campaign(&classes[0], 3000, 0.0, 30.0, 10800.0, 1800.0);
    classes[0].name = "link";
    classes[0].unit = STRAT_FAULT_GPU;
    classes[0].effect = STRAT_FAULT_LINK;
    classes[0].lasts.mean_s = 86400.0;
    classes[0].per_unit_s = 0.00057 / (30.0 * 86400.0);
    classes[1] = classes[0];
    classes[1].name = "ToR";
    classes[1].unit = STRAT_FAULT_LEAF;
    classes[1].per_unit_s = 0.00051 / (30.0 * 86400.0);
    c.faults.classes = classes;
    c.faults.count = 2;
    c.faults.site.nodes_per_leaf = 16;
    c.replications = 2000;
    g_autoptr(StratCampaignResult) r = strat_campaign_run(&c);
    cr_expect(r->unplanned.mean > 1.0 && r->unplanned.mean < 2.0, "%g", r->unplanned.mean);
    double a_month = 1.71 + 24 * 0.00051;
    cr_expect_float_eq(r->unplanned.mean, a_month, 0.1, "%g", r->unplanned.mean);
    c.recovery.failover = strat_failover_by_name("dual-tor", NULL);
    g_autoptr(StratCampaignResult) dual = strat_campaign_run(&c);
    cr_expect(dual->unplanned.mean == 0.0);
    /* Days that overlap count once: busy 1 - e^-x of the time, less what the month's end cuts off,
     * and half of that is lost where a step is all network, as the toy's is. */
    double busy = 1.0 - exp(-a_month / 30.0);
    cr_expect_float_eq(dual->lost[STRAT_LOST_DEGRADED].mean, 0.5 * busy, 0.03 * busy, "%g of %g",
                       dual->lost[STRAT_LOST_DEGRADED].mean, busy);
}

/* rsc_lemon: with 40 nodes of 3,000 that fail 200 times as often, jobs of 512 GPUs fail in 14 % of
 * the cases; without them in 4 %. How long a job runs is not said: so long that the first is met.
 */
Test(campaign_published, rsc_jobs_fail_less_without_lemons)
{
    StratFaultClass faults;
    StratCampaign c = toy_campaign(&faults, 24000, 0.0065, 334.0, 3600.0, 300.0);
    c.replications = 20;
    c.faults.lemon_fraction = 40.0 / 3000.0;
    c.faults.lemon_factor = 200.0;
    c.spares.quarantine = 0;
    g_autoptr(StratCampaignResult) kept = strat_campaign_run(&c);
    c.spares.quarantine = 3;
    g_autoptr(StratCampaignResult) removed = strat_campaign_run(&c);
    double ratio = removed->unplanned.mean / kept->unplanned.mean;
    double fails = 1.0 - pow(1.0 - 0.14, ratio);
    /* 120 failures until the lemons are known are in it, of 6,500. */
    cr_expect_float_eq(fails, 0.04, 0.01, "%g", fails);
}

/* gemini25, sdc: 0.25 % of the steps are computed twice; that is what it costs, and an event
 * each 10.5 days loses a step instead of the hours until somebody knows. */
Test(campaign_published, gemini_pays_a_quarter_percent_for_corruption_found_at_once)
{
    StratFaultClass sdc;
    StratCampaign c = toy_campaign(&sdc, 8960, 0.0, 90.0, 600.0, 60.0);
    sdc.effect = STRAT_FAULT_SDC;
    sdc.per_job_s = 1.0 / (10.5 * 86400.0);
    sdc.found_after = (StratSpread){STRAT_SPREAD_EXPONENTIAL, .mean_s = 4.0 * 3600.0};
    g_autoptr(StratCampaignResult) late = strat_campaign_run(&c);
    c.detection.replay_fraction = 0.0025;
    c.recovery.policy = strat_recovery_by_name("just-in-time", NULL);
    c.recovery.replicas = 2;
    g_autoptr(StratCampaignResult) now = strat_campaign_run(&c);
    double events = 90.0 / 10.5, day_s = 90.0 * 86400.0;
    cr_expect_float_eq(now->lost[STRAT_LOST_DEGRADED].mean, 1.0 - 1.0 / 1.0025, 1e-5);
    cr_expect(now->lost[STRAT_LOST_REWORK].mean * day_s < events * 1.0);
    /* Four hours and half of an interval each, but for those that the end cuts off. */
    double want = events * (4.0 * 3600.0 + 300.0);
    cr_expect_float_eq(late->lost[STRAT_LOST_REWORK].mean * day_s, want, 0.08 * want, "%g, not %g",
                       late->lost[STRAT_LOST_REWORK].mean * day_s, want);
}

/* titan_gpu: 1 % of 18,688 GPUs had 19.3 % of 6,367 events. */
Test(campaign_published, titans_worst_hundredth_draws_a_fifth_of_the_events)
{
    enum { GPUS = 18688, EVENTS = 6367, WORST = GPUS / 100, HISTORIES = 10 };
    StratFaultClass faults;
    StratCampaign c = toy_campaign(&faults, GPUS, 1e-3, 1.0, 1.0, 0.0);
    c.faults.site.gpus_per_node = 1;
    c.faults.node_shape = 0.19;
    double share = 0.0;
    for (uint64_t r = 0; r < HISTORIES; r++) {
        g_autoptr(StratFaultHistory) history = strat_fault_history_new(&c.faults, r);
        g_autofree int *hits = g_new0(int, GPUS);
        StratFault fault;
        for (int i = 0; i < EVENTS; i++) {
            cr_assert(strat_fault_history_next(history, &fault));
            hits[fault.node]++;
        }
        /* The most often hit, by counting how many were hit so often. */
        int left = WORST, with[EVENTS + 1];
        memset(with, 0, sizeof with);
        for (int i = 0; i < GPUS; i++)
            with[hits[i]]++;
        for (int n = EVENTS; n > 0 && left > 0; n--) {
            share += (double)n * MIN(left, with[n]) / (EVENTS * HISTORIES);
            left -= MIN(left, with[n]);
        }
    }
    cr_expect_float_eq(share, 0.193, 0.01, "%g", share);
}

/* ft_hsdp_sync: 18 minutes between failures at 100,000 GPUs, downtime counted. Synchronous: 10 min
 * of stall each. Without the failed replica: 3 min, and its share of the GPUs until it is back (10
 * min more are assumed; a replica of 64 nodes is too). */
Test(campaign_published, going_on_without_a_replica_beats_stopping_as_ft_hsdp_says)
{
    StratFaultClass faults;
    StratCampaign c = toy_campaign(&faults, 100000, 80.0 / 12500, 10.0, 1.0, 600.0);
    g_autoptr(StratCampaignResult) sync = strat_campaign_run(&c);
    c.recovery.policy = strat_recovery_by_name("drop-replica", NULL);
    c.recovery.replicas = 195;
    c.recovery.most_lost = 20;
    c.recovery.stop_detection.mean_s = 180.0;
    g_autoptr(StratCampaignResult) elastic = strat_campaign_run(&c);
    cr_expect_float_eq(elastic->ettr.mean, 0.80, 0.05, "%g", elastic->ettr.mean);
    /* 0.44 is (18 - 10) / 18; with failures at any time it is 0.57. */
    cr_expect_float_eq(sync->ettr.mean, 0.57, 0.03, "%g", sync->ettr.mean);
}

/* torchft_demo: a replica of 30 killed every minute, or every 15 s, and back within a second. A
 * step in which one dies runs to its end and is not committed, so each fault costs a whole step of
 * d: what was done of it, and what is left until all notice, between 0 and d (mean d / 2, deviation
 * d / sqrt 12). Of the attempts 1 - d / gap are committed. 82.3 % at 60 s make d 10.6 s; the second
 * row, 30.2 %, is then a prediction: 29.3 % if what is left is even, some more if it is lognormal.
 */
static const double TORCHFT_STEP_S = 10.6;

static double torchft_step(const StratJobState *state, void *ctx)
{
    (void)state;
    (void)ctx;
    return TORCHFT_STEP_S;
}

static double committed(double gap_s)
{
    enum { FAULTS = 500 };
    const double step_s = TORCHFT_STEP_S;
    StratFaultRecord records[FAULTS];
    for (int i = 0; i < FAULTS; i++) /* not in step with the steps */
        records[i] = (StratFaultRecord){.at_s = gap_s * (i + 1) + 0.001 * i, .node = i % 30};
    StratFaultClass faults;
    StratCampaign c = toy_campaign(&faults, 240, 0.0, gap_s * FAULTS / 86400.0, 1e6, 1.0);
    c.faults.records = records;
    c.faults.record_count = FAULTS;
    c.replications = 1;
    c.recovery.policy = strat_recovery_by_name("drop-replica", NULL);
    c.recovery.replicas = 30;
    c.recovery.most_lost = 29;
    c.recovery.stop_detection =
        (StratSpread){STRAT_SPREAD_LOGNORMAL, .mean_s = step_s / 2.0, .cv = 1.0 / sqrt(3.0)};
    c.step = torchft_step;
    g_autoptr(StratCampaignResult) r = strat_campaign_run(&c);
    double running_s = r->ettr.mean + r->lost[STRAT_LOST_MISSING].mean;
    double steps = running_s * c.duration_s / step_s;
    return steps / (steps + FAULTS);
}

Test(campaign_published, torchft_commits_as_many_steps_as_failures_leave_it)
{
    cr_expect_float_eq(committed(60.0), 0.823, 0.01, "%g", committed(60.0));
    cr_expect_float_eq(committed(15.0), 0.302, 0.05, "%g", committed(15.0));
}

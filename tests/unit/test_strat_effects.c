/* What each effect does to a job, by hand: faults at known times, and where every nanosecond of
 * 100,000 s goes. Steps take 1 s, a checkpoint stops the job for 10 s after each 1,000 s and is
 * safe 20 s later, a restart takes 300 s and loading 50 s. At 10,000.5 s, nine rounds of 1,010 s
 * are over and the tenth has trained for 910.5 s: 9,910.5 s of work, 9,000 s of them safe. */
#include "toy_campaign.h"

#include <criterion/criterion.h>

#include <math.h>

static const double HIT_S = 10000.5, END_S = 100000.0;

/* A job with one class of faults that comes when @records say. */
static StratCampaign recorded(StratFaultClass *c, StratFaultEffect effect,
                              const StratFaultRecord *records, size_t count)
{
    StratCampaign campaign = toy_campaign(c, 64, 0.0, END_S / 86400.0, 1000.0, 300.0);
    c->effect = effect;
    campaign.duration_s = END_S;
    campaign.replications = 1;
    campaign.faults.records = records;
    campaign.faults.record_count = count;
    campaign.checkpoint.block_s = 10.0;
    campaign.checkpoint.save_s = 30.0;
    campaign.recovery.load_s = 50.0;
    campaign.recovery.stop_detection.mean_s = 30.0;
    campaign.recovery.hang_detection.mean_s = 600.0;
    campaign.recovery.flap_s = 15.0;
    return campaign;
}

static const StratFaultRecord once[] = {
    {10000.5, 0, 3}
};

/* Runs @campaign; what it lost, in s, must be @want (productive time is the rest) to the ns. */
static void expect_ledger(const char *what, const StratCampaign *campaign, double stops,
                          const double want[STRAT_LOST_COUNT])
{
    g_autoptr(StratCampaignResult) r = strat_campaign_run(campaign);
    double rest = campaign->duration_s;
    int64_t sum = 0;
    for (int b = 0; b < STRAT_LOST_COUNT; b++) {
        int64_t got = llround(r->mean_gpu_s[b] / (double)r->gpus * 1e9);
        sum += got;
        rest -= b == STRAT_LOST_NOTHING ? 0.0 : want[b];
        if (b != STRAT_LOST_NOTHING)
            cr_expect(got == llround(want[b] * 1e9), "%s: %s %.9f, not %.9f", what,
                      strat_lost_key((StratLost)b), (double)got * 1e-9, want[b]);
    }
    int64_t productive = llround(r->mean_gpu_s[STRAT_LOST_NOTHING] / (double)r->gpus * 1e9);
    cr_expect(productive == llround(rest * 1e9), "%s: productive", what);
    cr_expect(sum == llround(campaign->duration_s * 1e9), "%s: the ledger does not sum", what);
    cr_expect(r->interruptions.mean == stops, "%s: %g stops", what, r->interruptions.mean);
}

/* Ten seconds each for the rounds that end in @left_s from the start of one, besides those before.
 */
static double saving(double before, double left_s)
{
    return 10.0 * (before + floor(left_s / 1010.0)) + fmax(fmod(left_s, 1010.0) - 1000.0, 0.0);
}

Test(effects, a_stop_and_a_hang_cost_detection_rework_and_a_restart)
{
    StratFaultClass c;
    StratCampaign stop = recorded(&c, STRAT_FAULT_STOP, once, 1);
    expect_ledger(
        "stop", &stop, 1,
        (double[STRAT_LOST_COUNT]){[STRAT_LOST_DETECTION] = 30.0,
                                   [STRAT_LOST_RESTART] = 350.0,
                                   [STRAT_LOST_REWORK] = 910.5,
                                   [STRAT_LOST_CHECKPOINT] = saving(9, END_S - HIT_S - 380.0)});
    c.effect = STRAT_FAULT_HANG;
    expect_ledger(
        "hang", &stop, 1,
        (double[STRAT_LOST_COUNT]){[STRAT_LOST_DETECTION] = 600.0,
                                   [STRAT_LOST_RESTART] = 350.0,
                                   [STRAT_LOST_REWORK] = 910.5,
                                   [STRAT_LOST_CHECKPOINT] = saving(9, END_S - HIT_S - 950.0)});
}

Test(effects, a_flap_is_a_stall_until_the_retransmissions_end_and_then_a_hang)
{
    StratFaultClass c;
    StratCampaign flap = recorded(&c, STRAT_FAULT_FLAP, once, 1);
    c.lasts.mean_s = 15.0;
    double whole = saving(0, END_S - 15.0);
    expect_ledger(
        "short", &flap, 0,
        (double[STRAT_LOST_COUNT]){[STRAT_LOST_DEGRADED] = 15.0, [STRAT_LOST_CHECKPOINT] = whole});
    c.lasts.mean_s = 15.1;
    expect_ledger(
        "long", &flap, 1,
        (double[STRAT_LOST_COUNT]){[STRAT_LOST_DETECTION] = 600.0,
                                   [STRAT_LOST_RESTART] = 350.0,
                                   [STRAT_LOST_REWORK] = 910.5,
                                   [STRAT_LOST_CHECKPOINT] = saving(9, END_S - HIT_S - 950.0)});
}

/* Of 5,000 s at a fifth less, what falls on training: 5 blocks do not. From 10,000.5 to 15,000.5 s
 * the rounds' blocks are those that end at 10,100, 11,110, ..., 14,140 s. */
Test(effects, slow_capped_and_degraded_jobs_lose_what_is_left_of_clock_or_bandwidth)
{
    static const StratFaultEffect effects[] = {STRAT_FAULT_SLOW, STRAT_FAULT_CAP,
                                               STRAT_FAULT_DEGRADE};
    for (size_t i = 0; i < G_N_ELEMENTS(effects); i++) {
        StratFaultClass c;
        StratCampaign slow = recorded(&c, effects[i], once, 1);
        c.lasts.mean_s = 5000.0;
        c.clock_fraction = effects[i] == STRAT_FAULT_DEGRADE ? 1.0 : 0.8;
        c.nic_lost_fraction = effects[i] == STRAT_FAULT_DEGRADE ? 0.2 : 0.0;
        expect_ledger("slow", &slow, 0,
                      (double[STRAT_LOST_COUNT]){[STRAT_LOST_DEGRADED] = 0.2 * (5000.0 - 50.0),
                                                 [STRAT_LOST_CHECKPOINT] = saving(0, END_S)});
    }
}

Test(effects, a_link_stops_the_job_or_halves_a_nic_where_there_is_another_tor)
{
    StratFaultClass c;
    StratCampaign link = recorded(&c, STRAT_FAULT_LINK, once, 1);
    c.lasts.mean_s = 5000.0;
    link.recovery.failover_stall_s = 2.0;
    link.recovery.failover = strat_failover_by_name("none", NULL);
    expect_ledger(
        "one ToR", &link, 1,
        (double[STRAT_LOST_COUNT]){[STRAT_LOST_DETECTION] = 600.0,
                                   [STRAT_LOST_RESTART] = 350.0,
                                   [STRAT_LOST_REWORK] = 910.5,
                                   [STRAT_LOST_CHECKPOINT] = saving(9, END_S - HIT_S - 950.0)});
    static const struct {
        const char *name;
        double lost;
    } rows[] = {
        {"dual-tor",   0.5  },
        {"dual-plane", 0.5  },
        {"other-nics", 0.125},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        link.recovery.failover = strat_failover_by_name(rows[i].name, NULL);
        /* The stall is part of the 5,000 s. */
        expect_ledger(
            rows[i].name, &link, 0,
            (double[STRAT_LOST_COUNT]){[STRAT_LOST_DEGRADED] = 2.0 + rows[i].lost * (4998.0 - 50.0),
                                       [STRAT_LOST_CHECKPOINT] = saving(0, END_S - 2.0)});
    }
    cr_expect_null(strat_failover_by_name("hope", NULL));
}

/* Found at 15,000.5 s, when 14 rounds of 1,010 s and 860.5 s of training are over. */
Test(effects, corruption_costs_all_since_the_last_clean_checkpoint_that_is_kept)
{
    static const struct {
        int64_t keep;
        double rework;
    } rows[] = {
        {0, 5860.5 },
        {6, 5860.5 },
        {5, 14860.5},
        {1, 14860.5},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        StratFaultClass c;
        StratCampaign sdc = recorded(&c, STRAT_FAULT_SDC, once, 1);
        c.found_after.mean_s = 5000.0;
        sdc.checkpoint.keep = rows[i].keep;
        expect_ledger("sdc", &sdc, 1,
                      (double[STRAT_LOST_COUNT]){[STRAT_LOST_RESTART] = 350.0,
                                                 [STRAT_LOST_REWORK] = rows[i].rework,
                                                 [STRAT_LOST_CHECKPOINT] =
                                                     saving(14, END_S - 15000.5 - 350.0)});
    }
}

/* A stop at 10,050 s goes back to 9,000 s of work, from before the corruption. One at 10,500 s goes
 * back to 10,000 s, whose checkpoint at 10,090 s has it. */
Test(effects, a_restart_from_before_the_corruption_heals_it)
{
    static const struct {
        double stop_s, stops;
    } rows[] = {
        {10050.0, 1.0},
        {10500.0, 2.0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const StratFaultRecord records[] = {
            {HIT_S,          1, 3},
            {rows[i].stop_s, 0, 4}
        };
        StratFaultClass classes[2];
        StratCampaign sdc = recorded(&classes[0], STRAT_FAULT_STOP, records, 2);
        classes[1] = classes[0];
        classes[1].name = "corruption";
        classes[1].effect = STRAT_FAULT_SDC;
        classes[1].found_after.mean_s = 5000.0;
        sdc.faults.classes = classes;
        sdc.faults.count = 2;
        g_autoptr(StratCampaignResult) r = strat_campaign_run(&sdc);
        cr_expect(r->unplanned.mean == rows[i].stops, "%g: %g", rows[i].stop_s, r->unplanned.mean);
        cr_expect(r->class_mean[1] == rows[i].stops - 1.0);
    }
}

Test(effects, steps_that_are_computed_twice_tell_corruption_at_once)
{
    StratFaultClass c;
    StratCampaign sdc = recorded(&c, STRAT_FAULT_SDC, once, 1);
    c.found_after.mean_s = 5000.0;
    sdc.detection.replay_fraction = 0.0025; /* Gemini 2.5 */
    g_autoptr(StratCampaignResult) r = strat_campaign_run(&sdc);
    cr_expect_float_eq(r->lost[STRAT_LOST_REWORK].mean * END_S, 910.5 / 1.0025, 0.01);
    double trained = END_S * (1.0 - r->lost[STRAT_LOST_CHECKPOINT].mean) - 350.0;
    cr_expect_float_eq(r->lost[STRAT_LOST_DEGRADED].mean * END_S, trained * (1.0 - 1.0 / 1.0025),
                       0.01);
}

Test(effects, preempted_nodes_cost_no_work_when_the_warning_holds_a_checkpoint)
{
    StratFaultClass c;
    StratCampaign spot = recorded(&c, STRAT_FAULT_PREEMPT, once, 1);
    c.lasts.mean_s = 7200.0;
    c.warning_s = 30.0;
    double down_s = 7200.0 + 350.0;
    expect_ledger("warned", &spot, 1,
                  (double[STRAT_LOST_COUNT]){[STRAT_LOST_WAIT] = 7200.0,
                                             [STRAT_LOST_RESTART] = 350.0,
                                             [STRAT_LOST_CHECKPOINT] =
                                                 30.0 + saving(9, END_S - HIT_S - down_s - 30.0)});
    c.warning_s = 29.0;
    expect_ledger(
        "too late", &spot, 1,
        (double[STRAT_LOST_COUNT]){[STRAT_LOST_WAIT] = 7200.0,
                                   [STRAT_LOST_RESTART] = 350.0,
                                   [STRAT_LOST_REWORK] = 910.5,
                                   [STRAT_LOST_CHECKPOINT] = saving(9, END_S - HIT_S - down_s)});
    /* A spare takes the place, and the node is one when it returns. */
    spot.spares = (StratCampaignSpares){.nodes = 1, .repair = {.mean_s = 1e9}};
    expect_ledger(
        "spare", &spot, 1,
        (double[STRAT_LOST_COUNT]){[STRAT_LOST_RESTART] = 350.0,
                                   [STRAT_LOST_REWORK] = 910.5,
                                   [STRAT_LOST_CHECKPOINT] = saving(9, END_S - HIT_S - 350.0)});
}

/* Each 25,000 s of the calendar: 3 times, with an hour of standstill, a save and a restart. */
Test(effects, maintenance_comes_by_the_calendar_and_loses_no_work)
{
    StratFaultClass c;
    StratCampaign calendar = recorded(&c, STRAT_FAULT_PLANNED, NULL, 0);
    c.unit = STRAT_FAULT_JOB;
    c.every_s = 25000.0;
    c.lasts.mean_s = 3600.0;
    double down_s = 30.0 + 3600.0 + 350.0;
    expect_ledger(
        "calendar", &calendar, 3,
        (double[STRAT_LOST_COUNT]){[STRAT_LOST_WAIT] = 3 * 3600.0,
                                   [STRAT_LOST_RESTART] = 3 * 350.0,
                                   [STRAT_LOST_CHECKPOINT] = 90.0 + saving(0, 25000.0) +
                                                             3 * saving(0, 25000.0 - down_s)});
}

/* A cosine over whole days: half of the swing is lost. Llama 3 saw 1 to 2 % over the day. */
Test(effects, a_fleet_that_is_slower_at_noon_loses_half_of_the_swing)
{
    StratFaultClass c;
    StratCampaign swing = toy_campaign(&c, 16384, 0.0, 54.0, 1000.0, 0.0);
    swing.replications = 1;
    swing.swing = (StratCampaignSwing){0.015, 86400.0, 4.0 * 3600.0};
    g_autoptr(StratCampaignResult) days = strat_campaign_run(&swing);
    cr_expect_float_eq(days->lost[STRAT_LOST_DEGRADED].mean, 0.0075, 1e-6, "%g",
                       days->lost[STRAT_LOST_DEGRADED].mean);
    /* The hour around the slowest lost all of it, that around the fastest nothing. */
    swing.duration_s = 3600.0;
    swing.swing.fastest_s = 1800.0;
    g_autoptr(StratCampaignResult) fast = strat_campaign_run(&swing);
    cr_expect(fast->lost[STRAT_LOST_DEGRADED].mean < 1e-12);
    swing.swing.fastest_s += 43200.0;
    g_autoptr(StratCampaignResult) slow = strat_campaign_run(&swing);
    cr_expect_float_eq(slow->lost[STRAT_LOST_DEGRADED].mean, 0.015, 1e-9);
}

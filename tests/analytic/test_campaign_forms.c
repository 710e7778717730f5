/* Simulated campaigns against closed forms where the forms' assumptions hold, and apart from them
 * where they do not. Tolerances: the 90 % interval of the simulation, widened to three standard
 * errors, so that a sound run fails once in 370 seeds; steps of 1 s against hours leave 1e-4 more.
 */
#include "strat_checkpoint.h"
#include "toy_campaign.h"

#include <criterion/criterion.h>

#include <math.h>

/* 3 standard errors of the mean. */
static double slack(StratEstimate e)
{
    return 3.0 * (e.high - e.mean) / 1.645 + 1e-4;
}

static StratEstimate ettr_of(const StratCampaign *campaign)
{
    g_autoptr(StratCampaignResult) result = strat_campaign_run(campaign);
    return result->ettr;
}

/* 250 nodes of 16 failures a day and 1,000 nodes: from rare failures to as many as recoveries. */
static const struct {
    double mttf_s, interval_s, block_s, restart_s;
} cases[] = {
    {36000.0, 3600.0, 60.0,  600.0 },
    {7200.0,  3600.0, 0.0,   300.0 },
    {7200.0,  1200.0, 120.0, 3600.0},
    {3600.0,  600.0,  60.0,  1800.0},
};

Test(campaign_forms, the_exact_exponential_formula_is_met)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        StratFaultClass faults;
        StratCampaign c = toy_campaign(&faults, 8, 86400.0 / cases[i].mttf_s, 100.0,
                                       cases[i].interval_s, cases[i].restart_s);
        c.checkpoint.block_s = c.checkpoint.save_s = cases[i].block_s;
        StratEstimate got = ettr_of(&c);
        double want = strat_checkpoint_exact(cases[i].interval_s, cases[i].block_s,
                                             cases[i].restart_s, cases[i].mttf_s);
        cr_expect_float_eq(got.mean, want, slack(got), "case %zu: %g is not %g +- %g", i, got.mean,
                           want, slack(got));
    }
}

Test(campaign_forms, failures_during_recovery_cost_what_the_formula_says)
{
    StratFaultClass faults;
    StratCampaign c = toy_campaign(&faults, 8, 12.0, 100.0, 1200.0, 3600.0);
    c.recovery.is_safe = true;
    StratEstimate got = ettr_of(&c);
    double mttf_s = 7200.0, with = strat_checkpoint_exact(1200.0, 0.0, 3600.0, mttf_s);
    double without = with * mttf_s * exp(3600.0 / mttf_s) / (mttf_s + 3600.0);
    cr_expect_float_eq(got.mean, without, slack(got), "%g, not %g", got.mean, without);
    cr_expect(got.mean > with + 2.0 * slack(got), "%g is no better than %g", got.mean, with);
}

Test(campaign_forms, the_optimised_interval_loses_no_more_than_dalys_and_youngs)
{
    StratFaultClass faults;
    StratCampaign c = toy_campaign(&faults, 8, 86400.0 / 20000.0, 100.0, 0.0, 600.0);
    c.checkpoint.block_s = c.checkpoint.save_s = 60.0;
    StratEstimate by[STRAT_EVERY_COUNT];
    double interval_s[STRAT_EVERY_COUNT];
    for (int e = STRAT_EVERY_YOUNG; e < STRAT_EVERY_COUNT; e++) {
        c.checkpoint.every = (StratEvery)e;
        g_autoptr(StratCampaignResult) result = strat_campaign_run(&c);
        by[e] = result->ettr;
        interval_s[e] = result->interval_s;
    }
    cr_expect_float_eq(interval_s[STRAT_EVERY_YOUNG], sqrt(2.0 * 60.0 * 20000.0), 1.0);
    double daly = interval_s[STRAT_EVERY_DALY], found = interval_s[STRAT_EVERY_OPTIMISED];
    cr_expect_float_eq(daly, strat_checkpoint_daly(60.0, 20000.0), 1.0);
    cr_expect(found > daly / 1.6 && found < daly * 1.6, "found %g s, Daly %g s", found, daly);
    cr_expect(by[STRAT_EVERY_OPTIMISED].mean >
              by[STRAT_EVERY_DALY].mean - slack(by[STRAT_EVERY_DALY]));
}

Test(campaign_forms, weibull_gaps_of_the_same_mean_lose_less)
{
    StratFaultClass faults;
    StratCampaign c = toy_campaign(&faults, 16000, 0.0065, 54.0, 3600.0, 300.0);
    StratEstimate exponential = ettr_of(&c);
    faults.shape = 0.7;
    StratEstimate weibull = ettr_of(&c);
    /* An independent Monte Carlo of these very figures has 0.722 and 0.76. */
    cr_expect_float_eq(exponential.mean, 0.722, 0.01, "%g", exponential.mean);
    cr_expect_float_eq(weibull.mean, 0.76, 0.01, "%g", weibull.mean);
}

Test(campaign_forms, the_published_ettr_of_rsc_is_met)
{
    static const struct {
        int64_t gpus;
        double per_node_day, interval_s, restart_s, want, tolerance;
    } rows[] = {
        {16000,  0.0065,  3600.0, 300.0, 0.70, 0.03},
        {16000,  0.0065,  300.0,  300.0, 0.93, 0.03},
        {8000,   0.0065,  1800.0, 360.0, 0.90, 0.02}, /* 5 min and 1 min of queue */
        {100000, 0.00234, 120.0,  120.0, 0.94, 0.01}, /* 0.9 at least; linear and Monte Carlo */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        StratFaultClass faults;
        StratCampaign c = toy_campaign(&faults, rows[i].gpus, rows[i].per_node_day, 30.0,
                                       rows[i].interval_s, rows[i].restart_s);
        StratEstimate got = ettr_of(&c);
        cr_expect_float_eq(got.mean, rows[i].want, rows[i].tolerance, "row %zu: %g, not %g", i,
                           got.mean, rows[i].want);
    }
}

Test(campaign_forms, the_projected_mttf_of_rsc_is_met)
{
    static const struct {
        int64_t gpus;
        double want_h;
    } rows[] = {
        {16384,  1.8 },
        {131072, 0.23}
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        StratFaultClass faults;
        StratCampaign c = toy_campaign(&faults, rows[i].gpus, 0.0065, 30.0, 300.0, 0.0);
        g_autoptr(StratCampaignResult) result = strat_campaign_run(&c);
        cr_expect_float_eq(result->mttf_s.mean / 3600.0, rows[i].want_h, 0.05 * rows[i].want_h,
                           "%g h", result->mttf_s.mean / 3600.0);
    }
}

Test(campaign_forms, fully_synchronous_training_of_ft_hsdp_by_its_two_readings)
{
    /* A failure each 18 min of uptime and 10 min of stall: 18 / 28 of the time is up. With failures
     * during recovery as well, e^(-10/18). The abstract's 0.44 is (18 - 10) / 18. */
    StratFaultClass faults;
    StratCampaign c = toy_campaign(&faults, 8, 80.0, 30.0, 1.0, 600.0);
    StratEstimate during = ettr_of(&c);
    c.recovery.is_safe = true;
    StratEstimate safe = ettr_of(&c);
    cr_expect_float_eq(safe.mean, 18.0 / 28.0, slack(safe) + 0.001, "%g", safe.mean);
    cr_expect_float_eq(during.mean, exp(-10.0 / 18.0), slack(during) + 0.001, "%g", during.mean);
}

Test(campaign_forms, gemini_recovers_from_memory_as_often_as_published)
{
    cr_expect_float_eq(strat_recovery_in_memory_chance(16, 2, 1), 1.0, 1e-12);
    cr_expect_float_eq(strat_recovery_in_memory_chance(16, 2, 2), 14.0 / 15.0, 1e-9);
    cr_expect_float_eq(strat_recovery_in_memory_chance(16, 2, 3), 0.8, 1e-9);
    /* Four lost of four groups of two: C(4, 4) 2^4 of C(8, 4). */
    cr_expect_float_eq(strat_recovery_in_memory_chance(8, 2, 4), 16.0 / 70.0, 1e-9);
    cr_expect_float_eq(strat_recovery_in_memory_chance(8, 2, 8), 0.0, 1e-12);
}

Test(campaign_forms, correlated_failures_of_the_same_rate_are_not_the_formula)
{
    StratFaultClass faults;
    StratCampaign c = toy_campaign(&faults, 16000, 0.0065, 54.0, 3600.0, 300.0);
    double want = strat_checkpoint_exact(3600.0, 0.0, 300.0, 86400.0 / (2000 * 0.0065));
    StratEstimate alone = ettr_of(&c);
    cr_expect_float_eq(alone.mean, want, slack(alone), "%g, not %g", alone.mean, want);
    /* Half of them in the wake of another: less is lost, since little was done in between. */
    faults.burst_fraction = 0.5;
    faults.burst_gap_s = 60.0;
    StratEstimate bursts = ettr_of(&c);
    cr_expect(bursts.mean > want + 0.05, "%g, against %g", bursts.mean, want);
    /* Racks of 4 nodes at a quarter of the rate take as many nodes away, but stop the job less. */
    faults.burst_fraction = 0.0;
    faults.unit = STRAT_FAULT_RACK;
    StratEstimate racks = ettr_of(&c);
    cr_expect(racks.mean > want + 0.05, "%g, against %g", racks.mean, want);
}

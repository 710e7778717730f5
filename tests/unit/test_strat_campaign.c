/* Campaigns: ledgers sum, threads and replays change nothing, policies differ as they should. */
#include "strat_campaign_once.h"
#include "toy_campaign.h"

#include <criterion/criterion.h>

#include <string.h>

static StratFaultClass classes[5];

/* Every effect at once on 2,048 GPUs: some 30 stops a day, a planned one, flaps and slow GPUs. */
static StratCampaign busy(const char *policy)
{
    StratCampaign c = toy_campaign(&classes[0], 2048, 0.1, 20.0, 1800.0, 300.0);
    for (size_t i = 1; i < 5; i++)
        classes[i] = classes[0];
    classes[1].name = "hang";
    classes[1].effect = STRAT_FAULT_HANG;
    classes[1].per_unit_s /= 10.0;
    classes[2].name = "slow";
    classes[2].effect = STRAT_FAULT_SLOW;
    classes[2].clock_fraction = 0.8;
    classes[2].lasts = (StratSpread){STRAT_SPREAD_EXPONENTIAL, .mean_s = 3600.0};
    classes[3].name = "flap";
    classes[3].effect = STRAT_FAULT_FLAP;
    classes[3].lasts = (StratSpread){STRAT_SPREAD_LOGNORMAL, .mean_s = 10.0, .cv = 2.0};
    classes[4].name = "maintenance";
    classes[4].unit = STRAT_FAULT_JOB;
    classes[4].effect = STRAT_FAULT_PLANNED;
    classes[4].per_unit_s = 1.0 / 86400.0;
    c.faults.classes = classes;
    c.faults.count = 5;
    c.replications = 20;
    c.checkpoint.block_s = 5.0;
    c.checkpoint.save_s = 60.0;
    c.recovery.policy = strat_recovery_by_name(policy, NULL);
    c.recovery.stop_detection = (StratSpread){STRAT_SPREAD_FIXED, .mean_s = 30.0};
    c.recovery.hang_detection = (StratSpread){STRAT_SPREAD_FIXED, .mean_s = 600.0};
    c.recovery.warm_restart = (StratSpread){STRAT_SPREAD_FIXED, .mean_s = 60.0};
    c.recovery.load_s = 120.0;
    c.recovery.peer_load_s = 10.0;
    c.recovery.flap_s = 30.0;
    c.recovery.replicas = 16;
    c.recovery.most_lost = 4;
    c.recovery.rejoin_s = 20.0;
    c.recovery.migrate_s = 20.0;
    c.recovery.stages = 4;
    c.spares = (StratCampaignSpares){
        .nodes = 4, .repair = {STRAT_SPREAD_LOGNORMAL, .mean_s = 36000.0, .cv = 1.0}
    };
    return c;
}

Test(campaign, the_ledger_of_every_history_sums_to_its_time_exactly)
{
    size_t count = 0;
    const StratRecovery *all = strat_recovery_all(&count);
    for (size_t p = 0; p < count; p++) {
        StratCampaign c = busy(all[p].name);
        g_autoptr(StratAdaptTable) adapted =
            strat_adapt_table_new(c.step, NULL, all[p].adaptation, 1.0, 256, c.recovery.stages);
        StratCampaignPlan plan = {
            &c,
            .end = INT64_C(1234567890123457),
            .step = SIM_TIME_SECOND,
            .rhythm = {1800 * SIM_TIME_SECOND, 5 * SIM_TIME_SECOND, 55 * SIM_TIME_SECOND},
            .memory = SIM_TIME_SECOND,
            .local = 300 * SIM_TIME_SECOND,
            .step_s = 1.0,
            .adapted = adapted,
        };
        for (uint64_t r = 0; r < 10; r++) {
            int64_t by_class[5] = {0};
            StratCampaignSample sample = {.by_class = by_class};
            strat_campaign_once(&plan, r, &sample);
            SimTime sum = 0;
            for (int b = 0; b < STRAT_LOST_COUNT; b++) {
                cr_expect(sample.ledger[b] >= 0, "%s: %s", all[p].name,
                          strat_lost_key((StratLost)b));
                sum += sample.ledger[b];
            }
            cr_expect(sum == plan.end, "%s: %" G_GINT64_FORMAT, all[p].name, sum);
            cr_expect(sample.stops > 100, "%s: only %d stops", all[p].name, (int)sample.stops);
        }
    }
}

Test(campaign, gpu_seconds_sum_to_gpus_and_spares_times_the_duration)
{
    StratCampaign c = busy("hot-spare");
    g_autoptr(StratCampaignResult) r = strat_campaign_run(&c);
    double sum = r->spare_gpu_s;
    for (int b = 0; b < STRAT_LOST_COUNT; b++)
        sum += r->mean_gpu_s[b];
    double all = (2048 + 4 * 8) * c.duration_s;
    cr_expect_float_eq(sum, all, 1e-9 * all);
    cr_expect_float_eq(r->goodput.mean, r->mean_gpu_s[STRAT_LOST_NOTHING] / all, 1e-12);
}

static void expect_threads_change_nothing(const char *policy)
{
    StratCampaign c = busy(policy);
    SimFarm alone = sim_farm_threads(1), crew = sim_farm_threads(3);
    c.farm = &alone;
    g_autoptr(StratCampaignResult) one = strat_campaign_run(&c);
    c.farm = &crew;
    g_autoptr(StratCampaignResult) three = strat_campaign_run(&c);
    cr_expect(memcmp(&one->ettr, &three->ettr, sizeof one->ettr) == 0);
    cr_expect(memcmp(one->lost, three->lost, sizeof one->lost) == 0);
    cr_expect(memcmp(one->class_mean, three->class_mean, 5 * sizeof(double)) == 0);
    c.faults.seed = 2;
    g_autoptr(StratCampaignResult) other = strat_campaign_run(&c);
    cr_expect(one->ettr.mean != other->ettr.mean);
}

static double share(const char *policy, StratLost bucket)
{
    StratCampaign c = busy(policy);
    c.spares.nodes = 40;
    g_autoptr(StratCampaignResult) r = strat_campaign_run(&c);
    return r->lost[bucket].mean;
}

Test(campaign, threads_and_replays_change_nothing)
{
    expect_threads_change_nothing("drop-replica");
    expect_threads_change_nothing("templates");
}

Test(campaign, policies_meet_the_same_failures_and_lose_what_they_promise)
{
    double rework = share("restart", STRAT_LOST_REWORK);
    cr_expect(rework > 0.1);
    /* Half a step a stop, and groups that are lost as a whole in recoveries that meet. */
    double memory = share("in-memory", STRAT_LOST_REWORK);
    cr_expect(memory > 0.0 && memory < 0.02 * rework, "%g of %g", memory, rework);
    double just_in_time = share("just-in-time", STRAT_LOST_REWORK);
    cr_expect(just_in_time > 0.0 && just_in_time < 0.02 * rework, "%g of %g", just_in_time, rework);
    cr_expect(share("hot-spare", STRAT_LOST_RESTART) < share("restart", STRAT_LOST_RESTART));
    cr_expect(share("drop-replica", STRAT_LOST_MISSING) > 0.0);
    cr_expect(share("drop-replica", STRAT_LOST_NOTHING) > share("restart", STRAT_LOST_NOTHING));
}

Test(campaign, every_policy_meets_the_same_faults)
{
    size_t count = 0;
    const StratRecovery *all = strat_recovery_all(&count);
    StratCampaign c = busy("restart");
    c.replications = 5;
    g_autoptr(StratCampaignResult) restart = strat_campaign_run(&c);
    for (size_t p = 1; p < count; p++) {
        c.recovery.policy = &all[p];
        g_autoptr(StratCampaignResult) other = strat_campaign_run(&c);
        cr_expect(restart->unplanned.mean == other->unplanned.mean, "%s", all[p].name);
        for (size_t i = 0; i < 4; i++)
            cr_expect(restart->class_mean[i] == other->class_mean[i], "%s: class %zu", all[p].name,
                      i);
    }
}

Test(campaign, more_spares_wait_less_and_no_spares_wait_for_repair)
{
    StratCampaign c = busy("restart");
    double wait[3];
    for (int i = 0; i < 3; i++) {
        c.spares.nodes = (int64_t[]){0, 4, 40}[i];
        g_autoptr(StratCampaignResult) r = strat_campaign_run(&c);
        wait[i] = r->lost[STRAT_LOST_WAIT].mean;
    }
    cr_expect(wait[0] > wait[1] && wait[1] > wait[2], "%g %g %g", wait[0], wait[1], wait[2]);
    cr_expect(wait[2] < 0.01);
}

Test(campaign, a_slow_gpu_costs_its_clock_for_as_long_as_it_lasts)
{
    StratFaultClass slow;
    StratCampaign c = toy_campaign(&slow, 8, 1.0, 100.0, 3600.0, 0.0);
    slow.effect = STRAT_FAULT_SLOW;
    slow.clock_fraction = 0.8;
    slow.lasts = (StratSpread){STRAT_SPREAD_FIXED, .mean_s = 864.0};
    g_autoptr(StratCampaignResult) r = strat_campaign_run(&c);
    /* Of overlaps one counts: busy 1 - e^-0.01 of the time, a fifth of it lost. */
    cr_expect_float_eq(r->lost[STRAT_LOST_DEGRADED].mean, 0.2 * 0.00995, 1e-4);
    cr_expect(r->unplanned.mean == 0.0);
    cr_expect_float_eq(r->ettr.mean + r->lost[STRAT_LOST_DEGRADED].mean, 1.0, 1e-12);
}

Test(campaign, quarantine_takes_lemons_away)
{
    StratFaultClass node;
    StratCampaign c = toy_campaign(&node, 16384, 0.0065, 54.0, 1800.0, 300.0);
    c.faults.lemon_fraction =
        0.012; /* 40 of 3,300 nodes caused most failures of large jobs in RSC */
    c.faults.lemon_factor = 200.0;
    g_autoptr(StratCampaignResult) before = strat_campaign_run(&c);
    c.spares.quarantine = 3;
    g_autoptr(StratCampaignResult) after = strat_campaign_run(&c);
    cr_expect(after->unplanned.mean < 0.6 * before->unplanned.mean, "%g, %g", after->unplanned.mean,
              before->unplanned.mean);
    cr_expect(after->ettr.mean > before->ettr.mean);
}

Test(campaign, a_checkpoint_that_is_not_safe_yet_does_not_help)
{
    StratFaultClass node;
    StratCampaign c = toy_campaign(&node, 8, 12.0, 50.0, 600.0, 60.0);
    g_autoptr(StratCampaignResult) fast = strat_campaign_run(&c);
    c.checkpoint.save_s = 600.0;
    g_autoptr(StratCampaignResult) slow = strat_campaign_run(&c);
    /* A failure every 2 h loses 5 min, or 15. */
    cr_expect_float_eq(slow->lost[STRAT_LOST_REWORK].mean / fast->lost[STRAT_LOST_REWORK].mean, 3.0,
                       0.2);
}

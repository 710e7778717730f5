/* Stragglers: when a policy acts, that a ski rental pays at most twice what hindsight would, and
 * whole ledgers of one slow GPU as counted by hand. */
#include "toy_campaign.h"

#include <criterion/criterion.h>

/* What @policy pays for a straggler of @lasts_s with @levels. */
static double pays(const char *policy, const StratStragglerLevel *levels, double lasts_s)
{
    const StratStraggler *row = strat_straggler_by_name(policy, NULL);
    StratStragglerAction now = STRAT_STRAGGLER_IGNORE, next;
    double paid_s = 0.0, at_s = 0.0, after_s;
    while ((next = strat_straggler_next(row, levels, now, paid_s, &after_s)) !=
               STRAT_STRAGGLER_IGNORE &&
           at_s + after_s < lasts_s) {
        at_s += after_s;
        paid_s += after_s * (1.0 - levels[now].speed) + levels[next].cost_s;
        now = next;
    }
    return paid_s + (lasts_s - at_s) * (1.0 - levels[now].speed);
}

static double hindsight(const StratStragglerLevel *levels, double lasts_s)
{
    double best = lasts_s;
    for (int a = 0; a < STRAT_STRAGGLER_ACTIONS; a++)
        best = MIN(best, levels[a].cost_s + lasts_s * (1.0 - levels[a].speed));
    return best;
}

Test(straggler, a_ski_rental_pays_twice_at_worst_and_that_when_it_buys)
{
    /* Nothing but eviction helps: 600 s against a fifth of the time. It buys after 3,000 s. */
    const StratStragglerLevel levels[] = {
        [STRAT_STRAGGLER_IGNORE] = {0.8, 0.0  },
        [STRAT_STRAGGLER_REBALANCE] = {0.8, 0.0  },
        [STRAT_STRAGGLER_SWAP] = {0.8, 30.0 },
        [STRAT_STRAGGLER_EVICT] = {1.0, 600.0},
    };
    cr_expect_float_eq(pays("ski-rental", levels, 2999.0), 599.8, 1e-9);
    cr_expect_float_eq(pays("ski-rental", levels, 3001.0), 1200.0, 1e-9);
    cr_expect_float_eq(pays("ski-rental", levels, 1e6), 1200.0, 1e-9);
    cr_expect_float_eq(pays("evict", levels, 10.0), 600.0, 1e-9);
    cr_expect_float_eq(pays("ignore", levels, 1e4), 2000.0, 1e-9);
    double worst = 0.0;
    for (double lasts_s = 1.0; lasts_s < 1e6; lasts_s *= 1.01)
        worst = MAX(worst, pays("ski-rental", levels, lasts_s) / hindsight(levels, lasts_s));
    cr_expect(worst > 1.98 && worst <= 2.0, "%g", worst);
}

Test(straggler, with_more_actions_the_worst_is_bounded_and_better_than_one_action_alone)
{
    const StratStragglerLevel levels[] = {
        [STRAT_STRAGGLER_IGNORE] = {0.5, 0.0  },
        [STRAT_STRAGGLER_REBALANCE] = {0.9, 10.0 },
        [STRAT_STRAGGLER_SWAP] = {0.9, 60.0 },
        [STRAT_STRAGGLER_EVICT] = {1.0, 600.0},
    };
    double worst = 0.0, evict = 0.0, rebalance = 0.0;
    for (double lasts_s = 1.0; lasts_s < 1e6; lasts_s *= 1.01) {
        double best = hindsight(levels, lasts_s);
        worst = MAX(worst, pays("ski-rental", levels, lasts_s) / best);
        evict = MAX(evict, pays("evict", levels, lasts_s) / best);
        rebalance = MAX(rebalance, pays("rebalance", levels, lasts_s) / best);
    }
    cr_expect(worst <= 2.05, "%g", worst);
    cr_expect(evict > 10.0 && rebalance > 10.0, "%g, %g", evict, rebalance);
}

/* 240 nodes of 3 replicas; one GPU at half its clock from 1000.5 s for 2,000 s, told of 60 s later;
 * a checkpoint takes 5 s, a start 60 s, a load 30 s. 4,000 s of steps of 1 s. */
static StratCampaign with_slow(const char *policy, StratFaultClass *slow,
                               const StratFaultRecord *record)
{
    StratCampaign c = toy_campaign(slow, 96, 0.0, 1.0, 10000.0, 60.0);
    slow->unit = STRAT_FAULT_GPU;
    slow->effect = STRAT_FAULT_SLOW;
    slow->clock_fraction = 0.5;
    slow->lasts = (StratSpread){STRAT_SPREAD_FIXED, .mean_s = 2000.0};
    c.faults.records = record;
    c.faults.record_count = 1;
    c.duration_s = 4000.0;
    c.replications = 1;
    c.detection = (StratDetection){.misses = 1, .recall = 1.0, .slow_threshold = 1.05};
    c.detection.slow_window_s = 60.0;
    c.recovery.straggler = strat_straggler_by_name(policy, NULL);
    c.recovery.rebalance_s = 20.0;
    c.recovery.load_s = 30.0;
    c.checkpoint.save_s = 5.0;
    return c;
}

Test(straggler, ledgers_of_one_slow_gpu_are_those_counted_by_hand)
{
    /* 6 microbatches in 3 slots each take 27; at half the clock 45 or, with 3 of 18 there and 8 at
     * each of the others, 33: 9 / 11 of the speed. Ski rental counts the 30 s lost until it is told
     * of, and rebalances at once; 95 s of eviction have been lost 45 s of 50 s after that: by then
     * (95 - 50) / (2 / 11) = 247.5 s have gone. */
    static const struct {
        const char *policy;
        double degraded_s,
            stood_s; /* slower steps and standing still for it; checkpoint and restart */
    } wants[] = {
        {"ignore",     1000.0,                            0.0 },
        {"rebalance",  30.0 + 20.0 + 1920.0 * 2.0 / 11.0, 0.0 },
        {"swap",       1000.0,                            0.0 },
        {"evict",      30.0,                              95.0},
        {"ski-rental", 30.0 + 20.0 + 45.0,                95.0},
    };
    static const StratFaultRecord record = {.at_s = 1000.5, .class_index = 0, .node = 0};
    for (size_t i = 0; i < G_N_ELEMENTS(wants); i++) {
        StratFaultClass slow;
        StratCampaign c = with_slow(wants[i].policy, &slow, &record);
        g_autoptr(StratCampaignResult) r = strat_campaign_run(&c);
        double degraded_s = r->lost[STRAT_LOST_DEGRADED].mean * c.duration_s;
        double stood_s =
            (r->lost[STRAT_LOST_CHECKPOINT].mean + r->lost[STRAT_LOST_RESTART].mean) * c.duration_s;
        cr_expect_float_eq(degraded_s, wants[i].degraded_s, 1e-6, "%s: %.9f s, not %.9f s",
                           wants[i].policy, degraded_s, wants[i].degraded_s);
        cr_expect_float_eq(stood_s, wants[i].stood_s, 1e-6, "%s: %.9f s, not %.9f s",
                           wants[i].policy, stood_s, wants[i].stood_s);
        cr_expect(r->lost[STRAT_LOST_REWORK].mean == 0.0);
    }
}

Test(straggler, a_weak_link_is_mended_by_a_swap_and_not_by_dealing_anew)
{
    StratAdaptJob job = toy_adapt_job();
    job.pipeline_s = 0.9;
    cr_expect_float_eq(strat_adapt_swapped(&job, 0.25), 27.0 + 0.9 * 3.0, 1e-12);
    static const StratFaultRecord record = {.at_s = 1000.5, .class_index = 0, .node = 0};
    double degraded[2];
    for (int i = 0; i < 2; i++) {
        StratFaultClass weak;
        StratCampaign c = with_slow(i == 0 ? "rebalance" : "swap", &weak, &record);
        weak.effect = STRAT_FAULT_DEGRADE;
        weak.clock_fraction = 1.0;
        weak.nic_lost_fraction = 0.5;
        c.recovery.swap_s = 40.0;
        g_autoptr(StratCampaignResult) r = strat_campaign_run(&c);
        degraded[i] = r->lost[STRAT_LOST_DEGRADED].mean * c.duration_s;
    }
    cr_expect_float_eq(degraded[0], 1000.0, 1e-6, "%g", degraded[0]);
    cr_expect_float_eq(degraded[1], 30.0 + 40.0, 1e-6, "%g", degraded[1]);
}

Test(straggler, the_straggler_that_is_over_or_that_dealing_mends_is_not_evicted)
{
    static const StratFaultRecord record = {.at_s = 1000.5, .class_index = 0, .node = 0};
    StratFaultClass slow;
    StratCampaign c = with_slow("ski-rental", &slow, &record);
    slow.lasts.mean_s = 200.0;
    g_autoptr(StratCampaignResult) r = strat_campaign_run(&c);
    cr_expect(r->unplanned.mean == 0.0 && r->lost[STRAT_LOST_DEGRADED].mean > 0.0);
}

/* Laws that hold for any campaign: drawn at random are the classes, with every effect and unit, how
 * faults are noticed, what is kept, what stands by, and the policy.
 *
 *   sum        every nanosecond of the job's time is in one bucket, and none is negative
 *   replay     the same seed gives the same result, whatever the threads do
 *   strangers  another class, another policy or other detection moves no fault of a class
 */
#include "strat_campaign_once.h"
#include "toy_campaign.h"

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

enum { CLASSES = STRAT_FAULT_EFFECTS, CAMPAIGNS = 60 };

static double between(SimRandom *stream, double low, double high)
{
    return low + (high - low) * sim_random_uniform(stream);
}

static StratSpread spread(SimRandom *stream, double mean_s)
{
    return (StratSpread){
        .kind = (StratSpreadKind)sim_random_below(stream, STRAT_SPREAD_COUNT),
        .mean_s = between(stream, 0.0, 2.0 * mean_s),
        .cv = between(stream, 0.1, 3.0),
        .slow_fraction = between(stream, -0.5, 0.2),
        .slow_mean_s = 10.0 * mean_s,
    };
}

typedef struct Drawn {
    StratFaultClass classes[CLASSES];
    char names[CLASSES][16];
    StratFaultIncident incidents[2];
    StratFaultCycle cycles[1];
    StratCampaign campaign;
} Drawn;

static void draw_classes(Drawn *drawn, SimRandom *stream)
{
    for (int e = 0; e < CLASSES; e++) {
        StratFaultClass *c = &drawn->classes[e];
        *c = drawn->classes[0];
        g_snprintf(drawn->names[e], sizeof drawn->names[e], "effect %d", e);
        c->name = drawn->names[e];
        c->effect = (StratFaultEffect)e;
        c->unit = (StratFaultUnit)sim_random_below(stream, STRAT_FAULT_UNITS);
        c->domain_nodes = 1 + (int64_t)sim_random_below(stream, 40);
        c->per_unit_s = 0.0;
        c->per_job_s = between(stream, 0.0, 4.0 / 86400.0);
        c->every_s = e == STRAT_FAULT_PLANNED ? between(stream, 1e4, 1e6) : 0.0;
        c->shape = between(stream, 0.4, 1.5);
        c->burst_fraction = between(stream, 0.0, 0.5);
        c->burst_gap_s = 30.0;
        c->dead_fraction = between(stream, 0.0, 0.02);
        c->swap_fraction = between(stream, 0.0, 1.0);
        c->lasts = spread(stream, 3000.0);
        c->found_after = spread(stream, 40000.0);
        c->clock_fraction = between(stream, 0.3, 1.0);
        c->nic_lost_fraction = between(stream, 0.0, 0.9);
        c->warning_s = between(stream, 0.0, 200.0);
    }
}

static void draw_detection(StratDetection *d, SimRandom *stream)
{
    *d = (StratDetection){
        .heartbeat_s = between(stream, -10.0, 30.0),
        .misses = 3,
        .health_check_s = between(stream, -300.0, 300.0),
        .timeout_s = between(stream, -600.0, 600.0),
        .recall = between(stream, 0.0, 1.0),
        .slow_threshold = between(stream, 0.0, 1.5),
        .slow_window_s = between(stream, 0.0, 600.0),
        .wrong_node = between(stream, 0.0, 0.8),
        .over_evicted = (int64_t)sim_random_below(stream, 8),
        .comes_back = spread(stream, 600.0),
        .restart_failure = between(stream, 0.0, 0.6),
        .backoff_s = between(stream, 0.0, 60.0),
        .most_restarts = (int64_t)sim_random_below(stream, 6),
        .manual = spread(stream, 3000.0),
        .replay_fraction = between(stream, -0.01, 0.01),
    };
}

/* The campaign called @index, under @policy. */
static void draw(uint64_t index, const StratRecovery *policy, Drawn *drawn)
{
    SimRandom all = sim_random_stream(9, "campaigns"), stream = sim_random_child(&all, index);
    StratCampaign *c = &drawn->campaign;
    *c = toy_campaign(&drawn->classes[0], 2048, 0.0, 15.0, between(&stream, 100.0, 4000.0), 0.0);
    draw_classes(drawn, &stream);
    draw_detection(&c->detection, &stream);
    drawn->incidents[0] = (StratFaultIncident){NULL, 1e5, 3e5, 4.0};
    drawn->incidents[1] = (StratFaultIncident){drawn->names[2], 2e5, 9e5, 3.0};
    drawn->cycles[0] = (StratFaultCycle){86400.0, 1e4, between(&stream, 0.0, 1.0)};
    c->faults.classes = drawn->classes;
    c->faults.count = CLASSES;
    c->faults.incidents = drawn->incidents;
    c->faults.incident_count = sim_random_below(&stream, 3);
    c->faults.cycles = drawn->cycles;
    c->faults.cycle_count = sim_random_below(&stream, 2);
    c->faults.node_shape = between(&stream, -1.0, 1.0);
    c->faults.early_s = 86400.0;
    c->faults.seed = index;
    c->replications = 1;
    c->checkpoint.block_s = between(&stream, 0.0, 60.0);
    c->checkpoint.save_s = c->checkpoint.block_s + between(&stream, 0.0, 300.0);
    c->checkpoint.keep = (int64_t)sim_random_below(&stream, 4);
    c->recovery.policy = policy;
    c->recovery.stop_detection = spread(&stream, 60.0);
    c->recovery.hang_detection = spread(&stream, 600.0);
    c->recovery.restart = spread(&stream, 300.0);
    c->recovery.warm_restart = spread(&stream, 60.0);
    c->recovery.load_s = between(&stream, 0.0, 100.0);
    c->recovery.flap_s = between(&stream, 0.0, 3000.0);
    c->recovery.is_safe = sim_random_below(&stream, 2) == 1;
    static const char *const failovers[] = {"none", "dual-tor", "other-nics"};
    c->recovery.failover = strat_failover_by_name(failovers[sim_random_below(&stream, 3)], NULL);
    c->recovery.failover_stall_s = 2.0;
    size_t stragglers = 0;
    const StratStraggler *straggler = strat_straggler_all(&stragglers);
    c->recovery.straggler = &straggler[sim_random_below(&stream, stragglers)];
    c->recovery.stages = 4;
    c->recovery.replicas = 16;
    c->recovery.most_lost = 4;
    c->recovery.rejoin_s = 20.0;
    c->swing = (StratCampaignSwing){between(&stream, -0.1, 0.1), 86400.0, 3600.0};
    c->spares = (StratCampaignSpares){
        .nodes = (int64_t)sim_random_below(&stream, 40) - 10,
        .allocation = spread(&stream, 600.0),
        .repair = spread(&stream, 36000.0),
        .check = spread(&stream, 1800.0),
        .quarantine = (int64_t)sim_random_below(&stream, 4),
    };
}

Test(campaign_laws, every_nanosecond_is_in_one_bucket_under_every_policy)
{
    size_t policies = 0;
    const StratRecovery *all = strat_recovery_all(&policies);
    double met[CLASSES] = {0.0}, noticed = 0.0;
    for (uint64_t i = 0; i < CAMPAIGNS; i++) {
        Drawn drawn;
        draw(i, &all[i % policies], &drawn);
        g_autoptr(StratCampaignResult) r = strat_campaign_run(&drawn.campaign);
        int64_t sum = 0;
        for (int b = 0; b < STRAT_LOST_COUNT; b++) {
            int64_t ns = llround(r->mean_gpu_s[b] / (double)r->gpus * 1e9);
            cr_expect(ns >= 0, "campaign %d: %s", (int)i, strat_lost_key((StratLost)b));
            sum += ns;
        }
        cr_expect(sum == llround(drawn.campaign.duration_s * 1e9), "campaign %d, %s: off by %d ns",
                  (int)i, drawn.campaign.recovery.policy->name,
                  (int)(sum - llround(drawn.campaign.duration_s * 1e9)));
        for (int e = 0; e < CLASSES; e++)
            met[e] += r->class_mean[e];
        noticed += r->noticed;
    }
    for (int e = 0; e < CLASSES; e++) {
        bool stops = e != STRAT_FAULT_CAP; /* slow parts may be evicted */
        cr_expect((met[e] > 0.0) == stops, "effect %d: %g stops", e, met[e]);
    }
    cr_expect(noticed > 0.0);
}

Test(campaign_laws, the_same_seed_gives_the_same_result_whatever_the_threads_do)
{
    for (uint64_t i = 0; i < 12; i++) {
        Drawn drawn;
        draw(i, strat_recovery_by_name("drop-replica", NULL), &drawn);
        drawn.campaign.replications = 6;
        SimFarm alone = sim_farm_threads(1), crew = sim_farm_threads(3);
        drawn.campaign.farm = &alone;
        g_autoptr(StratCampaignResult) one = strat_campaign_run(&drawn.campaign);
        drawn.campaign.farm = &crew;
        g_autoptr(StratCampaignResult) three = strat_campaign_run(&drawn.campaign);
        cr_expect(memcmp(one->lost, three->lost, sizeof one->lost) == 0, "campaign %d", (int)i);
        cr_expect(memcmp(one->class_mean, three->class_mean, CLASSES * sizeof(double)) == 0);
        cr_expect(one->noticed == three->noticed);
        drawn.campaign.faults.seed += 1000;
        g_autoptr(StratCampaignResult) other = strat_campaign_run(&drawn.campaign);
        cr_expect(one->ettr.mean != other->ettr.mean, "campaign %d: the seed changes nothing",
                  (int)i);
    }
}

/* Faults of the class @name in @model, as one number: their times, nodes and draws. */
static double print_of(const StratFaultModel *model, const char *name, int *count)
{
    g_autoptr(StratFaultHistory) history = strat_fault_history_new(model, 2);
    StratFault fault;
    double sum = 0.0;
    *count = 0;
    while (strat_fault_history_next(history, &fault) && fault.at < 1300000 * SIM_TIME_SECOND) {
        if (!g_str_equal(model->classes[fault.class_index].name, name))
            continue;
        SimRandom draws = sim_random_child(&fault.draws, 0);
        ++*count;
        sum += *count * ((double)fault.at * 1e-9 + (double)fault.node + fault.excess +
                         sim_random_uniform(&draws));
    }
    return sum;
}

Test(campaign_laws, no_class_moves_the_faults_of_another)
{
    int met = 0;
    for (uint64_t i = 0; i < CAMPAIGNS; i++) {
        Drawn drawn;
        draw(i, NULL, &drawn);
        int together = 0, alone = 0;
        StratFaultModel model = drawn.campaign.faults;
        size_t kept = i % CLASSES;
        double before = print_of(&model, drawn.names[kept], &together);
        model.classes = &drawn.classes[kept];
        model.count = 1;
        double after = print_of(&model, drawn.names[kept], &alone);
        cr_expect(before == after && together == alone, "campaign %d, %s: %.17g, not %.17g", (int)i,
                  drawn.names[kept], after, before);
        met += together;
    }
    cr_expect(met > 10 * CAMPAIGNS, "only %d faults", met);
}

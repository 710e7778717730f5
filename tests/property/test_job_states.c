/* States of a job, as scenarios write them and as campaigns meet them: what a slow GPU, a weak or a
 * dead NIC and a missing replica cost, on closed forms and on a fabric. */
#include "scen_load.h"
#include "scen_step_state.h"
#include "scen_survive.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Eight nodes; data-parallel traffic that nothing hides. */
static const char *const job = "model: {layers: 8, hidden: 2048, heads: 16, vocab: 32000, "
                               "max_sequence: 1024}\n"
                               "cluster: {node: dgx-h100, gpus: 64}\n"
                               "plan: {base: megatron-core-2024, tensor: 8, pipeline: 2, "
                               "global_batch: 32}\n";

static ScenScenario *try_load(const char *more, GError **error)
{
    g_autofree char *text = g_strconcat(job, more, NULL);
    ScenLoadOptions options = {0};
    return scen_scenario_parse("state", text, strlen(text), &options, error);
}

static ScenScenario *load(const char *more)
{
    g_autoptr(GError) error = NULL;
    ScenScenario *scenario = try_load(more, &error);
    cr_assert(scenario, "%s", error ? error->message : "");
    return scenario;
}

static int64_t step_in(const ScenScenario *scenario, const StratJobState *state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(StratTrainResult) result = scen_simulate_in(scenario, state, &error);
    cr_assert(result, "%s", error ? error->message : "");
    return result->step_ns;
}

static int64_t step_of(const char *more)
{
    g_autoptr(ScenScenario) scenario = load(more);
    return step_in(scenario, &scenario->degraded.state);
}

Test(job_states, a_scenario_names_gpus_nodes_and_nics)
{
    g_autoptr(ScenScenario) s =
        load("faults:\n  slow: [{node: 2, clock: 0.9}, {gpu: 5, clock: 0.8}]\n"
             "  weak_nics: [{node: 7, nic: 1, health: 0.5}, {node: 3, nic: 4, health: 0}]\n");
    const StratJobState *state = &s->degraded.state;
    cr_assert(state->slow_count == 9 && state->weak_count == 2);
    cr_expect(state->slow[0].gpu == 5 && state->slow[1].gpu == 16 && state->slow[8].gpu == 23);
    cr_expect(state->weak[0].node == 3 && state->weak[1].nic == 1, "sorted by place");
    g_autoptr(ScenScenario) rail = load("faults: {weak_nics: [{nic: 2, health: 0.5}]}\n");
    cr_expect(rail->degraded.state.weak_count == 8 && rail->degraded.state.weak[7].node == 7);
}

Test(job_states, what_the_cluster_does_not_have_is_refused)
{
    static const char *const wrong[][2] = {
        {"faults: {slow: [{gpu: 64, clock: 0.8}]}\n",                                             "GPU 64"                             },
        {"faults: {slow: [{gpu: 1, node: 1, clock: 0.8}]}\n",
         "slow is a gpu or all GPUs of a node"                                                                                         },
        {"faults: {slow: [{clock: 0.8}]}\n",                                                      "slow is a gpu or all GPUs of a node"},
        {"faults: {slow: [{gpu: 1, clock: 0}]}\n",                                                "clock"                              },
        {"faults: {weak_nics: [{node: 8, nic: 0, health: 0.5}]}\n",                               "NIC 0 of node 8: "                  },
        {"faults: {weak_nics: [{node: 0, nic: 8, health: 0.5}]}\n",                               "NIC 8 of node 0: "                  },
        {"faults: {weak_nics: [{node: 0, nic: 1, health: 0.5}, {node: 0, nic: 1, health: 0}]}\n",
         "listed twice"                                                                                                                },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(ScenScenario) scenario = try_load(wrong[i][0], &error);
        cr_expect(!scenario, "%s was taken", wrong[i][0]);
        cr_expect(error && strstr(error->message, wrong[i][1]), "%s: %s", wrong[i][0],
                  error ? error->message : "");
    }
    GString *all = g_string_new("faults:\n  weak_nics:\n");
    for (int nic = 0; nic < 8; nic++)
        g_string_append_printf(all, "    - {node: 1, nic: %d, health: 0}\n", nic);
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenScenario) cut_off = try_load(all->str, &error);
    cr_expect(!cut_off && strstr(error->message, "all its NICs are dead"));
    g_string_free(all, TRUE);
}

/* A ring is as slow as its slowest link; a dead NIC's traffic goes over seven others, or on the
 * fabric over one. */
Test(job_states, a_weak_nic_costs_more_the_weaker_and_a_dead_one_is_gone_round)
{
    static const char *const networks[] = {"", "network: fluid\n",
                                           "fabric: {kind: rail-optimised}\n"};
    for (size_t i = 0; i < G_N_ELEMENTS(networks); i++) {
        int64_t step[4];
        static const char *const health[] = {"1", "0.5", "0.25", "0"};
        for (size_t h = 0; h < 4; h++) {
            g_autofree char *more = g_strdup_printf(
                "%sfaults: {weak_nics: [{node: 3, nic: 5, health: %s}]}\n", networks[i], health[h]);
            step[h] = step_of(more);
        }
        cr_expect(step[0] < step[1] && step[1] < step[2],
                  "network %zu: %" PRId64 " %" PRId64 " %" PRId64, i, step[0], step[1], step[2]);
        /* Alone on the fabric a transfer has the whole of the NIC that it is handed to. */
        bool shares = i < 2;
        cr_expect(shares ? step[3] > step[0] : step[3] >= step[0], "network %zu, dead", i);
        cr_expect(step[3] < step[2], "network %zu, dead: %" PRId64, i, step[3]);
    }
}

/* Exposed time of the reduction, on closed forms, is in proportion to 1 / bandwidth. */
Test(job_states, half_a_nic_doubles_the_exposed_bytes_of_its_group)
{
    int64_t whole = step_of("");
    int64_t half = step_of("faults: {weak_nics: [{node: 3, nic: 5, health: 0.5}]}\n");
    int64_t quarter = step_of("faults: {weak_nics: [{node: 3, nic: 5, health: 0.25}]}\n");
    double ratio = (double)(quarter - whole) / (double)(half - whole);
    cr_expect(fabs(ratio - 3.0) < 0.2, "1 / f - 1 is 1 and 3: %g", ratio);
}

/* Where links have room, every rank by itself gives the same step, on links as well. */
Test(job_states, faults_fold_on_a_fabric_with_room)
{
    g_autoptr(ScenScenario) s = load(
        "network: fluid\n"
        "faults: {slow: [{gpu: 33, clock: 0.8}], weak_nics: [{node: 3, nic: 5, health: 0.5}]}\n");
    int64_t folded = step_in(s, &s->degraded.state);
    s->fold = false;
    int64_t whole = step_in(s, &s->degraded.state);
    cr_expect(folded == whole, "%" PRId64 " folded, %" PRId64 " not", folded, whole);
}

Test(job_states, a_missing_replica_leaves_the_step_of_a_smaller_plan)
{
    g_autoptr(ScenScenario) four = load("");
    cr_assert(four->plan.data == 4 && four->plan.global_batch == 32);
    StratJobState one_lost = {.replicas_lost = 1};
    static const char *const three =
        "model: {layers: 8, hidden: 2048, heads: 16, vocab: 32000, max_sequence: 1024}\n"
        "cluster: {node: dgx-h100, gpus: 48}\n"
        "plan: {base: megatron-core-2024, tensor: 8, pipeline: 2, global_batch: 24}\n";
    g_autoptr(GError) error = NULL;
    ScenLoadOptions options = {0};
    g_autoptr(ScenScenario) smaller =
        scen_scenario_parse("three", three, strlen(three), &options, &error);
    cr_assert(smaller, "%s", error ? error->message : "");
    int64_t lost = step_in(four, &one_lost), want = step_in(smaller, &smaller->degraded.state);
    cr_expect(lost == want, "%" PRId64 ", not %" PRId64, lost, want);
    cr_expect(lost != step_in(four, &four->degraded.state), "three reduce faster than four");
}

/* The slow GPU's own replica is not the one that is left out. */
Test(job_states, a_missing_replica_does_not_hide_a_slow_one)
{
    g_autoptr(ScenScenario) s = load("");
    StratSlowGpu slow = {31, 0.8}; /* of the last replica, first stage */
    StratJobState state = {.slow = &slow, .slow_count = 1, .replicas_lost = 2};
    StratJobState lost = {.replicas_lost = 2};
    cr_expect(step_in(s, &state) > step_in(s, &lost));
}

static const char *const campaign =
    "campaign:\n"
    "  duration: 30 d\n"
    "  replications: 40\n"
    "  faults:\n"
    "    classes:\n"
    "      - {name: hot, unit: gpu, effect: slow, clock: 0.8, per_million_hours: 2000, lasts: 10 "
    "h}\n"
    "      - {name: optics, unit: gpu, effect: slow, nic_lost: 0.5, per_million_hours: 500, lasts: "
    "5 h}\n"
    "  checkpoint: {interval: 1 h, block: 1 s, save: 10 s}\n"
    "  recovery: {policy: restart, detection: 1 min, restart: 5 min, load: 1 min}\n"
    "  spares: {nodes: 2, repair: 1 d}\n";

static StratCampaignResult *survive(int64_t threads)
{
    g_autoptr(ScenScenario) s = load(campaign);
    SimFarm farm = sim_farm_threads(threads);
    s->campaign.spec.farm = &farm;
    g_autoptr(GError) error = NULL;
    double step_s = sim_time_to_seconds(step_in(s, &s->degraded.state));
    StratCampaignResult *result = scen_survive(s, step_s, NULL, &error);
    cr_assert(result, "%s", error ? error->message : "");
    return result;
}

Test(job_states, a_campaign_simulates_a_few_steps_for_all_states_and_any_threads)
{
    g_autoptr(StratCampaignResult) one = survive(1);
    g_autoptr(StratCampaignResult) three = survive(3);
    cr_expect(one->steps.asked > 1000, "%" PRId64, one->steps.asked);
    cr_expect(one->steps.simulated < 500, "%" PRId64, one->steps.simulated);
    cr_expect(memcmp(&one->steps, &three->steps, sizeof one->steps) == 0);
    cr_expect(memcmp(one->lost, three->lost, sizeof one->lost) == 0);
    double degraded = one->lost[STRAT_LOST_DEGRADED].mean;
    g_autoptr(ScenScenario) s = load("");
    ScenScenario slow = *s;
    slow.profile.sustained_clock_fraction *= 0.8;
    StratWeakNic half = {-1, -1, 0.5};
    StratJobState weak = {.weak = &half, .weak_count = 1};
    double all = 1.0 - (double)step_in(s, &s->degraded.state) / (double)step_in(&slow, &weak);
    cr_expect(degraded > 0.0 && degraded < all, "%g of the time, %g if all were slow", degraded,
              all);
}

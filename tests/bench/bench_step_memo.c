/*
 * States a second: Llama 3.1 405B on 16,384 GPUs in states drawn at random, of up to three slow
 * GPUs and now and then a weak NIC, asked of a memo; and how many of them had to be simulated.
 * Prints one line and fails nothing. With --quick, a hundredth of the states.
 */
#include "scen_load.h"
#include "scen_step_state.h"
#include "sim_random.h"
#include "strat_step_memo.h"

#include <stdio.h>
#include <string.h>

enum { STATES = 20000 };

static double simulate(const StratJobState *state, void *scenario)
{
    g_autoptr(StratTrainResult) result = scen_simulate_in(scenario, state, NULL);
    g_assert(result);
    return sim_time_to_seconds(result->step_ns);
}

static double ask(StratStepMemo *memo, SimRandom *stream)
{
    StratSlowGpu slow[3];
    StratWeakNic weak = {(int64_t)sim_random_below(stream, 2048),
                         (int64_t)sim_random_below(stream, 8), 0.5};
    StratJobState state = {.slow = slow, .weak = &weak};
    state.weak_count = sim_random_below(stream, 20) == 0;
    for (uint64_t count = sim_random_below(stream, 3), first = 0; state.slow_count <= count;) {
        first += 1 + sim_random_below(stream, 5000);
        slow[state.slow_count++] = (StratSlowGpu){(int64_t)first, 0.8};
    }
    return strat_step_memo_step(&state, memo);
}

int main(int argc, char **argv)
{
    int states = argc > 1 && strcmp(argv[1], "--quick") == 0 ? STATES / 100 : STATES;
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenScenario) scenario = scen_scenario_load(
        TEST_SOURCE_DIR "/scenarios/training/llama-3.1-405b-16384.yaml", NULL, &error);
    if (!scenario) {
        printf("step_memo: %s\n", error->message);
        return 1;
    }
    StratPlaces places = {&scenario->cluster, scenario->gpu_of_rank, NULL, NULL};
    g_autoptr(StratAlike) alike = strat_alike_new(&places, &scenario->plan);
    g_autoptr(StratStepMemo) memo = strat_step_memo_new(simulate, scenario, alike);
    SimRandom stream = sim_random_stream(1, "states");
    double sum_s = 0.0;
    gint64 start = g_get_monotonic_time();
    for (int i = 0; i < states; i++)
        sum_s += ask(memo, &stream);
    double took_s = (double)(g_get_monotonic_time() - start) * 1e-6;
    StratStepCounts counts = strat_step_memo_counts(memo);
    start = g_get_monotonic_time();
    for (int i = 0; i < states; i++)
        sum_s += ask(memo, &stream);
    double again_s = (double)(g_get_monotonic_time() - start) * 1e-6;
    StratStepCounts then = strat_step_memo_counts(memo);
    printf(
        "step_memo %d states in %.2f s, %d simulated (%.1f ms each), %d bounded; as many more in "
        "%.2f s, %d simulated; mean step %.3f s\n",
        states, took_s, (int)counts.simulated, 1e3 * took_s / (double)counts.simulated,
        (int)counts.bounded, again_s, (int)(then.simulated - counts.simulated),
        sum_s / (2.0 * states));
    return 0;
}

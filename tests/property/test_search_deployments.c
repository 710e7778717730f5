/* `orrery search` against trying everything: the same winner, and no bound that a simulation
 * refutes. */
#include "scen_search_report.h"

#include <criterion/criterion.h>

static const char path[] = TEST_SOURCE_DIR "/scenarios/serving/search-llama-3.1-70b.yaml";

/* Traffics and objectives from easy to impossible, and spaces that differ. */
/* clang-format off */
static const char *const games[][6] = {
    {"traffic.rate=2 /s"},
    {"traffic.rate=8 /s", "serve.slo={ttft: 400 ms, tpot: 30 ms}"},
    {"traffic.rate=20 /s", "serve.slo={e2e: 8 s}", "search.objective=gpus"},
    {"traffic.rate=8 /s", "search.disaggregated=true", "search.tensor=[2, 4]",
     "search.max_gpus=10"},
    {"traffic.rate=40 /s", "search.max_tokens=[512, 8192]", "search.max_gpus=8"},
    {"traffic.rate=8 /s", "serve.slo={ttft: 5 ms, tpot: 50 ms}"},
    {"traffic.rate=8 /s", "search.objective=usd_per_million_output_tokens",
     "search.pipeline=[1, 2, 3]", "search.max_gpus=12"},
};
/* clang-format on */

static ScenSearched *search(size_t game, const ScenSearchOptions *options, char **json)
{
    const SimFarm usual = sim_farm_threads(0);
    ScenSearchOptions how = *options;
    how.farm = options->farm ? options->farm : &usual;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) sets = g_ptr_array_new();
    g_ptr_array_add(sets, (void *)"traffic.requests=150");
    g_ptr_array_add(sets, (void *)"serve.warm_up=20");
    g_ptr_array_add(sets, (void *)"search.max_tokens=[4096]");
    for (size_t i = 0; i < G_N_ELEMENTS(games[game]) && games[game][i]; i++)
        g_ptr_array_add(sets, (void *)games[game][i]);
    g_ptr_array_add(sets, NULL);
    const char *const *texts = (const char *const *)sets->pdata;
    g_autoptr(ScenScenario) scenario = scen_scenario_load(path, texts, &error);
    cr_assert_not_null(scenario, "%s", error ? error->message : "");
    ScenSearched *searched = scen_search(scenario, path, texts, &how, &error);
    cr_assert_not_null(searched, "%s", error ? error->message : "");
    if (json)
        *json = scen_search_json(scenario, searched);
    return searched;
}

Test(search_deployments, the_winner_is_that_of_simulating_all)
{
    int winners = 0;
    size_t quickly = 0, in_all = 0;
    for (size_t game = 0; game < G_N_ELEMENTS(games); game++) {
        g_autoptr(ScenSearched) quick = search(game, &(ScenSearchOptions){0}, NULL);
        g_autoptr(ScenSearched) all = search(game, &(ScenSearchOptions){.exhaustive = true}, NULL);
        cr_expect_eq(quick->best, all->best, "game %zu: %d, not %d", game, quick->best, all->best);
        quickly += quick->tried;
        in_all += all->tried;
        winners += all->best >= 0;
    }
    cr_expect_lt(4 * quickly, 3 * in_all);
    cr_expect(winners >= 4 && winners < (int)G_N_ELEMENTS(games), "%d games have a winner",
              winners);
}

Test(search_deployments, no_simulation_beats_a_bound)
{
    int refused = 0;
    for (size_t game = 0; game < G_N_ELEMENTS(games); game++) {
        g_autoptr(ScenSearched) quick = search(game, &(ScenSearchOptions){0}, NULL);
        g_autoptr(ScenSearched) all = search(game, &(ScenSearchOptions){.exhaustive = true}, NULL);
        for (gint i = 0; i < (gint)all->all->list->len; i++) {
            const ScenDeployment *one = scen_searched_at(quick, i);
            const ScenDeployment *truth = scen_searched_at(all, i);
            bool is_refused = one->fate == SCEN_FATE_WORK || one->fate == SCEN_FATE_ALONE ||
                              one->fate == SCEN_FATE_MISSES;
            refused += is_refused;
            cr_expect(!is_refused || truth->fate == SCEN_FATE_MISSES, "game %zu, %d: %s", game, i,
                      scen_fate_name(one->fate));
            if (truth->fate == SCEN_FATE_MEETS)
                cr_expect_leq(truth->least_usd, truth->figures.usd, "game %zu, %d", game, i);
        }
    }
    cr_expect_gt(refused, 100);
}

Test(search_deployments, threads_do_not_show)
{
    const SimFarm lone = sim_farm_threads(1), few = sim_farm_threads(3);
    for (size_t game = 0; game < 4; game++) {
        g_autofree char *one = NULL, *three = NULL;
        g_autoptr(ScenSearched) first = search(game, &(ScenSearchOptions){.farm = &lone}, &one);
        g_autoptr(ScenSearched) second = search(game, &(ScenSearchOptions){.farm = &few}, &three);
        cr_assert(first && second);
        cr_expect_str_eq(one, three);
    }
}

static bool after_some(void *ctx)
{
    return g_atomic_int_add((gint *)ctx, 1) > 200;
}

Test(search_deployments, a_stopped_search_says_so_and_keeps_what_it_has)
{
    gint asked = 0;
    const SimFarm lone = sim_farm_threads(1);
    ScenSearchOptions options = {.farm = &lone, .stops = after_some, .ctx = &asked};
    g_autoptr(ScenSearched) searched = search(0, &options, NULL);
    cr_expect(searched->stopped);
    bool any = false;
    for (gint i = 0; i < (gint)searched->all->list->len; i++)
        any = any || scen_searched_at(searched, i)->fate == SCEN_FATE_STOPPED;
    cr_expect(any);
}

/* `orrery search` over training plans against simulating all that fit: the same winner, whatever
 * the number of threads, and no bound that a simulation refutes. */
#include "scen_plan_search_report.h"

#include <criterion/criterion.h>

static const char path[] = TEST_SOURCE_DIR "/scenarios/training/search-gpt-175b-1024-a100.yaml";

/* Small spaces that differ in what decides: memory, the pipeline, traffic between nodes. */
/* clang-format off */
static const char *const games[][5] = {
    {"model=gpt3-6.7b", "cluster.gpus=16", "plan={base: megatron-lm-2022, global_batch: 32}"},
    {"model=gpt3-13b", "cluster.gpus=32", "plan={base: megatron-lm-2023, global_batch: 64}",
     "search.micro_batch=[1, 2, 4]"},
    {"model=llama-3.1-8b", "cluster.gpus=16", "search.data=[1, 2, 4]", "search.micro_batch=[1]",
     "plan={base: megatron-lm-2023, global_batch: 16, sequence_length: 8192}"},
    {"model=gpt3-6.7b", "cluster.gpus=16", "search.schedule=[1f1b, zb-h1, zb-1p, interleaved-1f1b]",
     "plan={base: megatron-lm-2022, global_batch: 16}", "search.recompute=[none, selective]"},
    {"model=gpt3-13b", "cluster.gpus=32", "plan={base: megatron-lm-2023, global_batch: 64}",
     "search.micro_batch=[1, 2]", "network=fluid"},
};
/* clang-format on */

static ScenPlansSearched *search(size_t game, const ScenSearchOptions *options, char **json)
{
    const SimFarm usual = sim_farm_threads(0);
    ScenSearchOptions how = *options;
    how.farm = options->farm ? options->farm : &usual;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) sets = g_ptr_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(games[game]) && games[game][i]; i++)
        g_ptr_array_add(sets, (void *)games[game][i]);
    g_ptr_array_add(sets, NULL);
    g_autoptr(ScenScenario) scenario =
        scen_scenario_load(path, (const char *const *)sets->pdata, &error);
    cr_assert_not_null(scenario, "%s", error ? error->message : "");
    ScenPlansSearched *searched = scen_plan_search(scenario, &how, &error);
    cr_assert_not_null(searched, "%s", error ? error->message : "");
    if (json)
        *json = scen_plan_search_json(scenario, searched);
    return searched;
}

static const ScenPlanTrial *at(const ScenPlansSearched *searched, gint index)
{
    return &g_array_index(searched->space->trials, ScenPlanTrial, index);
}

/* Whether a plan of @searched's Pareto set has the figures of @one. */
static bool has_alike(const ScenPlansSearched *searched, const ScenPlanTrial *one)
{
    for (gint i = 0; i < (gint)searched->space->trials->len; i++) {
        const ScenPlanTrial *other = at(searched, i);
        if (searched->pareto[i] && other->gpus == one->gpus && other->step_s <= one->step_s &&
            other->memory_bytes <= one->memory_bytes)
            return true;
    }
    return false;
}

/* The Pareto set of @quick is that of @all, which simulated every plan; returns its size. */
static size_t expect_same_pareto(const ScenPlansSearched *quick, const ScenPlansSearched *all,
                                 size_t game)
{
    size_t front = 0;
    for (gint i = 0; i < (gint)all->space->trials->len; i++) {
        front += all->pareto[i];
        cr_expect(!all->pareto[i] || has_alike(quick, at(all, i)), "game %zu lacks plan %d", game,
                  i);
        cr_expect(!quick->pareto[i] || all->pareto[i], "game %zu: plan %d is beaten", game, i);
    }
    return front;
}

Test(search_plans, the_answer_is_that_of_simulating_all)
{
    size_t quickly = 0, in_all = 0, front = 0;
    for (size_t game = 0; game < G_N_ELEMENTS(games); game++) {
        g_autoptr(ScenPlansSearched) quick = search(game, &(ScenSearchOptions){0}, NULL);
        g_autoptr(ScenPlansSearched) all =
            search(game, &(ScenSearchOptions){.exhaustive = true}, NULL);
        cr_assert_geq(all->best, 0, "game %zu has no winner", game);
        cr_expect_eq(quick->best, all->best, "game %zu: %d, not %d", game, quick->best, all->best);
        front += expect_same_pareto(quick, all, game);
        quickly += quick->tried;
        in_all += all->tried;
        for (gint i = 0; i < (gint)all->space->trials->len; i++) {
            const ScenPlanTrial *one = at(all, i);
            if (one->fate != SCEN_PLAN_FITS)
                continue;
            cr_expect_leq(one->least.step_s, one->step_s, "game %zu, plan %d", game, i);
            cr_expect_leq(one->least.memory_bytes, one->memory_bytes * (1.0 + 1e-9));
        }
    }
    cr_log_info("%zu simulated, of %zu that fit", quickly, in_all);
    cr_expect_lt(2 * quickly, in_all);
    cr_expect_gt(front, 2 * G_N_ELEMENTS(games), "the cases show nothing");
}

Test(search_plans, the_answer_does_not_depend_on_the_number_of_threads)
{
    const SimFarm lone = sim_farm_threads(1), few = sim_farm_threads(3);
    for (size_t game = 0; game < G_N_ELEMENTS(games); game++) {
        g_autofree char *one = NULL, *three = NULL;
        g_autoptr(ScenPlansSearched) a = search(game, &(ScenSearchOptions){.farm = &lone}, &one);
        g_autoptr(ScenPlansSearched) b = search(game, &(ScenSearchOptions){.farm = &few}, &three);
        cr_expect_str_eq(one, three, "game %zu", game);
        cr_expect_eq(a->tried, b->tried);
    }
}

/* Every combination is either a plan to try or refused for one reason. */
Test(search_plans, every_combination_is_accounted_for)
{
    g_autoptr(ScenPlansSearched) searched = search(2, &(ScenSearchOptions){0}, NULL);
    int64_t sum = searched->space->trials->len;
    for (guint i = 0; i < searched->space->refused->len; i++)
        sum += g_array_index(searched->space->refused, ScenRefusedPlans, i).count;
    cr_expect_eq(sum, searched->space->combinations);
    cr_expect(searched->pareto[searched->best]);
    bool smaller = false;
    for (gint i = 0; i < (gint)searched->space->trials->len; i++)
        smaller = smaller || (searched->pareto[i] && at(searched, i)->gpus < 16);
    cr_expect(smaller, "no plan of fewer GPUs is in the Pareto set");
}

/* The search itself, on candidates that are numbers: the answer of trying all, whoever tries. */
#include "strat_search.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <math.h>

enum { COUNT = 300 };

typedef struct Game {
    double objective[COUNT];
    bool meets[COUNT];
    gint tried; /* atomic */
    gint most;  /* stops after so many; 0: never */
} Game;

static GBytes *evaluate(void *ctx, size_t index)
{
    Game *game = ctx;
    g_atomic_int_inc(&game->tried);
    return g_bytes_new(&game->objective[index], sizeof(double));
}

static void take(void *ctx, size_t index, GBytes *bytes, StratTrial *trial)
{
    const Game *game = ctx;
    trial->verdict = game->meets[index] ? STRAT_MEETS : STRAT_FAILS;
    trial->objective = *(const double *)g_bytes_get_data(bytes, NULL);
}

static bool stops(void *ctx)
{
    Game *game = ctx;
    return game->most > 0 && g_atomic_int_get(&game->tried) >= game->most;
}

/* A game of @seed, with bounds between 0 and @tightness of the objectives. */
static void deal(Game *game, StratTrial *trial, guint32 seed, double tightness)
{
    g_autoptr(GRand) dice = g_rand_new_with_seed(seed);
    *game = (Game){0};
    for (size_t i = 0; i < COUNT; i++) {
        game->objective[i] = (double)g_rand_int_range(dice, 1, 60);
        game->meets[i] = g_rand_double(dice) < 0.2;
        trial[i] = (StratTrial){.bound = game->objective[i] * g_rand_double(dice) * tightness};
    }
}

static size_t brute(const Game *game)
{
    size_t best = COUNT;
    for (size_t i = 0; i < COUNT; i++)
        if (game->meets[i] && (best == COUNT || game->objective[i] < game->objective[best]))
            best = i;
    return best;
}

static StratSearch search_of(Game *game, StratTrial *trial, const SimFarm *farm)
{
    return (StratSearch){.trial = trial,
                         .count = COUNT,
                         .reach = 1.0,
                         .farm = farm,
                         .ctx = game,
                         .evaluate = evaluate,
                         .take = take,
                         .stops = stops};
}

Test(strat_search, the_answer_is_that_of_trying_all_and_fewer_are_tried)
{
    SimFarm alone = sim_farm_threads(1);
    for (guint32 seed = 1; seed <= 50; seed++) {
        Game game;
        StratTrial trial[COUNT];
        deal(&game, trial, seed, 1.0);
        StratSearch search = search_of(&game, trial, &alone);
        cr_expect_eq(strat_search_run(&search), brute(&game), "seed %u", seed);
        cr_expect_lt(game.tried, COUNT);
    }
}

Test(strat_search, bounds_that_are_too_high_lose_the_answer)
{
    SimFarm alone = sim_farm_threads(1);
    int lost = 0;
    for (guint32 seed = 1; seed <= 50; seed++) {
        Game game;
        StratTrial trial[COUNT];
        deal(&game, trial, seed, 10.0);
        StratSearch search = search_of(&game, trial, &alone);
        lost += strat_search_run(&search) != brute(&game);
    }
    cr_expect_gt(lost, 0);
}

Test(strat_search, threads_change_neither_the_answer_nor_what_is_tried)
{
    SimFarm alone = sim_farm_threads(1), crew = sim_farm_threads(3);
    for (guint32 seed = 1; seed <= 20; seed++) {
        Game one, three;
        StratTrial by_one[COUNT], by_three[COUNT];
        deal(&one, by_one, seed, 1.0);
        deal(&three, by_three, seed, 1.0);
        StratSearch first = search_of(&one, by_one, &alone);
        StratSearch second = search_of(&three, by_three, &crew);
        cr_expect_eq(strat_search_run(&first), strat_search_run(&second));
        for (size_t i = 0; i < COUNT; i++)
            cr_expect_eq(by_one[i].verdict, by_three[i].verdict, "seed %u, %zu", seed, i);
    }
}

Test(strat_search, reach_tries_what_may_cost_more_and_all_means_all)
{
    SimFarm alone = sim_farm_threads(1);
    Game game;
    StratTrial trial[COUNT];
    gint tried[3];
    const double reach[] = {1.0, 3.0, 1.0};
    for (size_t i = 0; i < 3; i++) {
        deal(&game, trial, 7, 1.0);
        StratSearch search = search_of(&game, trial, &alone);
        search.reach = reach[i];
        search.exhaustive = i == 2;
        cr_expect_eq(strat_search_run(&search), brute(&game));
        tried[i] = game.tried;
    }
    cr_expect(tried[0] < tried[1] && tried[1] < tried[2]);
    cr_expect_eq(tried[2], COUNT);
}

Test(strat_search, stopping_leaves_the_rest_untried)
{
    SimFarm alone = sim_farm_threads(1);
    Game game;
    StratTrial trial[COUNT];
    deal(&game, trial, 3, 1.0);
    game.most = 5;
    StratSearch search = search_of(&game, trial, &alone);
    strat_search_run(&search);
    cr_expect_eq(game.tried, 5);
    search.count = 0;
    cr_expect_eq(strat_search_run(&search), 0, "nothing to choose from");
}

Test(strat_search, a_point_is_kept_unless_another_is_nowhere_worse)
{
    const double points[] = {1, 5, /**/ 2, 4, /**/ 2, 5, /**/ 3, 3, /**/ 3, 3, /**/ 9, 3};
    bool kept[6];
    strat_search_pareto(points, 6, 2, kept);
    const bool want[] = {true, true, false, true, true, false};
    for (size_t i = 0; i < 6; i++)
        cr_expect_eq(kept[i], want[i], "point %zu", i);
}

Test(strat_search, combinations_come_once_each_the_last_axis_first)
{
    const size_t size[] = {2, 1, 3};
    size_t digit[3] = {0};
    for (size_t i = 0; i < 6; i++) {
        cr_expect_eq(digit[0] * 3 + digit[2], i);
        cr_expect_eq(strat_search_next(digit, size, 3), i < 5);
    }
    cr_expect(digit[0] == 0 && digit[1] == 0 && digit[2] == 0);
}

/* Pages going down and up, and LoRA slots, step by step. */
#include "strat_adapters.h"
#include "strat_kv_tiers.h"

#include <criterion/criterion.h>

static const StratKvTier two_tiers[] = {
    {.pages = 2, .page_s = 0.5, .latency_s = 0.25},
    {.pages = 3, .page_s = 2.0, .latency_s = 1.0 },
};

Test(kv_tiers, the_longest_unused_page_goes_down_and_is_forgotten_in_the_end)
{
    g_autoptr(StratKvTiers) tiers = strat_kv_tiers_new(two_tiers, 2);
    for (uint64_t page = 1; page <= 6; page++)
        strat_kv_tiers_put(tiers, page);
    /* 6 and 5 are in the first, 4, 3 and 2 in the second, 1 is gone. */
    cr_expect_eq(strat_kv_tiers_pages(tiers, 0), 2);
    cr_expect_eq(strat_kv_tiers_pages(tiers, 1), 3);
    double load_s;
    const uint64_t gone = 1;
    cr_expect_eq(strat_kv_tiers_match(tiers, &gone, 1, &load_s), 0);
    const uint64_t chain[] = {6, 4, 5, 3, 1, 2};
    cr_expect_eq(strat_kv_tiers_match(tiers, chain, 6, &load_s), 4);
    cr_expect_float_eq(load_s, 0.25 + 2 * 0.5 + 1.0 + 2 * 2.0, 1e-12);
}

Test(kv_tiers, what_is_loaded_has_left_and_what_is_put_again_is_young)
{
    g_autoptr(StratKvTiers) tiers = strat_kv_tiers_new(two_tiers, 2);
    for (uint64_t page = 1; page <= 4; page++)
        strat_kv_tiers_put(tiers, page); /* 4 3 | 2 1 */
    const uint64_t loaded[] = {3, 1};
    strat_kv_tiers_load(tiers, loaded, 2); /* 4 | 2 */
    double load_s;
    cr_expect_eq(strat_kv_tiers_match(tiers, loaded, 2, &load_s), 0);
    cr_expect_eq(load_s, 0.0);
    strat_kv_tiers_put(tiers, 2); /* 2 4 | */
    cr_expect_eq(strat_kv_tiers_pages(tiers, 0), 2);
    cr_expect_eq(strat_kv_tiers_pages(tiers, 1), 0);
    strat_kv_tiers_put(tiers, 5); /* 5 2 | 4 */
    const uint64_t down[] = {4};
    cr_expect_eq(strat_kv_tiers_match(tiers, down, 1, &load_s), 1);
    cr_expect_float_eq(load_s, 3.0, 1e-12);
}

Test(adapters, slots_in_use_stay_and_the_longest_unused_one_goes)
{
    g_autoptr(StratAdapters) adapters = strat_adapters_new(2);
    cr_expect(strat_adapters_hold(adapters, 7));
    cr_expect(strat_adapters_hold(adapters, 8));
    cr_expect_not(strat_adapters_hold(adapters, 7), "it is there");
    cr_expect_not(strat_adapters_fit(adapters, 9), "both slots are in use");
    cr_expect(strat_adapters_fit(adapters, 8));
    cr_expect(strat_adapters_fit(adapters, -1));
    strat_adapters_release(adapters, 7);
    cr_expect_not(strat_adapters_fit(adapters, 9), "7 has another user");
    strat_adapters_release(adapters, 7);
    strat_adapters_release(adapters, 8);
    cr_expect(strat_adapters_fit(adapters, 9));
    cr_expect_not(strat_adapters_hold(adapters, 7), "unused, but still there");
    cr_expect(strat_adapters_hold(adapters, 9), "in the place of 8");
    cr_expect_not(strat_adapters_fit(adapters, 8));
}

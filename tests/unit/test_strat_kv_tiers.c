/* Pages going down and up, and LoRA slots, step by step. */
#include "serve_log.h"
#include "strat_adapters.h"
#include "strat_kv_tiers.h"
#include "toy_serve.h"

#include <criterion/criterion.h>
#include <glib.h>

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

Test(kv_tiers, a_prefix_that_left_the_gpu_comes_back_in_the_time_of_its_load)
{
    static const uint64_t page[][4] = {
        {1,  2, 3},
        { 5, 6, 7, 8}
    };
    StratEngine engine = toy_engine();
    engine.block_tokens = 4;
    engine.prefix_cache = true;
    StratRequest request[] = {
        serve_request(0, 0, 8, 1),
        serve_request(1, 1, 16, 1),
        serve_request(2, 2, 12, 1),
        serve_request(3, 3, 4, 1),
    };
    request[0].page = request[2].page = page[0];
    request[0].pages = 2;
    request[1].page = page[1];
    request[1].pages = 4;
    request[2].pages = 3;
    /* 1 takes all four blocks: pages 1 and 2 are gone, or in the first tier. From there they come
     * in 0.25 + 2 x 0.5 s, behind an iteration of one second. */
    g_autofree char *without = serve_log(&engine, 4, 4, request, 4);
    cr_expect_str_eq(without, "0: +0/8\n1: +1/16\n2: +2/12\n3: +3/4\n");
    ServeHost host = {.tier = two_tiers, .tiers = 2};
    g_autofree char *fast = serve_log_host(&engine, 4, 4, &host, request, 4);
    cr_expect_str_eq(fast, "0: +0/8\n1: +1/16\n2: +2/4\n3.25: +3/4\n");
    /* Room for one: page 1, the end of a chain goes first, is in the second tier: 1 + 2 + 0.25 +
     * 0.5 s. */
    StratKvTier small[] = {two_tiers[0], two_tiers[1]};
    small[0].pages = 1;
    host.tier = small;
    g_autofree char *slow = serve_log_host(&engine, 4, 4, &host, request, 4);
    cr_expect_str_eq(slow, "0: +0/8\n1: +1/16\n2: +2/4\n5.75: +3/4\n");
}

Test(kv_tiers, an_engine_says_in_bytes_what_lies_behind_its_gpus)
{
    static const uint64_t page[][4] = {
        {1,  2, 3},
        { 5, 6, 7, 8}
    };
    StratEngine engine = toy_engine();
    engine.block_tokens = 4;
    engine.prefix_cache = true;
    engine.host_cache_bytes = 9e5; /* two pages of four tokens of 1e5 bytes */
    StratRequest request[] = {serve_request(0, 0, 8, 1), serve_request(1, 1, 16, 1),
                              serve_request(2, 2, 12, 1)};
    request[0].page = request[2].page = page[0];
    request[0].pages = 2;
    request[1].page = page[1];
    request[1].pages = 4;
    request[2].pages = 3;
    /* The last of a request's tokens is computed nowhere, so four blocks take 16 and one to come.
     */
    ToyPricer pricer = toy_pricer(1.0, 0.0, 0.0);
    StratDeployment deployment = toy_deployment(&engine);
    g_autoptr(StratSource) source = toy_source(request, 3, 4);
    StratServeSpec spec = toy_serve_spec(&deployment, &pricer, 5, source, false);
    spec.host_bytes_per_s = 4e5; /* a page a second */
    g_autoptr(StratServeResult) result = strat_serve_run(&spec, NULL);
    cr_assert_not_null(result);
    /* Of the five blocks one was never used: only page 2, the end of the chain, went. */
    cr_expect_eq(result->loaded_tokens, 4);
    cr_expect_eq(result->cached_tokens, 8);
    const StratOutcome *last = &g_array_index(result->outcomes, StratOutcome, 2);
    cr_expect_eq(last->first_token_ns, 3000000000, "the load hides behind the iteration");
    g_autoptr(StratSource) again = toy_source(request, 3, 4);
    spec.source = again;
    spec.host_bytes_per_s = 1e5; /* four seconds for the page */
    g_autoptr(StratServeResult) slow = strat_serve_run(&spec, NULL);
    last = &g_array_index(slow->outcomes, StratOutcome, 2);
    cr_expect_eq(last->first_token_ns, 6000000000);
}

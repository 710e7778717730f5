/* SGLang, schedules worked out by hand. */
#include "serve_log.h"
#include "toy_serve.h"

#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>

static StratEngine sglang(int64_t chunk, double ratio)
{
    StratEngine engine = toy_engine();
    engine.scheduler = "sglang";
    engine.max_tokens = chunk;
    engine.block_tokens = 1;
    engine.new_token_ratio = ratio;
    return engine;
}

Test(sglang, prompts_go_before_decodes_and_share_one_chunk)
{
    StratEngine engine = sglang(16, 0.7);
    StratRequest request[] = {serve_request(0, 0, 6, 3), serve_request(1, 1, 20, 2),
                              serve_request(2, 1, 4, 2)};
    g_autofree char *log = serve_log(&engine, 100, 0, request, 3);
    cr_expect_str_eq(log, "0: +0/6\n"
                          "1: +1/16\n"
                          "2: +1/4 +2/4\n"
                          "3: 0 1 2\n"
                          "4: 0\n");
}

Test(sglang, without_chunks_the_budget_ends_the_batch)
{
    StratEngine engine = sglang(16, 0.7);
    engine.chunked_prefill = false;
    StratRequest request[] = {serve_request(0, 0, 6, 1), serve_request(1, 0, 10, 1),
                              serve_request(2, 0, 4, 1)};
    /* The engine asks for less than what is left: 10 of 10 is too much. */
    g_autofree char *log = serve_log(&engine, 100, 0, request, 3);
    cr_expect_str_eq(log, "0: +0/6\n"
                          "1: +1/10 +2/4\n");
}

Test(sglang, admission_reserves_a_share_of_the_outputs_to_come)
{
    StratRequest request[] = {serve_request(0, 0, 10, 20), serve_request(1, 1, 10, 10)};
    /* 30 tokens are free at second 1 and 19 outputs to come: 20 < 30 - 9.5, but 20 >= 30 - 19. */
    StratEngine half = sglang(16, 0.5);
    g_autofree char *soon = serve_log(&half, 40, 0, request, 2);
    cr_expect(g_str_has_prefix(soon, "0: +0/10\n1: +1/10\n2: 0 1\n"), "%s", soon);
    StratEngine all = sglang(16, 1.0);
    g_autofree char *late = serve_log(&all, 40, 0, request, 2);
    cr_expect(g_str_has_prefix(late, "0: +0/10\n1: 0\n2: 0\n"), "%s", late);
    cr_expect(strstr(late, "\n19: 0\n20: +1/10\n21: 1\n"), "%s", late);
}

Test(sglang, the_share_decays_while_decodes_run)
{
    StratEngine engine = sglang(4096, 0.5);
    StratRequest request[] = {serve_request(0, 0, 10, 1500), serve_request(1, 300, 1000, 300)};
    /* 299 decodes later: free 2000 - 309, to come 1200, share 0.5 - 299 x 0.43 / 600 = 0.2857, and
     * 1300 < 1348; without the decay 1300 >= 1091. At second 1 it does not fit either. */
    g_autofree char *late = serve_log(&engine, 2000, 0, request, 2);
    cr_expect(strstr(late, "\n299: 0\n300: +1/1000\n301: 0 1\n"));
    request[1].arrival_ns = 1000000000;
    g_autofree char *early = serve_log(&engine, 2000, 0, request, 2);
    cr_expect(strstr(early, "\n299: 0\n300: 0\n"));
    cr_expect(strstr(early, "\n1499: 0\n1500: +1/1000\n"));
}

Test(sglang, who_has_said_least_is_retracted_and_the_share_rises)
{
    StratEngine engine = sglang(64, 0.1);
    StratRequest request[] = {serve_request(0, 0, 8, 12), serve_request(1, 1, 8, 12)};
    /* 20 < 22 - 1.1. Both have said 8 when 30 tokens are full: the later one goes. The share is
     * min(1, 28 / 13). 1 has 16 tokens then. */
    g_autofree char *log = serve_log(&engine, 30, 0, request, 2);
    cr_expect_str_eq(log, "0: +0/8\n"
                          "1: +1/8\n"
                          "2: 0 1\n3: 0 1\n4: 0 1\n5: 0 1\n6: 0 1\n7: 0 1\n8: 0 1\n"
                          "9: 0 -1\n"
                          "10: 0\n11: 0\n12: 0\n"
                          "13: +1/16\n"
                          "14: 1\n15: 1\n16: 1\n");
}

Test(sglang, a_full_batch_looks_at_nobody_until_one_leaves)
{
    StratEngine engine = sglang(64, 0.1);
    StratRequest request[] = {serve_request(0, 0, 8, 5), serve_request(1, 1, 40, 1),
                              serve_request(2, 2, 2, 1)};
    /* 1 finds no room; 2 would, but is behind it and nobody asks. */
    g_autofree char *log = serve_log(&engine, 45, 0, request, 3);
    cr_expect_str_eq(log, "0: +0/8\n"
                          "1: 0\n2: 0\n3: 0\n4: 0\n"
                          "5: +1/40 +2/2\n");
}

static const uint64_t pages[][3] = {
    {1,  2,  3 },
    {1,  2,  4 },
    {5,  6,  7 },
    {1,  8,  9 },
    {10, 11, 12}
};

static StratRequest with_pages(StratRequest request, size_t row, size_t count)
{
    request.page = pages[row];
    request.pages = count;
    return request;
}

Test(sglang, the_longest_cached_prefix_goes_first)
{
    StratEngine engine = sglang(8, 0.7);
    engine.prefix_cache = true;
    StratRequest request[] = {
        with_pages(serve_request(0, 0, 8, 1), 0, 2),
        with_pages(serve_request(1, 1, 8, 1), 2, 2),
        with_pages(serve_request(2, 1, 12, 1), 1, 3),
    };
    g_autofree char *fcfs = serve_log(&engine, 100, 4, request, 3);
    cr_expect_str_eq(fcfs, "0: +0/8\n"
                           "1: +1/8\n"
                           "2: +2/4\n");
    engine.order = "lpm";
    g_autofree char *lpm = serve_log(&engine, 100, 4, request, 3);
    cr_expect_str_eq(lpm, "0: +0/8\n"
                          "1: +2/4 +1/4\n"
                          "2: +1/4\n");
}

Test(sglang, of_those_that_share_an_uncached_prefix_one_goes_first)
{
    StratEngine engine = sglang(128, 0.7);
    engine.prefix_cache = true;
    engine.order = "lpm";
    StratRequest request[] = {
        with_pages(serve_request(0, 0, 64, 1), 0, 2),
        with_pages(serve_request(1, 0, 64, 1), 3, 2),
        with_pages(serve_request(2, 0, 64, 1), 2, 2),
    };
    g_autofree char *log = serve_log(&engine, 1000, 32, request, 3);
    cr_expect_str_eq(log, "0: +0/64 +2/64\n"
                          "1: +1/32\n");
}

Test(sglang, beyond_128_waiting_the_queue_stays_as_it_is)
{
    StratEngine engine = sglang(8, 0.7);
    engine.prefix_cache = true;
    engine.order = "lpm";
    StratRequest request[131];
    for (int i = 0; i < 131; i++)
        request[i] = with_pages(serve_request(i, i == 0 ? 0 : 1, 8, 1), i == 0 ? 0 : 2, 2);
    request[129] = with_pages(serve_request(129, 1, 8, 1), 0, 2);
    /* 130 wait at second 1, 129 at second 2 and 128 at second 3, when 129 finds a page of 4. */
    for (int i = 1; i < 129; i++)
        request[i].pages = 0;
    g_autofree char *log = serve_log(&engine, 1000, 4, request, 131);
    cr_expect(g_str_has_prefix(log, "0: +0/8\n1: +1/8\n2: +2/8\n3: +129/4 +3/4\n"), "%.100s", log);
}

Test(sglang, depth_first_takes_the_heaviest_branch_first)
{
    StratEngine engine = sglang(64, 0.7);
    engine.prefix_cache = true;
    engine.order = "dfs-weight";
    engine.max_sequences = 1;
    StratRequest request[] = {
        with_pages(serve_request(0, 0, 12, 1), 0, 3), with_pages(serve_request(1, 0, 12, 1), 2, 3),
        with_pages(serve_request(2, 2, 13, 1), 2, 3), with_pages(serve_request(3, 2, 13, 1), 3, 3),
        with_pages(serve_request(4, 2, 13, 1), 1, 3), with_pages(serve_request(5, 2, 13, 1), 4, 3),
    };
    /* Page 1 has two, page 5 one; 4 is below page 2, 3 ends at page 1; 5 is at the root. */
    g_autofree char *log = serve_log(&engine, 1000, 4, request, 6);
    cr_expect_str_eq(log, "0: +0/12\n1: +1/12\n"
                          "2: +4/5\n3: +3/9\n4: +2/1\n5: +5/13\n");
}

Test(sglang, the_highest_response_ratio_and_the_longest_output_go_first)
{
    StratEngine engine = sglang(64, 0.7);
    engine.max_sequences = 1;
    engine.prefix_cache = true;
    engine.order = "hrrn";
    StratRequest request[] = {serve_request(0, 0, 10, 1), serve_request(1, 0, 20, 1),
                              serve_request(2, 0, 4, 2)};
    /* After 10 tokens 1 has waited 10 / 20 and 2 10 / 4. */
    g_autofree char *hrrn = serve_log(&engine, 1000, 4, request, 3);
    cr_expect_str_eq(hrrn, "0: +0/10\n1: +2/4\n2: 2\n3: +1/20\n");
    engine.order = "lof";
    g_autofree char *lof = serve_log(&engine, 1000, 4, request, 3);
    cr_expect_str_eq(lof, "0: +2/4\n1: 2\n2: +0/10\n3: +1/20\n");
    engine.order = "shortest-prefill-first";
    g_autofree char *shortest = serve_log(&engine, 1000, 4, request, 3);
    cr_expect_str_eq(shortest, "0: +2/4\n1: 2\n2: +0/10\n3: +1/20\n");
}

Test(sglang, an_unknown_order_is_an_error_that_names_the_known_ones)
{
    StratEngine engine = sglang(64, 0.7);
    engine.order = "alphabetical";
    StratDeployment deployment = toy_deployment(&engine);
    ToyPricer pricer = toy_pricer(1.0, 0.0, 0.0);
    StratRequest request = serve_request(0, 0, 4, 1);
    g_autoptr(StratSource) source = toy_source(&request, 1, 0);
    StratServeSpec spec = toy_serve_spec(&deployment, &pricer, 100, source, false);
    g_autoptr(GError) error = NULL;
    cr_assert_null(strat_serve_run(&spec, &error));
    cr_expect(strstr(error->message, "alphabetical") && strstr(error->message, "dfs-weight"));
}

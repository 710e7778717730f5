/* TensorRT-LLM's two policies, schedules worked out by hand. */
#include "serve_log.h"
#include "toy_serve.h"

#include <criterion/criterion.h>
#include <glib.h>

static StratEngine trtllm(const char *scheduler, int64_t tokens)
{
    StratEngine engine = toy_engine();
    engine.scheduler = scheduler;
    engine.max_tokens = tokens;
    engine.block_tokens = 4;
    engine.chunked_prefill = false;
    return engine;
}

Test(trtllm, no_evict_lets_in_only_who_can_run_to_the_end)
{
    StratEngine engine = trtllm("trtllm-guaranteed-no-evict", 100);
    StratRequest request[] = {serve_request(0, 0, 8, 8), serve_request(1, 0, 8, 8),
                              serve_request(2, 0, 4, 4)};
    /* Four blocks each are all of the eight, although only four are used at first. */
    g_autofree char *log = serve_log(&engine, 8, 0, request, 3);
    cr_expect_str_eq(log, "0: +0/8 +1/8\n"
                          "1: 0 1\n2: 0 1\n3: 0 1\n4: 0 1\n5: 0 1\n6: 0 1\n7: 0 1\n"
                          "8: +2/4\n"
                          "9: 2\n10: 2\n11: 2\n");
}

Test(trtllm, max_utilization_pauses_the_last_and_keeps_the_order)
{
    StratEngine engine = trtllm("trtllm-max-utilization", 100);
    StratRequest request[] = {serve_request(0, 0, 8, 8), serve_request(1, 0, 8, 8),
                              serve_request(2, 0, 4, 4)};
    /* 2 + 2 + 1 blocks of 7; the next tokens want one more each. At second 5 the fourth blocks of 0
     * and 1 do not fit beside each other. From then on 1 wants four for 13 tokens, and 2 stands
     * behind it. */
    g_autofree char *log = serve_log(&engine, 7, 0, request, 3);
    cr_expect_str_eq(log, "0: +0/8 +1/8 +2/4\n"
                          "1: 0 1 -2\n"
                          "2: 0 1\n3: 0 1\n4: 0 1\n"
                          "5: 0 -1\n"
                          "6: 0\n7: 0\n"
                          "8: +1/13 +2/5\n"
                          "9: 1 2\n10: 1 2\n");
}

Test(trtllm, decodes_count_before_prompts_in_the_tokens_of_an_iteration)
{
    StratRequest request[] = {serve_request(0, 0, 8, 3), serve_request(1, 0, 8, 2),
                              serve_request(2, 0, 2, 1)};
    const char *policy[] = {"trtllm-guaranteed-no-evict", "trtllm-max-utilization"};
    for (size_t i = 0; i < G_N_ELEMENTS(policy); i++) {
        StratEngine engine = trtllm(policy[i], 10);
        g_autofree char *whole = serve_log(&engine, 100, 0, request, 3);
        cr_expect_str_eq(whole, "0: +0/8\n"
                                "1: 0 +1/8\n"
                                "2: 0 1 +2/2\n");
        /* Two tokens are left beside 0: no block of 1, all of 2. */
        engine.chunked_prefill = true;
        g_autofree char *chunked = serve_log(&engine, 100, 0, request, 3);
        cr_expect_str_eq(chunked, "0: +0/8 +2/2\n"
                                  "1: 0 +1/8\n"
                                  "2: 0 1\n");
    }
}

Test(trtllm, a_request_waits_for_the_page_that_another_computes)
{
    StratEngine engine = trtllm("trtllm-guaranteed-no-evict", 100);
    engine.prefix_cache = true;
    const uint64_t first[] = {1, 2};
    const uint64_t second[] = {1, 3};
    StratRequest request[] = {serve_request(0, 0, 8, 2), serve_request(1, 0, 8, 1)};
    request[0].page = first;
    request[1].page = second;
    request[0].pages = request[1].pages = 2;
    g_autofree char *log = serve_log(&engine, 100, 4, request, 2);
    cr_expect_str_eq(log, "0: +0/8\n"
                          "1: 0 +1/4\n");
}

Test(trtllm, prompts_wait_for_company_beside_decodes)
{
    StratRequest request[] = {serve_request(0, 0, 8, 7), serve_request(1, 1, 8, 1),
                              serve_request(2, 2, 8, 1)};
    const char *policy[] = {"trtllm-guaranteed-no-evict", "trtllm-max-utilization"};
    for (size_t i = 0; i < G_N_ELEMENTS(policy); i++) {
        StratEngine engine = trtllm(policy[i], 100);
        engine.batch_wait_iterations = 3;
        /* 1 could come in at second 1, and does after three iterations of decodes. */
        g_autofree char *late = serve_log(&engine, 100, 0, request, 3);
        cr_expect_str_eq(late, "0: +0/8\n1: 0\n2: 0\n3: 0\n4: 0 +1/8 +2/8\n5: 0\n6: 0\n");
        /* With 2 there would be 17 tokens in the iteration. */
        engine.batch_wait_fraction = 0.17;
        g_autofree char *enough = serve_log(&engine, 100, 0, request, 3);
        cr_expect_str_eq(enough, "0: +0/8\n1: 0\n2: 0 +1/8 +2/8\n3: 0\n4: 0\n5: 0\n6: 0\n");
        engine.batch_wait_fraction = 0.18;
        g_autofree char *short_of_it = serve_log(&engine, 100, 0, request, 3);
        cr_expect_str_eq(short_of_it, late);
    }
}

Test(trtllm, prompts_that_find_no_room_do_not_wait_for_company)
{
    StratEngine engine = trtllm("trtllm-guaranteed-no-evict", 100);
    engine.batch_wait_iterations = 3;
    StratRequest request[] = {serve_request(0, 0, 8, 5), serve_request(1, 1, 8, 1)};
    /* 0 holds all four blocks until it ends; nobody decodes then. */
    g_autofree char *log = serve_log(&engine, 4, 0, request, 2);
    cr_expect_str_eq(log, "0: +0/8\n1: 0\n2: 0\n3: 0\n4: 0\n5: +1/8\n");
}

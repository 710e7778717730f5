/* vLLM V0, schedules worked out by hand. */
#include "serve_log.h"
#include "toy_serve.h"

#include <criterion/criterion.h>
#include <glib.h>

static StratEngine v0(int64_t tokens)
{
    StratEngine engine = toy_engine();
    engine.scheduler = "vllm-v0";
    engine.max_tokens = tokens;
    engine.block_tokens = 4;
    engine.chunked_prefill = false;
    return engine;
}

Test(vllm_v0, prompts_go_before_decodes_and_never_with_them)
{
    StratEngine engine = v0(20);
    StratRequest request[] = {
        serve_request(0, 0, 8, 4),
        serve_request(1, 1, 10, 2),
        serve_request(2, 1, 10, 2),
        serve_request(3, 1, 10, 2),
    };
    g_autofree char *log = serve_log(&engine, 100, 0, request, 4);
    cr_expect_str_eq(log, "0: +0/8\n"
                          "1: +1/10 +2/10\n"
                          "2: +3/10\n"
                          "3: 0 1 2 3\n"
                          "4: 0\n"
                          "5: 0\n");
}

Test(vllm_v0, old_versions_count_prompts_as_long_as_the_longest)
{
    StratRequest request[] = {serve_request(0, 0, 4, 1), serve_request(1, 0, 12, 1)};
    StratEngine engine = v0(20);
    g_autofree char *sum = serve_log(&engine, 100, 0, request, 2);
    cr_expect_str_eq(sum, "0: +0/4 +1/12\n");
    engine.padded_prompts = true; /* 2 x 12 > 20 */
    g_autofree char *padded = serve_log(&engine, 100, 0, request, 2);
    cr_expect_str_eq(padded, "0: +0/4\n"
                             "1: +1/12\n");
}

Test(vllm_v0, the_last_one_is_computed_again)
{
    StratEngine engine = v0(20);
    StratRequest request[] = {serve_request(0, 0, 7, 6), serve_request(1, 0, 7, 6)};
    g_autofree char *log = serve_log(&engine, 4, 0, request, 2);
    cr_expect_str_eq(log, "0: +0/7 +1/7\n"
                          "1: 0 1\n"
                          "2: 0 -1\n"
                          "3: 0\n"
                          "4: 0\n"
                          "5: 0\n"
                          "6: +1/9\n"
                          "7: 1\n"
                          "8: 1\n"
                          "9: 1\n");
}

Test(vllm_v0, a_waiting_prompt_leaves_the_watermark_alone)
{
    StratEngine engine = v0(20);
    engine.watermark_fraction = 0.25;
    StratRequest request[] = {serve_request(0, 0, 12, 2), serve_request(1, 1, 16, 1)};
    g_autofree char *log = serve_log(&engine, 8, 0, request, 2);
    cr_expect_str_eq(log, "0: +0/12\n"
                          "1: 0\n"
                          "2: +1/16\n");
}

Test(vllm_v0, swapped_sequences_come_back_with_what_they_had_before_new_prompts)
{
    StratEngine engine = v0(20);
    ServeHost host = {.blocks = 10, .swap_block_s = 0.25};
    StratRequest request[] = {serve_request(0, 0, 7, 6), serve_request(1, 0, 7, 6),
                              serve_request(2, 3, 3, 1)};
    /* Two blocks of 1 go out in 0.5 s. 2 has room, and waits for 1, which comes back when two
     * blocks and one for its ninth token are free, in 0.5 s. */
    g_autofree char *log = serve_log_host(&engine, 4, 0, &host, request, 3);
    cr_expect_str_eq(log, "0: +0/7 +1/7\n"
                          "1: 0 1\n"
                          "2: 0 -1\n"
                          "3.5: 0\n"
                          "4.5: 0\n"
                          "5.5: 0\n"
                          "6.5: 1\n"
                          "8: +2/3\n"
                          "9: 1\n"
                          "10: 1\n"
                          "11: 1\n");
    host.blocks = 1; /* no room for two: computed again */
    g_autofree char *again = serve_log_host(&engine, 4, 0, &host, request, 2);
    cr_expect(g_str_has_suffix(again, "2: 0 -1\n3: 0\n4: 0\n5: 0\n6: +1/9\n7: 1\n8: 1\n9: 1\n"),
              "%s", again);
}

Test(vllm_v0, a_request_whose_adapter_finds_no_slot_is_passed_over)
{
    const char *schedulers[] = {"vllm-v0", "trtllm-guaranteed-no-evict", "vllm-v1"};
    for (size_t i = 0; i < G_N_ELEMENTS(schedulers); i++) {
        StratEngine engine = v0(20);
        engine.scheduler = schedulers[i];
        engine.max_adapters = 1;
        engine.adapter_load_s = 0.5;
        StratRequest request[] = {serve_request(0, 0, 4, 2), serve_request(1, 0, 4, 2),
                                  serve_request(2, 0, 4, 2)};
        request[0].adapter = request[2].adapter = 5;
        request[1].adapter = 6;
        g_autofree char *log = serve_log(&engine, 100, 0, request, 3);
        cr_expect_str_eq(log, "0: +0/4 +2/4\n"
                              "1.5: 0 2\n"
                              "2.5: +1/4\n"
                              "4: 1\n");
    }
}

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

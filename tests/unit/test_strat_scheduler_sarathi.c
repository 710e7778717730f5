/* Sarathi-Serve, schedules worked out by hand. */
#include "serve_log.h"
#include "toy_serve.h"

#include <criterion/criterion.h>
#include <glib.h>

static StratEngine sarathi(int64_t chunk)
{
    StratEngine engine = toy_engine();
    engine.scheduler = "sarathi";
    engine.max_tokens = chunk;
    engine.block_tokens = 4;
    return engine;
}

Test(sarathi, decodes_come_first_then_prompts_under_way_then_waiting_ones_within_one_chunk)
{
    StratEngine engine = sarathi(10);
    StratRequest request[] = {
        serve_request(0, 0, 8, 4),
        serve_request(1, 1, 25, 2),
        serve_request(2, 1, 5, 2),
    };
    g_autofree char *log = serve_log(&engine, 100, 0, request, 3);
    cr_expect_str_eq(log, "0: +0/8\n"
                          "1: 0 +1/9\n"
                          "2: 0 +1/9\n"
                          "3: 0 +1/7 +2/2\n"
                          "4: 1 +2/3\n"
                          "5: 2\n");
}

Test(sarathi, the_last_one_goes_when_a_decode_finds_no_block_and_says_again_what_it_had)
{
    StratEngine engine = sarathi(100);
    StratRequest request[] = {serve_request(0, 0, 7, 6), serve_request(1, 0, 7, 6)};
    /* Two blocks each; the ninth token of both does not fit. 1 comes back with 7 + 2 tokens. */
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

Test(sarathi, all_of_a_prompt_has_to_fit_above_the_watermark)
{
    StratEngine engine = sarathi(16);
    engine.watermark_fraction = 0.25;
    StratRequest request[] = {serve_request(0, 0, 12, 2), serve_request(1, 0, 16, 1)};
    /* 3 blocks of 8 are taken: 4 and the watermark of 2 are more than the 5 that are left. */
    g_autofree char *log = serve_log(&engine, 8, 0, request, 2);
    cr_expect_str_eq(log, "0: +0/12\n"
                          "1: 0\n"
                          "2: +1/16\n");
}

Test(sarathi, a_dynamic_chunk_shrinks_as_the_prompt_goes_on)
{
    StratEngine engine = sarathi(96);
    engine.chunk_stages = 3; /* 96, 64, 32, each for 100 tokens */
    engine.chunk_low_tokens = 32;
    engine.chunk_schedule_tokens = 300;
    StratRequest request[] = {serve_request(0, 0, 400, 1)};
    g_autofree char *log = serve_log(&engine, 200, 0, request, 1);
    cr_expect_str_eq(log, "0: +0/96\n"
                          "1: +0/96\n"
                          "2: +0/64\n"
                          "3: +0/32\n"
                          "4: +0/32\n"
                          "5: +0/32\n"
                          "6: +0/32\n"
                          "7: +0/16\n");
}

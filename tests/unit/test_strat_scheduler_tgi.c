/* Text Generation Inference, schedules worked out by hand. */
#include "serve_log.h"
#include "toy_serve.h"

#include <criterion/criterion.h>
#include <glib.h>

static StratEngine tgi(int64_t prompts, double ratio, int64_t waiting)
{
    StratEngine engine = toy_engine();
    engine.scheduler = "tgi";
    engine.max_tokens = prompts;
    engine.block_tokens = 1;
    engine.chunked_prefill = false;
    engine.waiting_served_ratio = ratio;
    engine.max_waiting_tokens = waiting;
    return engine;
}

Test(tgi, decodes_pause_only_when_enough_wait_or_wait_long_enough)
{
    StratEngine engine = tgi(20, 2.0, 4);
    StratRequest request[] = {
        serve_request(0, 0, 5, 10),
        serve_request(1, 1, 3, 2),
        serve_request(2, 5, 3, 2),
        serve_request(3, 7, 3, 2),
    };
    /* 1 is not twice the running one: it comes after the prefill and three decodes. The decode of
     * second 5 is owed. 2 alone is too few, with 3 it is enough. */
    g_autofree char *log = serve_log(&engine, 1000, 0, request, 4);
    cr_expect_str_eq(log, "0: +0/5\n"
                          "1: 0\n"
                          "2: 0\n"
                          "3: 0\n"
                          "4: +1/3\n"
                          "5: 0 1\n"
                          "6: 0\n"
                          "7: +2/3 +3/3\n"
                          "8: 0 2 3\n"
                          "9: 0\n"
                          "10: 0\n"
                          "11: 0\n");
}

Test(tgi, after_the_first_prefill_the_queue_is_asked_again)
{
    StratEngine engine = tgi(20, 1.0, 4);
    StratRequest request[] = {serve_request(0, 0, 15, 3), serve_request(1, 0, 15, 3),
                              serve_request(2, 0, 15, 2)};
    /* 15 + 15 > 20. 2 is one for two that run; the decode is owed first. */
    g_autofree char *log = serve_log(&engine, 1000, 0, request, 3);
    cr_expect_str_eq(log, "0: +0/15\n"
                          "1: +1/15\n"
                          "2: 0 1\n"
                          "3: 0 1\n"
                          "4: +2/15\n"
                          "5: 2\n");
}

Test(tgi, prompts_and_outputs_to_come_stay_within_the_total)
{
    StratEngine engine = tgi(20, 0.1, 1);
    engine.max_total_tokens = 30;
    StratRequest request[] = {serve_request(0, 0, 10, 4), serve_request(1, 0, 15, 2)};
    /* 14 + 17 > 30 */
    g_autofree char *log = serve_log(&engine, 1000, 0, request, 2);
    cr_expect_str_eq(log, "0: +0/10\n"
                          "1: 0\n"
                          "2: 0\n"
                          "3: 0\n"
                          "4: +1/15\n"
                          "5: 1\n");
    engine.max_total_tokens = 31;
    engine.max_tokens = 25;
    g_autofree char *both = serve_log(&engine, 1000, 0, request, 2);
    cr_expect_str_eq(both, "0: +0/10 +1/15\n"
                           "1: 0 1\n"
                           "2: 0\n"
                           "3: 0\n");
}

Test(tgi, chunks_run_beside_decodes_whoever_waits)
{
    StratEngine engine = tgi(8, 9.0, 100);
    engine.chunked_prefill = true;
    StratRequest request[] = {serve_request(0, 0, 4, 3), serve_request(1, 1, 12, 2)};
    g_autofree char *log = serve_log(&engine, 1000, 0, request, 2);
    cr_expect_str_eq(log, "0: +0/4\n"
                          "1: 0 +1/7\n"
                          "2: 0 +1/5\n"
                          "3: 1\n");
}

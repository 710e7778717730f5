/* Triton's dynamic batcher, schedules worked out by hand. */
#include "serve_log.h"
#include "toy_serve.h"

#include <criterion/criterion.h>
#include <glib.h>

static StratEngine triton(double delay_s)
{
    StratEngine engine = toy_engine();
    engine.scheduler = "triton-dynamic";
    engine.max_sequences = 4;
    engine.max_tokens = 1000;
    engine.chunked_prefill = false;
    engine.max_queue_delay_s = delay_s;
    return engine;
}

Test(triton, a_batch_waits_for_the_delay_of_its_oldest_then_goes)
{
    StratEngine engine = triton(2.5);
    StratRequest request[] = {
        serve_request(0, 0, 3, 2),
        serve_request(1, 1, 3, 2),
        serve_request(2, 3, 3, 2),
    };
    g_autofree char *log = serve_log(&engine, 100, 0, request, 3);
    cr_expect_str_eq(log, "2.5: +0/3 +1/3\n"
                          "3.5: 0 1\n"
                          "5.5: +2/3\n"
                          "6.5: 2\n");
}

Test(triton, a_full_batch_goes_at_once_and_nobody_joins_it)
{
    StratEngine engine = triton(2.5);
    StratRequest request[] = {
        serve_request(0, 0, 3, 2), serve_request(1, 1, 3, 2), serve_request(2, 2, 3, 2),
        serve_request(3, 2, 3, 4), serve_request(4, 2, 3, 1),
    };
    g_autofree char *log = serve_log(&engine, 100, 0, request, 5);
    cr_expect_str_eq(log, "2: +0/3 +1/3 +2/3 +3/3\n"
                          "3: 0 1 2 3\n"
                          "4: 3\n"
                          "5: 3\n"
                          "6: +4/3\n");
}

Test(triton, the_largest_preferred_size_goes_and_the_rest_wait)
{
    StratEngine engine = triton(2.5);
    engine.preferred_sequences[0] = 2;
    StratRequest request[] = {serve_request(0, 0, 3, 2), serve_request(1, 0, 3, 2),
                              serve_request(2, 0, 3, 2)};
    g_autofree char *log = serve_log(&engine, 100, 0, request, 3);
    cr_expect_str_eq(log, "0: +0/3 +1/3\n"
                          "1: 0 1\n"
                          "2.5: +2/3\n"
                          "3.5: 2\n");
}

Test(triton, without_a_delay_whoever_waits_goes)
{
    StratEngine engine = triton(0);
    StratRequest request[] = {serve_request(0, 0, 3, 2), serve_request(1, 1, 3, 1),
                              serve_request(2, 1, 3, 1)};
    g_autofree char *log = serve_log(&engine, 100, 0, request, 3);
    cr_expect_str_eq(log, "0: +0/3\n"
                          "1: 0\n"
                          "2: +1/3 +2/3\n");
}

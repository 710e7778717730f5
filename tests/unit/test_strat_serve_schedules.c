/*
 * Schedules worked out by hand. Every iteration takes 10 ms unless a case says otherwise, blocks
 * are of 16 tokens, an iteration has 64 tokens, so times tell who ran when. Each case runs in
 * closed form and iteration by iteration.
 */
#include <criterion/criterion.h>

#include "toy_serve.h"

#define MS INT64_C(1000000)

typedef struct Want {
    SimTime scheduled_ms, first_ms, last_ms;
    int32_t preemptions;
    int64_t cached;
} Want;

static StratRequest request(int64_t id, SimTime at_ms, int64_t input, int64_t output)
{
    return (StratRequest){.id = id,
                          .arrival_ns = at_ms * MS,
                          .input_tokens = input,
                          .output_tokens = output,
                          .session = -1,
                          .adapter = -1};
}

static void check(const StratServeResult *result, const Want *want, size_t count)
{
    cr_assert_not_null(result);
    cr_assert_eq(result->finished, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        const StratOutcome *got = &g_array_index(result->outcomes, StratOutcome, i);
        /* Prices in seconds are no whole numbers of the clock's unit: a time may be a unit short.
         */
        cr_expect_eq((got->scheduled_ns + 1) / MS, want[i].scheduled_ms, "%zu scheduled %ld", i,
                     got->scheduled_ns);
        cr_expect_eq((got->first_token_ns + 1) / MS, want[i].first_ms, "%zu first %ld", i,
                     got->first_token_ns);
        cr_expect_eq((got->last_token_ns + 1) / MS, want[i].last_ms, "%zu last %ld", i,
                     got->last_token_ns);
        cr_expect_eq(got->preemptions, want[i].preemptions, "%zu preemptions", i);
        cr_expect_eq(got->cached_tokens, want[i].cached, "%zu cached %ld", i, got->cached_tokens);
    }
}

static void run(const StratDeployment *deployment, const ToyPricer *pricer, int64_t blocks,
                const StratRequest *requests, const Want *want, size_t count)
{
    for (int exact = 0; exact < 2; exact++) {
        g_autoptr(StratServeResult) result =
            toy_serve(deployment, pricer, blocks, toy_source(requests, count, 16), exact);
        check(result, want, count);
        cr_expect_eq(result->lost_blocks, 0);
    }
}

static void run_engine(const StratEngine *engine, int64_t blocks, const StratRequest *requests,
                       const Want *want, size_t count)
{
    StratDeployment deployment = toy_deployment(engine);
    ToyPricer pricer = toy_pricer(10e-3, 0.0, 0.0);
    run(&deployment, &pricer, blocks, requests, want, count);
}

Test(strat_serve, vllm_v1_cuts_prompts_to_the_budget_and_runs_those_under_way_first)
{
    StratEngine engine = toy_engine();
    /* 0: 64 of request 0; 10: its other 36 and all 20 of 1; 20: both decode; 30: 0 alone */
    const StratRequest requests[] = {request(0, 0, 100, 3), request(1, 0, 20, 2)};
    const Want want[] = {
        {0,  20, 40, 0, 0},
        {10, 20, 30, 0, 0}
    };
    run_engine(&engine, 100, requests, want, 2);
}

Test(strat_serve, vllm_v1_long_prefill_limit_leaves_budget_to_others)
{
    StratEngine engine = toy_engine();
    engine.long_prefill_tokens = 40;
    /* 0: 40 of 0, 24 of 1; 10: 40 of 0, 16 of 1, which is done; 20: 20 of 0, 1 decodes */
    const StratRequest requests[] = {request(0, 0, 100, 1), request(1, 0, 40, 2)};
    const Want want[] = {
        {0, 30, 30, 0, 0},
        {0, 20, 30, 0, 0}
    };
    run_engine(&engine, 100, requests, want, 2);
}

Test(strat_serve, vllm_v1_preempts_the_last_and_computes_it_again)
{
    StratEngine engine = toy_engine();
    /* 5 blocks. 0: both prompts, 2 + 2 blocks. 10: 0 grows to 33 tokens, third block. 20: 1 would
     * grow to 33 and has none: preempted with 2 outputs said. 30: it wants 33 tokens, 3 blocks, 2
     * are free: the queue stops until 0 is done, after 19 decodes, at 200. Then 33 tokens give its
     * third output at 210, and 17 more to come end at 380. */
    const StratRequest requests[] = {request(0, 0, 32, 20), request(1, 0, 31, 20)};
    const Want want[] = {
        {0, 10, 200, 0, 0},
        {0, 10, 380, 1, 0}
    };
    run_engine(&engine, 5, requests, want, 2);
    StratDeployment deployment = toy_deployment(&engine);
    ToyPricer pricer = toy_pricer(10e-3, 0.0, 0.0);
    g_autoptr(StratServeResult) result =
        toy_serve(&deployment, &pricer, 5, toy_source(requests, 2, 0), false);
    cr_expect_eq(result->iterations, 38);
    cr_expect_eq(result->computed_tokens, 32 + 31 + 19 + 1 + 33 + 17);
    /* Gaps: 19 of request 0; of request 1 one before it went, 190 ms until it was back, 17 after.
     */
    cr_expect_eq(strat_digest_count(result->itl_s), 38);
    cr_expect_float_eq(strat_digest_max(result->itl_s), 0.19, 1e-8);
    cr_expect_float_eq(strat_digest_mean(result->itl_s), (37 * 0.01 + 0.19) / 38, 1e-8);
}

Test(strat_serve, vllm_v1_finds_prefixes_and_always_computes_a_token)
{
    StratEngine engine = toy_engine();
    engine.prefix_cache = true;
    const uint64_t page[] = {101, 102};
    StratRequest requests[] = {request(0, 0, 40, 1), request(1, 15, 40, 1), request(2, 15, 32, 1)};
    for (size_t i = 0; i < 3; i++) {
        requests[i].page = page;
        requests[i].pages = 2;
    }
    /* 2 has 32 tokens in 2 pages: only the first may count. */
    const Want want[] = {
        {0,  10, 10, 0, 0 },
        {15, 25, 25, 0, 32},
        {15, 25, 25, 0, 16}
    };
    run_engine(&engine, 100, requests, want, 3);
}

Test(strat_serve, vllm_v1_nobody_overtakes_the_head_of_the_queue)
{
    StratEngine engine = toy_engine();
    /* 4 blocks: 0 has 2, then 3. 1 wants 3 and waits for its end at 100; 2 wants 1 and waits
     * behind. */
    const StratRequest requests[] = {request(0, 0, 30, 10), request(1, 1, 40, 1),
                                     request(2, 2, 5, 1)};
    const Want want[] = {
        {0,   10,  100, 0, 0},
        {100, 110, 110, 0, 0},
        {100, 110, 110, 0, 0}
    };
    run_engine(&engine, 4, requests, want, 3);
}

Test(strat_serve, vllm_v1_reserving_the_prompt_waits_for_room_for_all_of_it)
{
    StratEngine engine = toy_engine();
    /* 6 blocks: 0 takes 3, then 4. The first 16 tokens of 1 would fit at 0, its 64 at 40. */
    const StratRequest requests[] = {request(0, 0, 48, 4), request(1, 0, 64, 1)};
    engine.reserve_prompt = true;
    const Want late[] = {
        {0,  10, 40, 0, 0},
        {40, 50, 50, 0, 0}
    };
    run_engine(&engine, 6, requests, late, 2);
    engine.reserve_prompt = false;
    const Want early[] = {
        {0, 10, 40, 0, 0},
        {0, 50, 50, 1, 0}
    };
    /* 10: 0 takes a fourth block, 1 wants 48 more, 3 blocks, has 1 free: preempted. 20: its first
     * chunk wants 63 tokens, 4 blocks of 2: waits until 40. */
    run_engine(&engine, 6, requests, early, 2);
}

Test(strat_serve, vllm_v1_serves_by_priority)
{
    StratEngine engine = toy_engine();
    engine.max_sequences = 1;
    engine.order = "priority";
    StratRequest requests[] = {request(0, 0, 4, 2), request(1, 1, 4, 1), request(2, 1, 4, 1)};
    requests[1].priority = 5;
    requests[2].priority = 1;
    const Want want[] = {
        {0,  10, 20, 0, 0},
        {30, 40, 40, 0, 0},
        {20, 30, 30, 0, 0}
    };
    run_engine(&engine, 100, requests, want, 3);
}

Test(strat_serve, static_batches_end_together_and_finished_rows_stay)
{
    StratEngine engine = toy_engine();
    engine.scheduler = "static";
    engine.max_sequences = 2;
    engine.max_length = 64;
    StratDeployment deployment = toy_deployment(&engine);
    ToyPricer pricer = toy_pricer(10e-3, 1e-3, 0.0);
    /* 0: prompts, 10 + 20; three iterations of two rows of 12 each, though 1 is done after the
     * first; then request 2: 10 + 10. */
    const StratRequest requests[] = {request(0, 0, 10, 4), request(1, 0, 10, 2),
                                     request(2, 0, 10, 1)};
    const Want want[] = {
        {0,  30, 66, 0, 0},
        {0,  30, 42, 0, 0},
        {66, 86, 86, 0, 0}
    };
    run(&deployment, &pricer, 8, requests, want, 3);
    g_autoptr(StratServeResult) result =
        toy_serve(&deployment, &pricer, 8, toy_source(requests, 3, 0), false);
    cr_expect_gt(result->wasted_kv_fraction, 0.75, "most of 64 reserved tokens are never used: %g",
                 result->wasted_kv_fraction);
}

Test(strat_serve, orca_lets_the_next_in_as_soon_as_one_leaves)
{
    StratEngine engine = toy_engine();
    engine.scheduler = "orca";
    engine.max_sequences = 2;
    engine.max_length = 64;
    const StratRequest requests[] = {request(0, 0, 10, 4), request(1, 0, 10, 2),
                                     request(2, 0, 10, 1)};
    const Want want[] = {
        {0,  10, 40, 0, 0},
        {0,  10, 20, 0, 0},
        {20, 30, 30, 0, 0}
    };
    run_engine(&engine, 8, requests, want, 3);
    /* With room for one reservation only they come one after another. */
    const Want alone[] = {
        {0,  10, 40, 0, 0},
        {40, 50, 60, 0, 0},
        {60, 70, 70, 0, 0}
    };
    run_engine(&engine, 7, requests, alone, 3);
}

Test(strat_serve, caches_move_one_after_another_from_prefill_to_decode)
{
    StratEngine engine = toy_engine();
    StratDeployment deployment = toy_deployment(&engine);
    deployment.pools = 2;
    deployment.pool[1] = deployment.pool[0];
    deployment.pool[0].role = STRAT_ROLE_PREFILL;
    deployment.pool[1].role = STRAT_ROLE_DECODE;
    ToyPricer pricer = toy_pricer(10e-3, 0.0, 0.0);
    /* Both prompts end at 10 ms. 50 tokens move in 0.11 ms, then 14 in 0.038 ms: by then the decode
     * replica has begun, so 1 joins at 20.11. */
    const StratRequest requests[] = {request(0, 0, 50, 3), request(1, 0, 14, 2)};
    g_autoptr(StratServeResult) result =
        toy_serve(&deployment, &pricer, 100, toy_source(requests, 2, 0), false);
    const StratOutcome *outcome = &g_array_index(result->outcomes, StratOutcome, 0);
    cr_expect_eq((outcome[0].last_token_ns + 1) / 1000, 30110);
    cr_expect_eq((outcome[1].last_token_ns + 1) / 1000, 30110);
    cr_expect_eq((outcome[1].first_token_ns + 1) / 1000, 10000);
    cr_expect_eq(outcome[0].replica, 1);
    cr_expect_eq(result->gpus, 2);
}

Test(strat_serve, caches_on_their_way_count_where_they_go)
{
    StratEngine engine = toy_engine();
    StratDeployment deployment = toy_deployment(&engine);
    deployment.pools = 2;
    deployment.pool[1] = deployment.pool[0];
    deployment.pool[1].replicas = 2;
    deployment.pool[0].role = STRAT_ROLE_PREFILL;
    deployment.pool[1].role = STRAT_ROLE_DECODE;
    ToyPricer pricer = toy_pricer(10e-3, 0.0, 0.0);
    /* Both leave at 10 ms, when no decode replica has anything: the second goes where the first
     * does not. */
    const StratRequest requests[] = {request(0, 0, 50, 3), request(1, 0, 14, 2)};
    g_autoptr(StratServeResult) result =
        toy_serve(&deployment, &pricer, 100, toy_source(requests, 2, 0), false);
    const StratOutcome *outcome = &g_array_index(result->outcomes, StratOutcome, 0);
    cr_expect_eq(outcome[0].replica, 1);
    cr_expect_eq(outcome[1].replica, 2);
}

Test(strat_serve, lanes_of_a_pipeline_start_a_stage_apart)
{
    StratEngine engine = toy_engine();
    StratDeployment deployment = toy_deployment(&engine);
    deployment.pool[0].pipeline = 2;
    ToyPricer pricer = toy_pricer(10e-3, 0.0, 0.0);
    pricer.stages = 2.0;
    const StratRequest requests[] = {request(0, 0, 64, 2), request(1, 0, 64, 2)};
    const Want want[] = {
        {0, 10, 20, 0, 0},
        {5, 15, 25, 0, 0}
    };
    run(&deployment, &pricer, 100, requests, want, 2);
}

Test(strat_serve, accepted_guesses_are_output)
{
    StratEngine engine = toy_engine();
    StratDeployment deployment = toy_deployment(&engine);
    deployment.speculation = (StratSpeculation){.tokens = 3, .acceptance = 1.0};
    ToyPricer pricer = toy_pricer(10e-3, 0.0, 0.0);
    /* 1 token with the prompt, then 4 and 4. */
    const StratRequest requests[] = {request(0, 0, 10, 9)};
    const Want want[] = {
        {0, 10, 30, 0, 0}
    };
    run(&deployment, &pricer, 100, requests, want, 1);
}

Test(strat_serve, too_long_requests_are_refused_and_the_rest_is_served)
{
    StratEngine engine = toy_engine();
    engine.max_length = 100;
    StratDeployment deployment = toy_deployment(&engine);
    ToyPricer pricer = toy_pricer(10e-3, 0.0, 0.0);
    const StratRequest requests[] = {request(0, 0, 99, 2), request(1, 0, 70, 20),
                                     request(2, 0, 60, 2)};
    g_autoptr(StratServeResult) result =
        toy_serve(&deployment, &pricer, 5, toy_source(requests, 3, 0), false);
    cr_expect_eq(result->refused, 2, "one is longer than 100, one than 5 blocks");
    cr_expect_eq(result->finished, 1);
    cr_expect_eq(g_array_index(result->outcomes, StratOutcome, 0).replica, -1);
}

Test(strat_serve, what_cannot_be_served_is_said)
{
    StratEngine engine = toy_engine();
    engine.scheduler = "orca";
    engine.max_length = 1000; /* each reserves more than the cache has */
    StratDeployment deployment = toy_deployment(&engine);
    ToyPricer pricer = toy_pricer(10e-3, 0.0, 0.0);
    const StratRequest requests[] = {request(0, 0, 10, 2)};
    g_autoptr(StratServeResult) result =
        toy_serve(&deployment, &pricer, 5, toy_source(requests, 1, 0), false);
    cr_expect_eq(result->unfinished, 1);
    cr_expect_not_null(result->stuck);
    engine.scheduler = "no such";
    g_autoptr(StratServeResult) none =
        toy_serve(&deployment, &pricer, 5, toy_source(requests, 1, 0), false);
    cr_expect_null(none);
}

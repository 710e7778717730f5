/* Samples and beams that share a cache, schedules and blocks worked out by hand: blocks of 4. */
#include "serve_log.h"
#include "strat_forks.h"
#include "toy_serve.h"

#include <criterion/criterion.h>
#include <glib.h>

enum { BLOCK = 4 };

static StratEngine engine_of(const char *scheduler)
{
    StratEngine engine = toy_engine();
    engine.scheduler = scheduler;
    engine.block_tokens = BLOCK;
    engine.prefix_cache = g_str_equal(scheduler, "vllm-v1");
    return engine;
}

static const ServeHost counting = {.counts = true};

Test(forks, three_samples_on_v0_share_a_prompt_and_copy_its_last_block)
{
    StratEngine engine = engine_of("vllm-v0");
    StratRequest request = serve_request(0, 0, 6, 4);
    int64_t outputs[] = {4, 2, 4};
    request.samples = 3;
    request.sample_output = outputs;
    g_autofree char *log = serve_log_host(&engine, 20, 0, &counting, &request, 1);
    /* 6 tokens: 2 blocks. The 7th of each: 1 full block, and 3 of their own, of which two are
     * copies. The second sample has its two tokens then and frees its block. The 9th token begins
     * a block in each of the other two. */
    cr_expect_str_eq(log, "0: +0/6 =2\n"
                          "1: 0x3 =4\n"
                          "2: 0x2 =3\n"
                          "3: 0x2 =5\n");
}

Test(forks, a_prompt_of_full_blocks_is_never_copied)
{
    StratEngine engine = engine_of("vllm-v0");
    StratRequest request = serve_request(0, 0, 8, 3);
    request.samples = 2;
    g_autofree char *log = serve_log_host(&engine, 20, 0, &counting, &request, 1);
    cr_expect_str_eq(log, "0: +0/8 =2\n"
                          "1: 0x2 =4\n"
                          "2: 0x2 =4\n");
}

Test(forks, samples_on_v1_are_requests_that_find_the_full_block_of_the_first)
{
    StratEngine engine = engine_of("vllm-v1");
    StratRequest request = serve_request(0, 0, 6, 4);
    int64_t outputs[] = {4, 2, 4};
    request.samples = 3;
    request.sample_output = outputs;
    g_autofree char *log = serve_log_host(&engine, 20, 0, &counting, &request, 1);
    /* The partial block is computed three times from the start. */
    cr_expect_str_eq(log, "0: +0/6 +0.1/2 +0.2/2 =4\n"
                          "1: 0 0.1 0.2 =4\n"
                          "2: 0 0.2 =3\n"
                          "3: 0 0.2 =5\n");
    engine.prefix_cache = false;
    g_autofree char *apart = serve_log_host(&engine, 20, 0, &counting, &request, 1);
    cr_expect_str_eq(apart, "0: +0/6 +0.1/6 +0.2/6 =6\n"
                            "1: 0 0.1 0.2 =6\n"
                            "2: 0 0.2 =4\n"
                            "3: 0 0.2 =6\n");
}

Test(forks, children_on_v1_are_admitted_one_by_one)
{
    StratEngine engine = engine_of("vllm-v1");
    engine.max_sequences = 2;
    StratRequest request = serve_request(0, 0, 6, 2);
    request.samples = 3;
    g_autofree char *log = serve_log_host(&engine, 20, 0, &counting, &request, 1);
    /* The third finds the block that the first two left, which nobody holds then. */
    cr_expect_str_eq(log, "0: +0/6 +0.1/2 =3\n"
                          "1: 0 0.1 =3\n"
                          "2: +0.2/2 =2\n"
                          "3: 0.2 =2\n");
}

Test(forks, a_group_on_v0_waits_for_places_for_all_of_it)
{
    StratEngine engine = engine_of("vllm-v0");
    engine.max_sequences = 3;
    StratRequest request[] = {serve_request(0, 0, 4, 2), serve_request(1, 0, 4, 3),
                              serve_request(2, 0, 4, 1)};
    request[1].samples = 3;
    g_autofree char *log = serve_log(&engine, 20, 0, request, 3);
    /* 1 finds two places; 2 stands behind it. */
    cr_expect_str_eq(log, "0: +0/4\n"
                          "1: 0\n"
                          "2: +1/4\n"
                          "3: 1x3\n"
                          "4: 1x3\n"
                          "5: +2/4\n");
}

Test(forks, a_group_goes_to_the_host_as_one_and_comes_back_as_one)
{
    StratEngine engine = engine_of("vllm-v0");
    ServeHost host = {.blocks = 10, .swap_block_s = 0.25, .counts = true};
    StratRequest request[] = {serve_request(0, 0, 7, 6), serve_request(1, 0, 6, 4)};
    request[1].samples = 2;
    /* At 3 the ninth tokens of the group want two blocks and none is free: its 1 + 2 blocks go out
     * in 0.75 s. They need 3 + 2 free ones to come back, and wait for 0. */
    g_autofree char *log = serve_log_host(&engine, 6, 0, &host, request, 2);
    cr_expect_str_eq(log, "0: +0/7 +1/6 =4\n"
                          "1: 0 1x2 =5\n"
                          "2: 0 1x2 =6\n"
                          "3: 0 -1 =3\n"
                          "4.75: 0 =3\n"
                          "5.75: 0 =3\n"
                          "6.75: 1x2 =5\n");
    host.blocks = 2;
    g_autofree char *full = serve_log_host(&engine, 6, 0, &host, request, 2);
    cr_expect(g_str_has_suffix(full, "2: 0 1x2 =6\nstuck\nblocks lost\n"), "%s", full);
}

Test(forks, what_is_left_of_a_group_is_computed_again_when_it_is_one)
{
    StratEngine engine = engine_of("vllm-v0");
    StratRequest request[] = {serve_request(0, 0, 7, 6), serve_request(1, 0, 7, 6)};
    int64_t outputs[] = {1, 6};
    request[1].samples = 2;
    request[1].sample_output = outputs;
    /* As the_last_one_is_computed_again of the tests of vLLM V0. */
    g_autofree char *log = serve_log(&engine, 4, 0, request, 2);
    cr_expect_str_eq(log, "0: +0/7 +1/7\n"
                          "1: 0 1x1\n"
                          "2: 0 -1\n"
                          "3: 0\n"
                          "4: 0\n"
                          "5: 0\n"
                          "6: +1/9\n"
                          "7: 1x1\n"
                          "8: 1x1\n"
                          "9: 1x1\n");
}

Test(forks, beams_that_all_follow_the_first_share_all_but_what_they_write)
{
    StratEngine engine = engine_of("vllm-v0");
    StratRequest request = serve_request(0, 0, 6, 5);
    request.beams = 3;
    request.beam_turnover = 1.0;
    g_autofree char *log = serve_log_host(&engine, 20, 0, &counting, &request, 1);
    /* After each iteration the three have the blocks of the first: copies for the 7th and 8th
     * token, own blocks for the 9th, beside two shared ones, copies for the 10th. */
    cr_expect_str_eq(log, "0: +0/6 =2\n"
                          "1: 0x3 =4\n"
                          "2: 0x3 =4\n"
                          "3: 0x3 =5\n"
                          "4: 0x3 =5\n");
    request.beam_turnover = 0.0;
    g_autofree char *kept = serve_log_host(&engine, 20, 0, &counting, &request, 1);
    cr_expect_str_eq(kept, "0: +0/6 =2\n"
                           "1: 0x3 =4\n"
                           "2: 0x3 =4\n"
                           "3: 0x3 =7\n"
                           "4: 0x3 =7\n");
}

/* When the last of three answers of 3 tokens ends that are prefilled on one replica and decoded on
 * another; iterations take 1 s, the cache of 1000 tokens moves in 2.01 ms. */
static double end_of_moved(const char *scheduler)
{
    StratEngine engine = engine_of(scheduler);
    engine.max_tokens = 3000;
    StratDeployment deployment = toy_deployment(&engine);
    deployment.router = "round-robin";
    deployment.pools = 2;
    deployment.pool[1] = deployment.pool[0];
    deployment.pool[0].role = STRAT_ROLE_PREFILL;
    deployment.pool[1].role = STRAT_ROLE_DECODE;
    ToyPricer pricer = toy_pricer(1.0, 0.0, 0.0);
    StratRequest request = serve_request(0, 0, 1000, 3);
    request.samples = 3;
    g_autoptr(StratServeResult) result =
        toy_serve(&deployment, &pricer, 1000, toy_source(&request, 1, BLOCK), false);
    cr_assert_eq(result->finished, 1);
    cr_expect_eq(result->answers, 3);
    cr_expect_eq(result->output_tokens, 9);
    cr_expect_eq(result->lost_blocks, 0);
    const StratOutcome *outcome = &g_array_index(result->outcomes, StratOutcome, 0);
    cr_expect_eq(outcome->first_token_ns, 1000000000);
    return sim_time_to_seconds(result->end_ns);
}

Test(forks, a_forked_cache_moves_once_and_those_of_children_one_after_another)
{
    cr_expect_float_eq(end_of_moved("vllm-v0"), 1.0 + 0.00201 + 2.0, 1e-9);
    /* The second and the third come while the first decodes, and join after its iteration. */
    cr_expect_float_eq(end_of_moved("vllm-v1"), 1.0 + 0.00201 + 3.0, 1e-9);
}

static StratServeResult *serve_forks(const char *scheduler, const StratRequest *request,
                                     bool speculates, char **message)
{
    StratEngine engine = engine_of(scheduler);
    StratDeployment deployment = toy_deployment(&engine);
    deployment.speculation.tokens = speculates ? 2 : 0;
    deployment.speculation.acceptance = 0.5;
    ToyPricer pricer = toy_pricer(1.0, 0.0, 0.0);
    g_autoptr(StratSource) source = toy_source(request, 1, BLOCK);
    source->samples = request->samples > 1;
    source->beams = request->beams > 1;
    StratServeSpec spec = toy_serve_spec(&deployment, &pricer, 100, source, false);
    g_autoptr(GError) error = NULL;
    StratServeResult *result = strat_serve_run(&spec, &error);
    *message = error ? g_strdup(error->message) : NULL;
    return result;
}

Test(forks, what_an_engine_does_not_do_is_refused_before_it_runs)
{
    static const struct {
        const char *scheduler;
        int64_t samples, beams;
        bool speculates;
        const char *says; /* NULL: it runs */
    } cases[] = {
        {"vllm-v0", 3, 0, false, NULL                                                    },
        {"vllm-v0", 0, 3, false, NULL                                                    },
        {"vllm-v1", 3, 0, false, NULL                                                    },
        {"vllm-v1", 3, 0, true,  NULL                                                    },
        {"tgi",     3, 0, false, NULL                                                    },
        {"sglang",  1, 1, false, NULL                                                    },
        {"vllm-v1", 0, 3, false, "scheduler vllm-v1 runs no beam search"                 },
        {"sglang",  3, 0, false, "scheduler sglang runs no requests with several samples"},
        {"static",  0, 3, false, "those that do: vllm-v0"                                },
        {"vllm-v0", 3, 0, true,  "samples and beams with speculation are not modelled"   },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        StratRequest request = serve_request(0, 0, 6, 4);
        request.samples = cases[i].samples;
        request.beams = cases[i].beams;
        g_autofree char *message = NULL;
        g_autoptr(StratServeResult) result =
            serve_forks(cases[i].scheduler, &request, cases[i].speculates, &message);
        cr_expect_eq(result != NULL, cases[i].says == NULL, "case %zu: %s", i, message);
        cr_expect(!cases[i].says || (message && strstr(message, cases[i].says)), "case %zu: %s", i,
                  message);
    }
}

Test(forks, a_group_that_could_never_have_its_blocks_or_places_is_refused)
{
    g_autofree char *message = NULL;
    StratRequest request = serve_request(0, 0, 8, 9);
    request.samples = 8;
    g_autoptr(StratServeResult) fits = serve_forks("vllm-v0", &request, false, &message);
    cr_expect_eq(fits->finished, 1);
    request.samples = 9; /* max_sequences 8 */
    g_autoptr(StratServeResult) places = serve_forks("vllm-v0", &request, false, &message);
    cr_expect_eq(places->refused, 1);
    /* 2 + 8 x (ceil(54 / 4) - 2 + 1) = 106 of 100 blocks */
    request = serve_request(0, 0, 8, 46);
    request.samples = 8;
    g_autoptr(StratServeResult) blocks = serve_forks("vllm-v0", &request, false, &message);
    cr_expect_eq(blocks->refused, 1);
}

enum { BEAMS = 5, ITERATIONS = 90 };

/* Different blocks of @text[beam][0 .. length): those that hold different tokens, or follow
 * different ones. */
static int64_t count_blocks(int64_t text[BEAMS][ITERATIONS + 1], int64_t prompt, int64_t length)
{
    int64_t blocks = prompt / BLOCK;
    for (int64_t start = blocks * BLOCK; start < prompt + length; start += BLOCK)
        for (int beam = 0; beam < BEAMS; beam++) {
            int64_t end = MIN(start + BLOCK, prompt + length) - prompt;
            bool known = false;
            for (int before = 0; before < beam; before++)
                known =
                    known || memcmp(text[before], text[beam], (size_t)end * sizeof(int64_t)) == 0;
            blocks += !known;
        }
    return blocks;
}

Test(forks, blocks_of_beams_are_the_different_texts_of_their_forks)
{
    const double chance = 0.3;
    for (int64_t prompt = 1; prompt <= 9; prompt++) {
        SimRandom stream = sim_random_stream((uint64_t)prompt, "beams");
        g_autoptr(StratBeams) beams =
            strat_beams_new(&stream, BEAMS, prompt, ITERATIONS, BLOCK, chance);
        int64_t text[BEAMS][ITERATIONS + 1] = {0};
        for (int64_t i = 1; i <= ITERATIONS; i++) {
            for (int beam = 0; beam < BEAMS; beam++)
                text[beam][i - 1] = BEAMS * i + beam;
            cr_assert_eq(beams->held[i], count_blocks(text, prompt, i), "%ld, %ld", prompt, i);
            SimRandom own = sim_random_child(&stream, (uint64_t)i);
            uint64_t stays = 0;
            int stay[BEAMS] = {0};
            bool dropped[BEAMS];
            for (int beam = 0; beam < BEAMS; beam++) {
                dropped[beam] = sim_random_uniform(&own) < chance;
                if (!dropped[beam])
                    stay[stays++] = beam;
            }
            dropped[0] = dropped[0] && stays > 0;
            stays = MAX(stays, 1);
            for (int beam = 0; beam < BEAMS; beam++)
                if (dropped[beam])
                    memcpy(text[beam], text[stay[sim_random_below(&own, stays)]], sizeof text[0]);
            cr_assert_eq(beams->rest[i], count_blocks(text, prompt, i), "%ld, %ld", prompt, i);
        }
    }
}

Test(forks, without_preference_the_chance_to_be_dropped_is_a_count_of_choices)
{
    cr_expect_float_eq(strat_beams_neutral(2), 1.0 / 6.0, 1e-15);
    cr_expect_float_eq(strat_beams_neutral(4), 495.0 / 1820.0, 1e-15);
    cr_expect_float_eq(strat_beams_neutral(6), 593775.0 / 1947792.0, 1e-15);
}

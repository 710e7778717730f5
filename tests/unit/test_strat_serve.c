/* What a run tells beside the schedule: who serves whom, samples, gaps, objectives, the ledger. */
#include <criterion/criterion.h>
#include <math.h>

#include "toy_serve.h"

#define MS INT64_C(1000000)

static StratRequest request(int64_t id, SimTime at_ms, int64_t input, int64_t output)
{
    return (StratRequest){.id = id,
                          .arrival_ns = at_ms * MS,
                          .input_tokens = input,
                          .output_tokens = output,
                          .session = -1,
                          .adapter = -1};
}

static StratServeResult *run(const StratServeSpec *changes, const StratDeployment *deployment,
                             const StratRequest *requests, size_t count)
{
    ToyPricer pricer = toy_pricer(10e-3, 0.0, 0.0);
    g_autoptr(StratSource) source = toy_source(requests, count, 16);
    StratServeSpec spec = *changes;
    spec.deployment = deployment;
    spec.pricer[0] = spec.pricer[1] = &pricer.base;
    spec.blocks[0] = spec.blocks[1] = 100;
    spec.source = source;
    spec.keep_requests = true;
    return strat_serve_run(&spec, NULL);
}

static int32_t replica_of(const StratServeResult *result, guint id)
{
    return g_array_index(result->outcomes, StratOutcome, id).replica;
}

/* Replicas that three requests go to: a long prompt, a short one with the prefix of the first, and
 * one without. */
static void check_router(const char *router, const int32_t want[3])
{
    StratEngine engine = toy_engine();
    engine.prefix_cache = true;
    StratDeployment deployment = toy_deployment(&engine);
    deployment.pool[0].replicas = 2;
    deployment.router = router;
    const uint64_t page[] = {1, 2, 3};
    StratRequest requests[] = {request(0, 0, 200, 5), request(1, 25, 50, 5), request(2, 26, 50, 5)};
    requests[0].page = requests[1].page = page;
    requests[0].pages = requests[1].pages = 3;
    g_autoptr(StratServeResult) result = run(&(StratServeSpec){0}, &deployment, requests, 3);
    for (guint i = 0; i < 3; i++)
        cr_expect_eq(replica_of(result, i), want[i], "%s: request %u went to %d", router, i,
                     replica_of(result, i));
}

Test(strat_serve_result, routers_look_at_what_they_say)
{
    check_router("round-robin", (const int32_t[]){0, 1, 0});
    check_router("least-loaded", (const int32_t[]){0, 1, 0});
    /* At 25 ms 8 tokens of the first prompt are not in an iteration yet; at 26 all of the second
     * are. */
    check_router("shortest-queue", (const int32_t[]){0, 1, 1});
    check_router("prefix-affinity", (const int32_t[]){0, 0, 1});
    /* Second: 12 blocks in use and 10 tokens to compute on 0, nothing and 50 on 1. */
    check_router("kv-aware", (const int32_t[]){0, 1, 1});
    /* Second: 5 ms of an iteration and 10 tokens at 10 / 64 ms each on 0, 50 tokens on 1. Third: 4
     * ms and 60 tokens, or 50. */
    check_router("slo-aware", (const int32_t[]){0, 0, 1});
}

Test(strat_serve_result, samples_show_the_state_at_their_time)
{
    StratEngine engine = toy_engine();
    engine.max_sequences = 1;
    StratDeployment deployment = toy_deployment(&engine);
    const StratRequest requests[] = {request(0, 0, 16, 101), request(1, 5, 16, 1)};
    g_autoptr(StratServeResult) result =
        run(&(StratServeSpec){.sample_s = 0.5}, &deployment, requests, 2);
    cr_assert_geq(result->samples->len, 3);
    const StratServeSample *sample = &g_array_index(result->samples, StratServeSample, 1);
    cr_expect_float_eq(sample->at_s, 0.5, 1e-9);
    cr_expect_float_eq(sample->running, 1.0, 0.0);
    cr_expect_float_eq(sample->waiting, 1.0, 0.0);
    /* 49 iterations of decodes are over and the 50th is under way: 66 tokens, 5 of 100 blocks. */
    cr_expect_float_eq(sample->kv_fraction, 0.05, 1e-12);
    cr_expect_float_eq(sample->output_tokens_per_s, 50 / 0.5, 2.0);
    cr_expect_float_eq(sample->prompt_tokens_per_s, 16 / 0.5, 1e-9);
}

Test(strat_serve_result, latencies_objectives_and_warm_up)
{
    StratEngine engine = toy_engine();
    engine.max_sequences = 1;
    StratDeployment deployment = toy_deployment(&engine);
    deployment.slo_ttft_s = 0.05;
    const StratRequest requests[] = {request(0, 0, 16, 5), request(1, 0, 16, 5),
                                     request(2, 200, 16, 5)};
    g_autoptr(StratServeResult) all = run(&(StratServeSpec){0}, &deployment, requests, 3);
    cr_expect_eq(all->measured, 3);
    cr_expect_eq(all->within_slo, 2, "the second waits 50 ms and has its token after 60");
    cr_expect_eq(all->within_slo_tokens, 10);
    cr_expect_float_eq(strat_digest_max(all->ttft_s), 0.06, 1e-8);
    cr_expect_float_eq(strat_digest_mean(all->tpot_s), 0.01, 1e-8);
    cr_expect_float_eq(strat_digest_max(all->e2e_s), 0.1, 1e-8);
    cr_expect_float_eq(strat_digest_max(all->queue_s), 0.05, 1e-8);
    cr_expect_eq(strat_digest_count(all->itl_s), 12);
    cr_expect_float_eq(strat_digest_max(all->itl_s), 0.01, 1e-8);
    g_autoptr(StratServeResult) late =
        run(&(StratServeSpec){.warm_up_requests = 2}, &deployment, requests, 3);
    cr_expect_eq(late->measured, 1);
    cr_expect_eq(late->finished, 3);
    cr_expect_eq(strat_digest_count(late->itl_s), 4);
    cr_expect_float_eq(strat_digest_max(late->ttft_s), 0.01, 1e-8);
}

Test(strat_serve_result, gpu_seconds_are_busy_or_idle)
{
    StratEngine engine = toy_engine();
    StratDeployment deployment = toy_deployment(&engine);
    deployment.pool[0].tensor = 4;
    deployment.pool[0].replicas = 2;
    /* One replica works 50 ms, then 50 ms more after a pause of 100; the other never. */
    deployment.router = "prefix-affinity";
    const StratRequest requests[] = {request(0, 0, 16, 5), request(1, 150, 16, 5)};
    g_autoptr(StratServeResult) result = run(&(StratServeSpec){0}, &deployment, requests, 2);
    cr_expect_eq(result->gpus, 8);
    cr_expect_float_eq(result->busy_s[STRAT_SERVE_HOST], 4 * 0.1, 1e-8);
    cr_expect_float_eq(result->idle_s, 8 * 0.2 - 4 * 0.1, 1e-8);
}

Test(strat_serve_result, a_queue_that_grows_is_seen)
{
    StratEngine engine = toy_engine();
    engine.max_sequences = 1;
    StratDeployment deployment = toy_deployment(&engine);
    g_autofree StratRequest *requests = g_new(StratRequest, 6000);
    /* 10 ms of service, one every 8 ms: 25 wait longer each second. */
    for (int i = 0; i < 6000; i++)
        requests[i] = request(i, 8 * i, 16, 1);
    g_autoptr(StratServeResult) over = run(&(StratServeSpec){0}, &deployment, requests, 6000);
    cr_expect_float_eq(over->waiting_growth_per_s, 25.0, 0.5);
    for (int i = 0; i < 6000; i++)
        requests[i] = request(i, 12 * i, 16, 1);
    g_autoptr(StratServeResult) under = run(&(StratServeSpec){0}, &deployment, requests, 6000);
    cr_expect_float_eq(under->waiting_growth_per_s, 0.0, 1e-6);
}

Test(strat_serve_result, pages_that_are_no_whole_blocks_are_an_error)
{
    StratEngine engine = toy_engine();
    engine.prefix_cache = true;
    engine.block_tokens = 24;
    StratDeployment deployment = toy_deployment(&engine);
    const StratRequest requests[] = {request(0, 0, 16, 5)};
    g_autoptr(StratServeResult) result = run(&(StratServeSpec){0}, &deployment, requests, 1);
    cr_expect_null(result);
}

/* One user that sends its next request when the last is answered. */
typedef struct Loop {
    StratSource base;
    StratRequest next;
    int64_t left;
    bool ready;
} Loop;

static const StratRequest *loop_peek(StratSource *base)
{
    Loop *loop = (Loop *)base;
    return loop->ready && loop->left > 0 ? &loop->next : NULL;
}

static void loop_take(StratSource *base)
{
    Loop *loop = (Loop *)base;
    loop->ready = false;
    loop->left--;
}

static void loop_done(StratSource *base, int64_t id, int64_t session, SimTime now)
{
    Loop *loop = (Loop *)base;
    cr_expect_eq(id, loop->next.id);
    cr_expect_eq(session, 4);
    loop->next.id++;
    loop->next.arrival_ns = now;
    loop->ready = true;
}

Test(strat_serve_result, closed_loops_go_on_when_answered)
{
    StratEngine engine = toy_engine();
    StratDeployment deployment = toy_deployment(&engine);
    ToyPricer pricer = toy_pricer(10e-3, 0.0, 0.0);
    Loop loop = {
        .base = {.peek = loop_peek, .take = loop_take, .done = loop_done},
        .next = request(0, 0, 16, 3),
        .left = 10,
        .ready = true
    };
    loop.next.session = 4;
    StratServeSpec spec = {
        .deployment = &deployment, .pricer = {&pricer.base}, .blocks = {100}, .source = &loop.base};
    g_autoptr(StratServeResult) result = strat_serve_run(&spec, NULL);
    cr_expect_eq(result->finished, 10);
    cr_expect_float_eq(sim_time_to_seconds(result->end_ns), 0.3, 1e-7);
    cr_expect_float_eq(strat_digest_max(result->queue_s), 0.0, 1e-8);
}

/*
 * The engine reduced to a queue with one server: one sequence at a time, requests of Poisson
 * arrivals. With one output token the service is constant (M/D/1), with a geometric number of
 * tokens of equal short iterations it is geometric, which is M/M/1 up to one iteration. Mean waits
 * against Pollaczek and Khinchine,
 *
 *     W = lambda E[S^2] / (2 (1 - rho)),
 *
 * within three standard errors of 40 batch means.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "sim_random.h"
#include "toy_serve.h"

enum {
    REQUESTS = 200000,
    BATCHES = 40,
};

typedef struct Queue {
    SimRandom stream;
    double at_s, gap_s;
    double mean_tokens; /* of the geometric; 1: constant */
} Queue;

static StratRequest draw(int64_t id, void *ctx)
{
    Queue *queue = ctx;
    queue->at_s += sim_random_exponential(&queue->stream, queue->gap_s);
    int64_t tokens = 1;
    if (queue->mean_tokens > 1.0) {
        double u = sim_random_uniform(&queue->stream);
        tokens += (int64_t)floor(log1p(-u) / log1p(-1.0 / queue->mean_tokens));
    }
    return (StratRequest){.id = id,
                          .arrival_ns = (SimTime)(queue->at_s * 1e9),
                          .input_tokens = 1,
                          .output_tokens = tokens,
                          .session = -1,
                          .adapter = -1};
}

/* Mean wait of a run and its standard error. */
static double mean_wait_s(Queue *queue, double step_s, double *error_s)
{
    StratEngine engine = toy_engine();
    engine.max_sequences = 1;
    StratDeployment deployment = toy_deployment(&engine);
    ToyPricer pricer = toy_pricer(step_s, 0.0, 0.0);
    g_autoptr(StratServeResult) result =
        toy_serve(&deployment, &pricer, 1000, toy_stream(REQUESTS, draw, queue, 0), false);
    double mean[BATCHES] = {0};
    double all = 0.0;
    for (int i = 0; i < REQUESTS; i++) {
        const StratOutcome *outcome = &g_array_index(result->outcomes, StratOutcome, i);
        double wait_s = (double)(outcome->scheduled_ns - outcome->arrival_ns) * 1e-9;
        mean[i / (REQUESTS / BATCHES)] += wait_s / (REQUESTS / BATCHES);
        all += wait_s / REQUESTS;
    }
    double square = 0.0;
    for (int i = 0; i < BATCHES; i++)
        square += (mean[i] - all) * (mean[i] - all);
    *error_s = sqrt(square / (BATCHES - 1) / BATCHES);
    cr_expect_float_eq(strat_digest_mean(result->queue_s), all, 1e-9);
    return all;
}

/* Service of K steps, K geometric of mean @tokens: E[K^2] = (2 - p) / p^2 with p = 1 / tokens. */
static double pollaczek_khinchine_s(double load, double step_s, double tokens)
{
    double service_s = step_s * tokens;
    double square = step_s * step_s * (2.0 - 1.0 / tokens) * tokens * tokens;
    return load / service_s * square / (2.0 * (1.0 - load));
}

static void check(double load, double tokens, uint64_t seed)
{
    double step_s = 10e-3 / tokens;
    Queue queue = {
        .stream = sim_random_stream(seed, "queue"), .gap_s = 10e-3 / load, .mean_tokens = tokens};
    double error_s;
    double got_s = mean_wait_s(&queue, step_s, &error_s);
    double want_s = pollaczek_khinchine_s(load, step_s, tokens);
    cr_expect(fabs(got_s - want_s) < 3.0 * error_s, "load %g, %g tokens: %g s, %g s expected", load,
              tokens, got_s, want_s);
    cr_expect_lt(error_s, 0.1 * want_s, "too wide an interval: %g of %g", error_s, want_s);
    /* The check can fail: a load that is a tenth higher is seen. */
    double other_s = pollaczek_khinchine_s(1.1 * load, step_s, tokens);
    cr_expect(fabs(got_s - other_s) > 3.0 * error_s, "load %g is not told from %g", load,
              1.1 * load);
}

Test(serve_queues, constant_service_waits_as_m_d_1)
{
    check(0.5, 1.0, 1);
    check(0.8, 1.0, 2);
}

Test(serve_queues, geometric_service_waits_as_m_m_1)
{
    check(0.5, 200.0, 3);
    check(0.8, 200.0, 4);
    /* Of 200 steps the geometric is exponential within half a step in 200: W = rho S / (1 - rho).
     */
    cr_expect_float_eq(pollaczek_khinchine_s(0.8, 10e-3 / 200, 200), 0.8 * 10e-3 / 0.2, 2e-4);
}

/* Failures of a deployment against schedules worked out by hand. Iterations of 10 ms, a prompt of
 * 16 tokens that comes at 100 ms, 100 outputs: token k comes at 100 + 10 k ms. A fault at 505 ms
 * breaks off the iteration of token 41; the cache holds 16 + 39 tokens then, known 100 ms later. */
#include "strat_outage.h"

#include "strat_schedule.h"
#include "toy_serve.h"

#include <criterion/criterion.h>

#define MS INT64_C(1000000)

typedef struct Case {
    const char *policy;
    StratFaultClass fault;
    StratFailures failures;
    StratDeployment deployment;
    StratEngine engine;
    StratFaultRecord record;
    int64_t requests;
} Case;

static StratSpread fixed(double s)
{
    return (StratSpread){.kind = STRAT_SPREAD_FIXED, .mean_s = s};
}

/* Two replicas of a GPU on a node each; node 0 is hit at 505 ms. */
static Case case_of(const char *policy, StratFaultEffect effect)
{
    Case it = {
        .policy = policy,
        .fault = {.name = "it",
                  .unit = STRAT_FAULT_NODE,
                  .effect = effect,
                  .shape = 1.0,
                  .lasts = fixed(1.0),
                  .clock_fraction = 0.5},
        .record = {.at_s = 0.505},
        .requests = 1,
    };
    it.engine = toy_engine();
    it.deployment = toy_deployment(NULL);
    it.deployment.router = "least-loaded";
    it.deployment.pool[0].replicas = 2;
    it.failures.stop_detection = it.failures.hang_detection = fixed(0.1);
    it.failures.switch_s = 0.3;
    it.failures.restore_bytes_per_s = 5.5e8;
    for (int p = 0; p < 2; p++)
        it.failures.pool[p] = (StratPoolFailures){
            .restart = fixed(2.0), .ranks = 1, .rank_gpus = 1, .is_across = true};
    return it;
}

static StratServeResult *run(Case *it, bool exact)
{
    ToyPricer pricer = toy_pricer(10e-3, 0.0, 0.0);
    StratRequest request[4];
    for (int64_t i = 0; i < it->requests; i++)
        request[i] = (StratRequest){.id = i,
                                    .arrival_ns = 100 * MS,
                                    .input_tokens = 16,
                                    .output_tokens = 100,
                                    .session = -1,
                                    .adapter = -1};
    g_autoptr(StratSource) source = toy_source(request, (size_t)it->requests, 16);
    it->deployment.engine = &it->engine;
    StratServeSpec spec = toy_serve_spec(&it->deployment, &pricer, 100, source, exact);
    spec.failures = it->failures;
    spec.failures.policy = strat_serve_recovery_by_name(it->policy, NULL);
    spec.failures.faults = (StratFaultModel){
        .classes = &it->fault,
        .count = 1,
        .records = &it->record,
        .record_count = 1,
        .site = {8, 1, 1, 1},
        .scale = 1.0
    };
    g_autoptr(GError) error = NULL;
    StratServeResult *result = strat_serve_run(&spec, &error);
    cr_assert(result, "%s", error ? error->message : "");
    return result;
}

static const StratOutcome *outcome(const StratServeResult *result, guint id)
{
    return &g_array_index(result->outcomes, StratOutcome, id);
}

static void expect_end(const StratServeResult *r, guint id, double ms, const char *what)
{
    cr_expect_lt(ABS((double)outcome(r, id)->last_token_ns - ms * 1e6), 1e3, "%s: %u ends at %ld",
                 what, id, outcome(r, id)->last_token_ns);
}

/* After 40 tokens prompt and outputs are 56 tokens, one iteration of at most 64: token 41 comes at
 * its end, 59 more take 590 ms. */
Test(outage, each_recovery_brings_a_request_back_when_worked_out_by_hand)
{
    static const struct {
        const char *policy;
        int64_t spares;
        double token_41_ms; /* restart: known at 605, back at 2605; a spare: 905; others: 605 */
        int32_t replica;
        int64_t restored;
        double down_s;
    } cases[] = {
        {"restart",           0, 2615.0, 0, 0,  2.1 },
        {"spare",             1, 915.0,  0, 0,  0.4 },
        {"reroute-recompute", 0, 615.0,  1, 0,  0.7 },
        {"reroute-restore",   0, 625.0,  1, 55, 0.71}, /* 5.5 MB at 550 MB/s take 10 ms more */
        {"shrink",            0, 615.0,  1, 0,  0.7 }, /* a replica of one rank cannot */
    };
    for (size_t i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
        bool exact = i % 2;
        Case it = case_of(cases[i / 2].policy, STRAT_FAULT_STOP);
        it.failures.pool[0].spares = cases[i / 2].spares;
        g_autoptr(StratServeResult) r = run(&it, exact);
        const StratFailureSums *f = &r->failures;
        double token_41_ms = cases[i / 2].token_41_ms;
        expect_end(r, 0, token_41_ms + 590.0, it.policy);
        cr_expect_eq(outcome(r, 0)->replica, cases[i / 2].replica, "%s", it.policy);
        cr_expect_float_eq(strat_digest_max(f->stall_s), (token_41_ms - 500.0) / 1e3, 1e-6,
                           "%s: %g", it.policy, strat_digest_max(f->stall_s));
        cr_expect_eq(strat_digest_count(f->stall_s), 1, "%s", it.policy);
        cr_expect(f->faults == 1 && f->hurt == 1 && f->outages->len == 1, "%s", it.policy);
        cr_expect_eq(f->lost_tokens, 55, "%s: %ld", it.policy, f->lost_tokens);
        cr_expect_eq(f->restored_tokens, cases[i / 2].restored, "%s", it.policy);
        cr_expect_float_eq(f->cut_s, 0.005, 1e-6, "%s: %g", it.policy, f->cut_s);
        cr_expect_float_eq(f->down_s, cases[i / 2].down_s, 1e-6, "%s: %g", it.policy, f->down_s);
        double end_s = sim_time_to_seconds(r->end_ns);
        cr_expect_float_eq(f->availability, 1.0 - f->down_s / (2.0 * end_s), 1e-6, "%s", it.policy);
        cr_expect_eq(r->gpus, 2 + cases[i / 2].spares);
        cr_expect_eq(r->lost_blocks, 0);
    }
}

Test(outage, a_request_that_fails_is_counted_and_ends_the_run)
{
    Case it = case_of("fail", STRAT_FAULT_STOP);
    g_autoptr(StratServeResult) r = run(&it, false);
    cr_expect(r->requests == 1 && r->failed == 1 && r->finished == 0 && r->unfinished == 0);
    cr_expect_lt(ABS(r->end_ns - 605 * MS), MS / 1000);
}

/* The iteration under way ends at 510 ms, then 50 of 20 ms until 1510 ms, then 9 of 10 ms. */
Test(outage, a_slow_gpu_stretches_iterations_for_its_time)
{
    for (int exact = 0; exact < 2; exact++) {
        Case it = case_of("restart", STRAT_FAULT_SLOW);
        g_autoptr(StratServeResult) r = run(&it, exact);
        expect_end(r, 0, 1600.0, "slow");
        cr_expect(r->failures.outages->len == 0 && r->failures.faults == 1);
    }
}

/* A link is away from 505 to 1505 ms: token 41 comes at 510, 42 at 1515, the last at 2095. If it
 * may be away for half a second only, the replica hangs. Collectives inside a node do not see it.
 */
Test(outage, a_flap_stalls_collectives_or_hangs_the_replica)
{
    Case it = case_of("reroute-recompute", STRAT_FAULT_FLAP);
    it.failures.flap_s = 2.0;
    g_autoptr(StratServeResult) stalls = run(&it, false);
    expect_end(stalls, 0, 2095.0, "stalls");
    cr_expect_float_eq(strat_digest_max(stalls->failures.stall_s), 1.005, 1e-6);
    cr_expect_float_eq(stalls->failures.availability, 1.0 - 1.0 / (2.0 * 2.095), 1e-6);
    cr_expect_eq(stalls->failures.lost_tokens, 0);
    it.failures.flap_s = 0.5;
    g_autoptr(StratServeResult) hangs = run(&it, false);
    expect_end(hangs, 0, 1205.0, "hangs");
    it.failures.pool[0].is_across = false;
    g_autoptr(StratServeResult) inside = run(&it, false);
    expect_end(inside, 0, 1100.0, "inside");
}

/* Replica 0 has a request when it is to be stopped: it finishes it and starts again from 1100 ms.
 */
Test(outage, a_planned_stop_waits_for_the_requests)
{
    Case it = case_of("restart", STRAT_FAULT_PLANNED);
    g_autoptr(StratServeResult) r = run(&it, false);
    expect_end(r, 0, 1100.0, "planned");
    cr_expect(r->failures.hurt == 0 && r->failures.outages->len == 1);
}

/* Four ranks, a request on each; rank 1 is lost. The group stands until 605 + 50 ms, then its
 * iterations take 40 / 3 ms; request 1 is computed again in the first of them. */
Test(outage, an_expert_group_goes_on_without_a_rank)
{
    for (int exact = 0; exact < 2; exact++) {
        Case it = case_of("shrink", STRAT_FAULT_STOP);
        it.deployment.pool[0].replicas = 1;
        it.deployment.pool[0].data = 4;
        it.failures.pool[0].ranks = 4;
        it.failures.pool[0].most_lost = 1;
        it.failures.switch_s = 0.05;
        it.record.node = 1;
        it.requests = 4;
        g_autoptr(StratServeResult) r = run(&it, exact);
        for (guint i = 0; i < 4; i++)
            expect_end(r, i, 655.0 + 60.0 * 40.0 / 3.0, "shrunk");
        cr_expect_eq(r->failures.lost_tokens, 55);
        cr_expect_eq(strat_digest_count(r->failures.stall_s), 4);
        cr_expect_float_eq(strat_digest_max(r->failures.stall_s), 0.155 + 0.04 / 3.0, 1e-6);
        const StratOutageRecord *o = &g_array_index(r->failures.outages, StratOutageRecord, 0);
        cr_expect_float_eq(o->gone_fraction, 0.25, 1e-12);
        /* 150 ms all of it, then a quarter until the end at 1455 ms */
        cr_expect_float_eq(r->failures.availability, 1.0 - (0.15 + 0.25 * 0.8) / 1.455, 1e-6);
        cr_expect_eq(r->lost_blocks, 0);
    }
}

/* The cache comes to decoding replica 0 after 1.6 MB / 50 GB/s + 10 us = 42 us; token 40 comes at
 * 500.042 ms. From 605 ms on prompt and outputs are computed again by the prefill replica, with
 * token 41 at 615 ms; their 5.6 MB take 122 us to decoding replica 1. */
Test(outage, a_dead_decoding_replica_sends_its_requests_back_to_prefill)
{
    Case it = case_of("reroute-recompute", STRAT_FAULT_STOP);
    it.deployment.pools = 2;
    it.deployment.pool[1] = it.deployment.pool[0];
    it.deployment.pool[0].replicas = 1;
    it.deployment.pool[0].role = STRAT_ROLE_PREFILL;
    it.deployment.pool[1].role = STRAT_ROLE_DECODE;
    it.record.node = 1; /* the first GPU after the prefill replica's */
    g_autoptr(StratServeResult) r = run(&it, false);
    expect_end(r, 0, 615.122 + 590.0, "decoding");
    cr_expect_eq(outcome(r, 0)->replica, 2);
    cr_expect_eq(r->failures.lost_tokens, 55);
    it.record.node = 0; /* and when it is the other way round nobody notices at 505 ms */
    g_autoptr(StratServeResult) other = run(&it, false);
    expect_end(other, 0, 110.042 + 990.0, "prefill");
}

Test(outage, unknown_recoveries_are_refused)
{
    g_autoptr(GError) error = NULL;
    cr_expect_null(strat_serve_recovery_by_name("pray", &error));
    cr_expect(g_error_matches(error, STRAT_ERROR, STRAT_ERROR_UNKNOWN_NAME));
    Case it = case_of("restart", STRAT_FAULT_STOP);
    ToyPricer pricer = toy_pricer(10e-3, 0.0, 0.0);
    g_autoptr(StratSource) source = toy_source(NULL, 0, 16);
    it.deployment.engine = &it.engine;
    StratServeSpec spec = toy_serve_spec(&it.deployment, &pricer, 100, source, false);
    spec.failures.policy = strat_serve_recovery_by_name("restart", NULL);
    spec.autoscale.least = 1;
    g_autoptr(GError) both = NULL;
    cr_expect_null(strat_serve_run(&spec, &both));
    cr_expect(g_error_matches(both, STRAT_ERROR, STRAT_ERROR_UNSUPPORTED));
}

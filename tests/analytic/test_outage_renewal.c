/* Months from minutes: what one fault costs, at the rate of faults, is what a long run under that
 * rate loses (renewal reward, scen_outages.c). Four replicas, a request each 100 ms that takes 200
 * ms and may take 500; a dead replica is known after 0.5 s and back after 5 more, and its requests
 * wait. */
#include "strat_serve.h"

#include "toy_serve.h"

#include <criterion/criterion.h>

enum { REQUESTS = 200000, RECORDED = 100 };

static const double RATE_PER_S = 0.01; /* of faults, on all replicas together */

static StratRequest every_100_ms(int64_t id, void *ctx)
{
    (void)ctx;
    return (StratRequest){.id = id,
                          .arrival_ns = id * 100 * INT64_C(1000000),
                          .input_tokens = 16,
                          .output_tokens = 20,
                          .session = -1,
                          .adapter = -1};
}

/* Requests that miss the objective; faults that hit in *@faults. */
static double missed(const StratFaultModel *model, int64_t *faults)
{
    ToyPricer pricer = toy_pricer(10e-3, 0.0, 0.0);
    StratEngine engine = toy_engine();
    StratDeployment deployment = toy_deployment(&engine);
    g_autoptr(StratSource) source = toy_stream(REQUESTS, every_100_ms, NULL, 16);
    deployment.pool[0].replicas = 4;
    deployment.slo_e2e_s = 0.5;
    StratServeSpec spec = toy_serve_spec(&deployment, &pricer, 100, source, false);
    spec.keep_requests = false;
    spec.failures = (StratFailures){
        .policy = strat_serve_recovery_by_name("restart", NULL),
        .faults = *model,
        .stop_detection = {.kind = STRAT_SPREAD_FIXED, .mean_s = 0.5},
        .pool[0] = {.restart = {.kind = STRAT_SPREAD_FIXED, .mean_s = 5.0}                         },
    };
    g_autoptr(StratServeResult) result = strat_serve_run(&spec, NULL);
    *faults = result->failures.faults;
    return (double)(result->asked - result->within_slo);
}

Test(outage_renewal, faults_apart_cost_what_faults_at_random_cost)
{
    StratFaultRecord record[RECORDED];
    StratFaultClass none = {.name = "gpu", .unit = STRAT_FAULT_GPU, .shape = 1.0};
    StratFaultClass some = none;
    for (int i = 0; i < RECORDED; i++) /* at all phases of the router's round, 150 s apart */
        record[i] = (StratFaultRecord){.at_s = 10.0 + 150.004 * i, .node = i % 4};
    some.per_unit_s = RATE_PER_S / 4.0;
    StratFaultModel apart = {
        .classes = &none,
        .count = 1,
        .records = record,
        .record_count = RECORDED,
        .site = {4, 1, 1, 1},
        .scale = 1.0
    };
    StratFaultModel at_random = {
        .classes = &some, .count = 1, .site = {4, 1, 1, 1},
                .scale = 1.0, .seed = 7
    };
    int64_t hit, hit_at_random;
    double per_fault = missed(&apart, &hit) / RECORDED;
    double lost = missed(&at_random, &hit_at_random);
    cr_expect_eq(hit, RECORDED);
    cr_expect_gt(per_fault, 1.0);
    double faults = RATE_PER_S * REQUESTS * 0.1; /* 200, give or take 14 */
    cr_expect_float_eq((double)hit_at_random, faults, 45.0, "%ld faults", hit_at_random);
    /* For each fault that came. Dips meet 5 % of the time, and two of four are enough then; with
     * two replicas both would be away, and each fault costs 4.4 requests instead of 3.5. */
    cr_expect_float_eq(lost / (double)hit_at_random / per_fault, 1.0, 0.1, "%g of %g",
                       lost / (double)hit_at_random, per_fault);
}

/* What a scenario's failures become: how long a start takes, who passes NICs, what a group can
 * lose, how many spares, and what a run's dips are in the long run. */
#include "scen_outages.h"

#include "scen_load.h"
#include "scen_serve.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static ScenScenario *parse(const char *format, const char *serve, const char *failures)
{
    g_autofree char *text = g_strdup_printf(format, serve, failures);
    g_autoptr(GError) error = NULL;
    ScenLoadOptions options = {0};
    ScenScenario *scenario = scen_scenario_parse("s", text, strlen(text), &options, &error);
    cr_assert_not_null(scenario, "%s", error ? error->message : "");
    return scenario;
}

static const char llama[] =
    "model: llama-3.1-70b\ncluster: {node: dgx-h100, nodes: 2}\n"
    "serve: {engine: vllm-v1, slo: {ttft: 2 s}, %s, failures: {%s}}\n"
    "traffic: {arrivals: poisson, rate: 5 /s, requests: 1500, input: 500, output: 50}\n";

static const char deepseek[] =
    "model: deepseek-v3\ncluster: {node: hgx-h800, nodes: 18}\n"
    "serve: {engine: deepseek-2025, weights: fp8-block, data: 144, expert: 144, %s,\n"
    "  failures: {%s}}\n"
    "traffic: {arrivals: poisson, rate: 5 /s, requests: 10, input: 500, output: 50}\n";

/* 70.6 G weights in bf16 over 8 GPUs are 17.6 GB each, at 50 GB/s of a NIC each 0.353 s. */
Test(scen_outages, a_start_takes_the_weights_over_their_link_and_the_engine)
{
    static const char faults[] =
        "faults: {classes: [{name: n, unit: node, effect: stop, per_million_hours: 1}]}";
    static const struct {
        const char *start;
        double want_s, tolerance_s;
    } cases[] = {
        {"engine_start: 60 s",                              60.353, 0.005},
        {"engine_start: 60 s, load_bandwidth: 1 GB/s",      77.64,  0.05 },
        {"engine_start: 60 s, weights_from: host",          60.30,  0.3  },
        {"restart: 64 s",                                   64.0,   1e-9 },
        {"restart: {distribution: exponential, mean: 3 s}", 3.0,    1e-9 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *failures = g_strdup_printf("%s, %s", faults, cases[i].start);
        g_autoptr(ScenScenario) s = parse(llama, "tensor: 8", failures);
        StratServeMemory memory = {.weights_bytes = 17.64e9};
        StratFailures f = scen_outages_of(s, &memory);
        cr_expect_float_eq(f.pool[0].restart.mean_s, cases[i].want_s, cases[i].tolerance_s,
                           "%s: %g", cases[i].start, f.pool[0].restart.mean_s);
        cr_expect(!f.pool[0].is_across && f.pool[0].most_lost == 0);
        cr_expect_eq(f.faults.site.gpus, 16);
        cr_expect_float_eq(f.restore_bytes_per_s, 4e11, 1.0); /* eight NICs of 400 Gbps */
    }
}

/* 256 experts and c copies on 144 GPUs: (256 + c) / 144 on each, so c copies make up for the
 * experts of c x 144 / (256 + c) GPUs. */
Test(scen_outages, copies_say_how_many_ranks_a_group_can_lose)
{
    static const char failures[] =
        "faults: {classes: [{name: n, unit: node, effect: stop, per_million_hours: 1}]}, "
        "recovery: shrink, restart: 1 min";
    static const struct {
        const char *copies;
        int64_t most_lost;
    } cases[] = {
        {"redundant_experts: 32",  16},
        {"redundant_experts: 176", 58}, /* three each */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ScenScenario) s = parse(deepseek, cases[i].copies, failures);
        StratServeMemory memory = {0};
        StratFailures f = scen_outages_of(s, &memory);
        cr_expect_eq(f.pool[0].most_lost, cases[i].most_lost, "%s: %ld", cases[i].copies,
                     f.pool[0].most_lost);
        cr_expect(f.pool[0].is_across && !f.pool[0].is_tensor_across);
        cr_expect(f.pool[0].ranks == 144 && f.pool[0].rank_gpus == 1);
    }
}

/* The long run is the run without failures less the rate of faults x what one costs. */
Test(scen_outages, the_long_run_is_the_calm_one_less_the_dips)
{
    g_autoptr(ScenScenario) s =
        parse(llama, "tensor: 8, router: least-loaded",
              "faults: {scale: 1000, classes: [{name: n, unit: node, effect: stop, "
              "per_million_hours: 50000}]}, recovery: fail, detection: 5 s, restart: 20 s");
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenServed) served = scen_serve(s, (ScenServeWants){0}, &error);
    cr_assert(served && served->calm, "%s", error ? error->message : "");
    const StratServeResult *r = served->result;
    ScenOutlook o = scen_outages_outlook(s, served->memory, r, served->calm);
    double rate = 2.0 * 1000.0 * 0.05 / 3600.0;
    double asked_per_s = 1500.0 / sim_time_to_seconds(served->calm->end_ns);
    double per_fault =
        (double)(served->calm->within_slo - r->within_slo) / (double)r->failures.faults;
    cr_assert_gt(r->failures.faults, 0);
    cr_expect_gt(r->failed, 0);
    cr_expect_float_eq(o.faults_per_s, rate, 1e-12);
    cr_expect_float_eq(o.attainment,
                       strat_serve_attainment(served->calm) - rate * per_fault / asked_per_s, 1e-9);
    /* Each of two nodes fails once in 72 s and is away for 25: 0.69 are on average, more than 4 for
     * 0.07 % of the time. */
    cr_expect_eq(o.spares[0], 4);
    cr_expect_null(served->fast);
    cr_expect_gt(scen_outages_wasted_gpu_s(r), 0.0);
    cr_expect_eq(scen_outages_wasted_gpu_s(served->calm), 0.0);
}

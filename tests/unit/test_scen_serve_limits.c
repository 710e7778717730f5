/* Keys of a scenario that say who is served when: adapters, priorities, autoscaling, admission;
 * each changes the run as it says. */
#include "scen_load.h"
#include "scen_serve.h"

#include <criterion/criterion.h>
#include <string.h>

static ScenScenario *parse_on(int gpus, const char *serve, const char *traffic, GError **error)
{
    g_autofree char *text = g_strdup_printf("model: llama-3.1-8b\n"
                                            "cluster: {node: dgx-h100, gpus: %d, nodes: 1}\n"
                                            "serve: {%s}\ntraffic: {%s}\n",
                                            gpus, serve, traffic);
    ScenLoadOptions options = {0};
    return scen_scenario_parse("s", text, strlen(text), &options, error);
}

static ScenScenario *parse(int gpus, const char *serve, const char *traffic)
{
    g_autoptr(GError) error = NULL;
    ScenScenario *scenario = parse_on(gpus, serve, traffic, &error);
    cr_assert_not_null(scenario, "%s", error ? error->message : "");
    return scenario;
}

static ScenServed *run(const ScenScenario *scenario)
{
    g_autoptr(GError) error = NULL;
    ScenServed *served = scen_serve(scenario, (ScenServeWants){.requests = true}, &error);
    cr_assert(served && served->result, "%s", error ? error->message : "");
    return served;
}

/* Requests/s of these are more than a GPU serves one sequence at a time. */
static const char crowd[] = "arrivals: poisson, rate: 20 /s, requests: 60, input: 500, output: 20";

Test(scen_serve_limits, adapters_that_do_not_fit_wait_and_are_loaded)
{
    g_autofree char *traffic = g_strconcat(crowd, ", adapters: {count: 4}", NULL);
    double ttft_s[3];
    const char *const engines[] = {"{base: vllm-v1}", "{base: vllm-v1, max_adapters: 4}",
                                   "{base: vllm-v1, max_adapters: 1, adapter_load: 50 ms}"};
    for (size_t i = 0; i < G_N_ELEMENTS(engines); i++) {
        g_autofree char *serve = g_strconcat("engine: ", engines[i], NULL);
        g_autoptr(ScenScenario) s = parse(1, serve, traffic);
        g_autoptr(ScenServed) served = run(s);
        ttft_s[i] = strat_digest_mean(served->result->ttft_s);
        double loads_s = served->result->busy_s[STRAT_SERVE_OFFLOAD];
        cr_expect(i < 2 ? loads_s <= 0.0 : loads_s > 0.1, "%zu: %g s of loads", i, loads_s);
        cr_expect_eq(served->result->finished, 60);
    }
    cr_expect_float_eq(ttft_s[0], ttft_s[1], 1e-12, "four slots hold all four");
    cr_expect_gt(ttft_s[2], 2.0 * ttft_s[0]);
}

/* Mean TTFT of the requests of priority 0 less that of the others. */
static double head_start_s(const char *serve)
{
    g_autofree char *traffic = g_strconcat(crowd, ", priorities: [1, 1]", NULL);
    g_autoptr(ScenScenario) s = parse(1, serve, traffic);
    g_autoptr(ScenServed) served = run(s);
    g_autoptr(StratSource) source = scen_traffic_source(&s->traffic, s->seed, NULL);
    double sum_s[2] = {0.0}, count[2] = {0.0};
    for (const StratRequest *r; (r = source->peek(source)); source->take(source)) {
        const StratOutcome *o = &g_array_index(served->result->outcomes, StratOutcome, r->id);
        sum_s[r->priority] += sim_time_to_seconds(o->first_token_ns - o->arrival_ns);
        count[r->priority]++;
    }
    cr_assert(count[0] > 10.0 && count[1] > 10.0);
    return sum_s[0] / count[0] - sum_s[1] / count[1];
}

Test(scen_serve_limits, the_urgent_are_served_first_where_the_order_says_so)
{
    double by_priority_s =
        head_start_s("engine: {base: vllm-v1, order: priority, max_sequences: 1}");
    double by_arrival_s = head_start_s("engine: {base: vllm-v1, max_sequences: 1}");
    cr_expect_lt(by_priority_s, -0.5);
    cr_expect_gt(by_arrival_s, -0.3);
}

Test(scen_serve_limits, a_start_takes_the_weights_over_their_link)
{
    static const struct {
        const char *link;
        double bytes_per_s;
    } cases[] = {
        {"load_bandwidth: 4 GB/s", 4e9   },
        {"weights_from: network",  50e9  }, /* 8 NICs of 400 Gbps for 8 GPUs */
        {"weights_from: host",     63.0e9}, /* PCIe 5 x16 */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *serve = g_strdup_printf(
            "engine: {base: vllm-v1, max_sequences: 1}, replicas: 2, router: least-loaded, "
            "autoscale: {min: 1, target: 1, check: 1 s, provisioning: 250 ms, engine_start: 0 s, "
            "%s}",
            cases[i].link);
        g_autoptr(ScenScenario) s = parse(
            2, serve, "arrivals: poisson, rate: 20 /s, requests: 200, input: 500, output: 20");
        g_autoptr(ScenServed) served = run(s);
        double bytes = served->memory[0].weights_bytes;
        cr_assert_eq(served->result->scale_ups, 1);
        cr_assert_eq(served->result->scale_downs, 0);
        cr_expect_float_eq(served->result->starting_s, 0.25 + bytes / cases[i].bytes_per_s, 0.02,
                           "case %zu: %g s", i, served->result->starting_s);
        double end_s = sim_time_to_seconds(served->result->end_ns);
        cr_expect_float_eq(served->result->up_s, end_s + end_s - 1.0, 1e-6);
        cr_expect_float_eq(served->money.gpu_hours, served->result->up_s / 3600.0, 1e-12);
    }
}

Test(scen_serve_limits, admission_refuses_and_clients_leave)
{
    static const char engine[] = "engine: {base: vllm-v1, max_sequences: 1}, slo: {ttft: 60 s}, ";
    static const struct {
        const char *admission;
        bool queue, ttft, timeout;
    } cases[] = {
        {"admission: {max_queue: 3}",    true,  false, false},
        {"admission: {max_ttft: 20 ms}", false, true,  false},
        {"admission: {timeout: 300 ms}", false, false, true },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *serve = g_strconcat(engine, cases[i].admission, NULL);
        g_autoptr(ScenScenario) s = parse(1, serve, crowd);
        g_autoptr(ScenServed) served = run(s);
        const StratServeResult *r = served->result;
        cr_expect_eq(r->refused_queue > 0, cases[i].queue, "%s", cases[i].admission);
        cr_expect_eq(r->refused_ttft > 0, cases[i].ttft, "%s", cases[i].admission);
        cr_expect_eq(r->gave_up > 0, cases[i].timeout, "%s", cases[i].admission);
        cr_expect_eq(r->finished + r->refused + r->gave_up, 60);
        cr_expect_float_eq(strat_serve_attainment(r), (double)r->finished / 60.0, 1e-12);
        cr_expect_eq(scen_served_misses(s, served), r->finished < 54);
    }
}

Test(scen_serve_limits, what_cannot_scale_is_said_at_load)
{
    static const struct {
        const char *serve, *says;
    } cases[] = {
        {"autoscale: {min: 3, target: 1, provisioning: 1 s, engine_start: 1 s}",
         "more than the 2 replicas"                                                                                       },
        {"autoscale: {min: 1, target: 1, provisioning: 1 s, engine_start: 1 s, policy: moon}",
         "unknown autoscaling policy"                                                                                     },
        {"autoscale: {min: 1, target: 1, provisioning: 1 s, engine_start: 1 s, policy: ttft}",
         "needs an objective"                                                                                             },
        {"autoscale: {min: 1, target: 1, provisioning: 1 s}",                                  "engine_start"             },
        {"prefill: {replicas: 1}, "
         "autoscale: {min: 1, target: 1, provisioning: 1 s, engine_start: 1 s}",      "not of prefill and decode"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *serve = g_strconcat("engine: vllm-v1, ", cases[i].serve, NULL);
        g_autoptr(ScenScenario) s = parse_on(2, serve, crowd, &error);
        cr_assert_null(s, "%s", cases[i].serve);
        cr_expect(strstr(error->message, cases[i].says), "%s", error->message);
    }
}

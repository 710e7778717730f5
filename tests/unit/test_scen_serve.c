/* A scenario that serves, from its text to its figures: intervals, load, speculation, objectives.
 */
#include "scen_load.h"
#include "scen_serve.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static ScenScenario *parse(const char *serve, const char *traffic)
{
    g_autofree char *text = g_strdup_printf("model: llama-3.1-8b\n"
                                            "cluster: {node: dgx-h100, gpus: 1, nodes: 1}\n"
                                            "serve: {%s}\ntraffic: {%s}\n",
                                            serve, traffic);
    g_autoptr(GError) error = NULL;
    ScenLoadOptions options = {0};
    ScenScenario *scenario = scen_scenario_parse("s", text, strlen(text), &options, &error);
    cr_assert_not_null(scenario, "%s", error ? error->message : "");
    return scenario;
}

static ScenServed *serve(const ScenScenario *scenario, ScenServeWants wants)
{
    g_autoptr(GError) error = NULL;
    ScenServed *served = scen_serve(scenario, wants, &error);
    cr_assert_not_null(served, "%s", error ? error->message : "");
    return served;
}

static const char open_traffic[] =
    "arrivals: poisson, rate: 5 /s, requests: 100, input: 500, output: 50";

Test(scen_serve, an_interval_holds_the_figure_and_widens_with_the_error)
{
    g_autoptr(ScenScenario) s = parse("engine: vllm-v1", open_traffic);
    g_autoptr(ScenServed) served = serve(s, (ScenServeWants){.interval = true});
    cr_assert(served->fast && served->slow);
    double low = strat_digest_mean(served->fast->tpot_s);
    double mean = strat_digest_mean(served->result->tpot_s);
    double high = strat_digest_mean(served->slow->tpot_s);
    cr_expect(low < mean && mean < high, "%g %g %g", low, mean, high);
    cr_expect(served->error_fraction > 0.005 && served->error_fraction < 0.1);
    for (int k = 0; k < STRAT_KIND_COUNT; k++)
        s->errors.kind[k] *= 2.0;
    g_autoptr(ScenServed) wider = serve(s, (ScenServeWants){.interval = true});
    cr_expect_float_eq(wider->error_fraction, 2.0 * served->error_fraction, 1e-12);
    cr_expect(strat_digest_mean(wider->slow->tpot_s) > high);
}

Test(scen_serve, load_rises_with_the_rate_and_is_not_told_of_closed_loops)
{
    ScenServeWants wants = {.interval = true};
    g_autoptr(ScenScenario) s = parse("engine: vllm-v1", open_traffic);
    g_autoptr(ScenServed) calm = serve(s, wants);
    s->traffic.spec.arrivals.rate_per_s *= 4.0;
    g_autoptr(ScenServed) busy = serve(s, wants);
    cr_expect(calm->load_fraction > 0.0 && calm->load_fraction < busy->load_fraction, "%g %g",
              calm->load_fraction, busy->load_fraction);
    cr_expect(busy->load_fraction < 1.0);
    g_autoptr(ScenScenario) loop =
        parse("engine: vllm-v1",
              "arrivals: closed-loop, concurrency: 4, requests: 40, input: 500, output: 50");
    g_autoptr(ScenServed) closed = serve(loop, wants);
    cr_expect_eq(closed->load_fraction, 0.0);
}

/* One sequence decodes at the pace of memory, where a few tokens cost what one does, so the
 * speed-up is that of Leviathan 2023, (1 - a^(g + 1)) / (1 - a) / (1 + g c). */
Test(scen_serve, speculation_speeds_a_single_stream_up_as_its_acceptance_says)
{
    static const struct {
        const char *speculation;
        double acceptance, cost;
        int tokens;
    } cases[] = {
        {"{tokens: 3, acceptance: 0.8, draft_fraction: 0.05}", 0.8, 0.05, 3},
        {"{tokens: 5, acceptance: 0.6, draft_fraction: 0.02}", 0.6, 0.02, 5},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            g_strdup_printf("engine: vllm-v1, speculation: %s", cases[i].speculation);
        g_autoptr(ScenScenario) s =
            parse(text, "arrivals: single-stream, requests: 1, input: 100, output: 2000");
        g_autoptr(ScenServed) served = serve(s, (ScenServeWants){0});
        double a = cases[i].acceptance, g = cases[i].tokens;
        double want = (1.0 - pow(a, g + 1.0)) / (1.0 - a) / (1.0 + g * cases[i].cost);
        double got = scen_serve_speedup(s, served, NULL);
        cr_expect(fabs(got / want - 1.0) < 0.05, "case %zu: %g, not %g", i, got, want);
    }
}

Test(scen_serve, figures_are_by_their_definitions)
{
    g_autoptr(ScenScenario) s =
        parse("engine: vllm-v1", "arrivals: all-at-once, requests: 10, input: 100, output: 11");
    g_autoptr(ScenServed) served = serve(s, (ScenServeWants){.requests = true});
    double end_s = sim_time_to_seconds(served->result->end_ns);
    static const struct {
        ScenMetric metric;
        double tokens;
    } rates[] = {
        {SCEN_METRIC_OUTPUT_RATE,         110.0 },
        {SCEN_METRIC_INPUT_RATE,          1000.0},
        {SCEN_METRIC_TOTAL_RATE,          1110.0},
        {SCEN_METRIC_OUTPUT_RATE_PER_GPU, 110.0 },
        {SCEN_METRIC_REQUEST_RATE,        10.0  },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rates); i++)
        cr_expect_float_eq(scen_served_metric(s, served, rates[i].metric) * end_s, rates[i].tokens,
                           1e-6, "%s", scen_metric_key(rates[i].metric));
    double tpot_s = 0.0;
    for (guint i = 0; i < served->result->outcomes->len; i++) {
        const StratOutcome *o = &g_array_index(served->result->outcomes, StratOutcome, i);
        tpot_s += sim_time_to_seconds(o->last_token_ns - o->first_token_ns) / 10.0 / 10.0;
    }
    cr_expect_float_eq(scen_served_metric(s, served, SCEN_METRIC_TPOT), tpot_s, 1e-8);
    cr_expect(isnan(scen_served_metric(s, served, SCEN_METRIC_SPEEDUP)));
}

Test(scen_serve, an_objective_is_missed_by_the_share_that_misses_it)
{
    g_autoptr(ScenScenario) s = parse("engine: vllm-v1, slo: {ttft: 10 s}", open_traffic);
    g_autoptr(ScenServed) served = serve(s, (ScenServeWants){0});
    cr_expect(!scen_served_misses(s, served));
    served->result->within_slo = (served->result->measured * 9 + 9) / 10 - 1;
    cr_expect(scen_served_misses(s, served));
    served->result->within_slo++;
    cr_expect(!scen_served_misses(s, served));
}

Test(scen_serve, what_does_not_fit_says_so_and_has_no_figures)
{
    g_autoptr(ScenScenario) s = parse("engine: vllm-v1", open_traffic);
    s->cluster.node.gpu.memory_bytes = 10e9;
    g_autoptr(ScenServed) served = serve(s, (ScenServeWants){0});
    cr_expect_null(served->result);
    cr_expect(served->no_fit && strstr(served->no_fit, "does not fit"));
}

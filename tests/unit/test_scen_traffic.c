/* The traffic section: what comes out of it as requests, and every combination that it refuses. */
#include "scen_doc.h"
#include "scen_traffic.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/** Binds @text into @out; the message, which the caller owns, or NULL. */
static char *bind(const char *text, const char *folder, ScenTraffic *out, GStringChunk *strings)
{
    g_autoptr(ScenPool) pool = scen_pool_new();
    g_autoptr(ScenErrors) errors = scen_errors_new();
    g_autoptr(GString) path = g_string_new(NULL);
    ScenBinder binder = {.errors = errors, .strings = strings, .folder = folder, .path = path};
    const ScenNode *root =
        scen_doc_parse(pool, "t", SCEN_ORIGIN_DOCUMENT, text, strlen(text), errors);
    cr_assert_not_null(root);
    scen_bind(&binder, &scen_traffic_table, root, out);
    g_autoptr(GError) error = NULL;
    return scen_errors_report(errors, &error) ? NULL : g_strdup(error->message);
}

/* What @text makes, in a line a request: arrival, input, output, session, priority, adapter. Each
 * is answered a second after it arrived. */
static char *requests_of(const char *text, const char *folder)
{
    ScenTraffic traffic = {0};
    GStringChunk *strings = g_string_chunk_new(64);
    g_autofree char *message = bind(text, folder, &traffic, strings);
    cr_assert_null(message, "%s", message);
    GString *lines = g_string_new(NULL);
    g_autoptr(StratSource) source = scen_traffic_source(&traffic, 1, NULL);
    cr_assert_not_null(source);
    for (const StratRequest *next = source->peek(source); next; next = source->peek(source)) {
        StratRequest kept = *next;
        g_string_append_printf(lines, "%.3f %d %d %d %d %d\n", sim_time_to_seconds(kept.arrival_ns),
                               (int)kept.input_tokens, (int)kept.output_tokens, (int)kept.session,
                               (int)kept.priority, (int)kept.adapter);
        source->take(source);
        if (source->done)
            source->done(source, kept.id, kept.session, kept.arrival_ns + SIM_TIME_SECOND);
    }
    scen_traffic_clear(&traffic);
    g_string_chunk_free(strings);
    return g_string_free(lines, FALSE);
}

/* clang-format off */
static const struct {
    const char *text, *want;
} exact[] = {
    {"{arrivals: all-at-once, requests: 2, input: 512, output: 8}",
     "0.000 512 8 -1 0 -1\n0.000 512 8 -1 0 -1\n"},
    {"{arrivals: constant, rate: 4 /s, duration: 1 s, input: 1, output: 1, rate_scale: 0.5}",
     "0.000 1 1 -1 0 -1\n0.500 1 1 -1 0 -1\n"},
    {"{arrivals: single-stream, requests: 2, input: {distribution: constant, mean: 3}, output: 1}",
     "0.000 3 1 -1 0 -1\n1.000 3 1 -1 0 -1\n"},
    {"{arrivals: closed-loop, concurrency: 2, think_time: 500 ms, requests: 3, input: 1,"
     " output: {distribution: values, values: [9, 9]}, priorities: [0, 0, 1]}",
     "0.000 1 9 -1 2 -1\n0.000 1 9 -1 2 -1\n1.500 1 9 -1 2 -1\n"},
    {"{arrivals: constant, rate: 1 /min, requests: 3, input: 5, output: 2, adapters: {count: 1},"
     " sessions: {turns: 2, think_time: 4 s, system_prompt: 100}}",
     "0.000 105 2 0 0 0\n5.000 112 2 0 0 0\n60.000 105 2 1 0 0\n"},
    {"{arrivals: constant, rate: 1 /s, requests: 1, output: 7,"
     " input: {distribution: histogram, edges: [64, 65, 900], weights: [1, 0]}}",
     "0.000 64 7 -1 0 -1\n"},
};
/* clang-format on */

Test(scen_traffic, a_section_becomes_its_requests)
{
    for (size_t i = 0; i < G_N_ELEMENTS(exact); i++) {
        g_autofree char *got = requests_of(exact[i].text, ".");
        cr_expect_str_eq(got, exact[i].want, "%s:\n%s", exact[i].text, got);
    }
}

Test(scen_traffic, every_arrival_process_keeps_its_rate)
{
    /* clang-format off */
    static const char *const processes[] = {
        "arrivals: poisson",
        "arrivals: gamma, cv: 2",
        "arrivals: weibull, cv: 2",
        "arrivals: on-off, on: 1 s, off: 3 s, on_factor: 2",
        "arrivals: diurnal, amplitude: 0.5, period: 1 min, peak: 10 s, start: 5 s",
        "arrivals: diurnal, period: 9 s, hourly: [1,1,1,1,1,1,1,1,1,1,1,1,3,3,3,3,3,3,3,3,3,3,3,3]",
    };
    /* clang-format on */
    for (size_t i = 0; i < G_N_ELEMENTS(processes); i++) {
        g_autofree char *text = g_strdup_printf(
            "{%s, rate: 10 /s, duration: 1200 s, input: 1, output: 1}", processes[i]);
        g_autofree char *got = requests_of(text, ".");
        double count = 0.0;
        for (const char *at = got; (at = strchr(at, '\n')); at++)
            count += 1.0;
        /* four deviations of a renewal process with cv 2, or of on-off with dispersion 8 */
        cr_expect(fabs(count - 12000.0) < 4.0 * sqrt(8.0 * 12000.0), "%s: %g", processes[i], count);
    }
}

Test(scen_traffic, a_trace_is_found_beside_the_scenario)
{
    g_autofree char *folder = g_dir_make_tmp("scen-traffic-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "t.csv", NULL);
    cr_assert(g_file_set_contents(
        path, "arrived_at,num_prefill_tokens,num_decode_tokens\n1,5,6\n2,7,8\n3,1,1\n", -1, NULL));
    g_autofree char *got = requests_of("{trace: t.csv, rate_scale: 2, limit: 2}", folder);
    cr_expect_str_eq(got, "0.500 5 6 -1 0 -1\n1.000 7 8 -1 0 -1\n");
    g_autofree char *given = requests_of("{trace: t.csv, format: vidur, repeat: 2}", folder);
    cr_expect(
        g_str_has_suffix(given, "\n4.000 5 6 -1 0 -1\n5.000 7 8 -1 0 -1\n6.000 1 1 -1 0 -1\n"),
        "%s", given);
    g_remove(path);
    ScenTraffic traffic = {0};
    GStringChunk *strings = g_string_chunk_new(64);
    g_autofree char *message = bind("trace: t.csv", folder, &traffic, strings);
    cr_assert_null(message);
    g_autoptr(GError) error = NULL;
    cr_expect_null(scen_traffic_source(&traffic, 1, &error));
    cr_expect(g_str_has_suffix(error->message, "/t.csv: no such file"), "%s", error->message);
    g_string_chunk_free(strings);
    g_rmdir(folder);
}

/* A line for each of the requests of @text: input, output, samples, their outputs; or beams. */
static char *answers_of(const char *text)
{
    ScenTraffic traffic = {0};
    GStringChunk *strings = g_string_chunk_new(64);
    g_autofree char *message = bind(text, ".", &traffic, strings);
    cr_assert_null(message, "%s", message);
    GString *lines = g_string_new(NULL);
    g_autoptr(StratSource) source = scen_traffic_source(&traffic, 1, NULL);
    cr_expect_eq(source->samples, traffic.spec.forks);
    cr_expect_eq(source->beams, traffic.spec.beams > 0);
    for (const StratRequest *next; (next = source->peek(source)); source->take(source)) {
        g_string_append_printf(lines, "%d %d x%d", (int)next->input_tokens,
                               (int)next->output_tokens, (int)next->samples);
        for (int64_t i = 0; i < next->samples; i++)
            g_string_append_printf(lines, " %d", (int)next->sample_output[i]);
        if (next->beams > 0)
            g_string_append_printf(lines, " beams %d %g", (int)next->beams, next->beam_turnover);
        g_string_append_c(lines, '\n');
    }
    scen_traffic_clear(&traffic);
    g_string_chunk_free(strings);
    return g_string_free(lines, FALSE);
}

Test(scen_traffic, samples_have_outputs_of_their_own_and_beams_have_not)
{
    g_autofree char *same =
        answers_of("{arrivals: all-at-once, requests: 2, input: 3, output: 5, samples: 2}");
    cr_expect_str_eq(same, "3 5 x2 5 5\n3 5 x2 5 5\n");
    g_autofree char *beams =
        answers_of("{arrivals: all-at-once, requests: 1, input: 3, output: 5, beam_width: 4}");
    cr_expect_str_eq(beams, "3 5 x0 beams 4 -1\n");
    g_autofree char *turnover = answers_of("{arrivals: all-at-once, requests: 1, input: 3, output:"
                                           " 5, beam_width: 4, beam_turnover: 0.5}");
    cr_expect_str_eq(turnover, "3 5 x0 beams 4 0.5\n");
}

Test(scen_traffic, the_first_sample_is_the_request_without_others_and_the_longest_tells)
{
    static const char drawn[] = "arrivals: all-at-once, requests: 200, input: 3,"
                                " output: {distribution: geometric, mean: 50}";
    g_autofree char *alone = g_strdup_printf("{%s}", drawn);
    g_autofree char *several =
        g_strdup_printf("{%s, samples: {distribution: uniform, min: 1, max: 4}}", drawn);
    ScenTraffic one = {0}, many = {0};
    GStringChunk *strings = g_string_chunk_new(64);
    cr_assert_null(bind(alone, ".", &one, strings));
    cr_assert_null(bind(several, ".", &many, strings));
    g_autoptr(StratSource) left = scen_traffic_source(&one, 1, NULL);
    g_autoptr(StratSource) right = scen_traffic_source(&many, 1, NULL);
    int64_t samples = 0, longer = 0;
    for (const StratRequest *a, *b; (a = left->peek(left)) && (b = right->peek(right));) {
        int64_t most = 0;
        cr_assert(b->samples >= 1 && b->samples <= 4);
        cr_assert_eq(b->sample_output[0], a->output_tokens);
        for (int64_t i = 0; i < b->samples; i++)
            most = MAX(most, b->sample_output[i]);
        cr_assert_eq(b->output_tokens, most);
        longer += most > a->output_tokens;
        samples += b->samples;
        left->take(left);
        right->take(right);
    }
    /* 2.5 samples of 200 requests, deviation sqrt(1.25 x 200) = 16; the first of 1 to 4 is not the
     * longest of them in 1 - 25/48 = 48 % of the requests, but for ties. */
    cr_expect(fabs((double)samples - 500.0) < 50.0, "%ld", samples);
    cr_expect(fabs((double)longer - 96.0) < 25.0, "%ld", longer);
    scen_traffic_clear(&one);
    scen_traffic_clear(&many);
    g_string_chunk_free(strings);
}

#define SOUND "requests: 1, input: 1, output: 1"
#define LENGTH(text) "{arrivals: all-at-once, requests: 1, output: 1, input: " text "}"

/* clang-format off */
static const struct {
    const char *text, *want;
} wrong[] = {
    {"{}", "t:1:1: traffic needs arrivals or a trace, one of them"},
    {"{arrivals: poisson, trace: x}", "t:1:2: traffic needs arrivals or a trace, one of them"},
    {"{arrivals: poison, rate: 1 /s, " SOUND "}",
     "t:1:12: 'arrivals' must be one of all-at-once, constant, poisson, gamma, weibull, on-off, "
     "diurnal, closed-loop, single-stream, not 'poison', did you mean 'poisson'?"},
    {"{arrivals: poisson, " SOUND "}",
     "t:1:1: missing key 'rate', which goes with arrivals: poisson"},
    {"{arrivals: poisson, rate: 10, " SOUND "}",
     "t:1:27: 'rate': '10' has no unit: expected a request rate with a unit of /s /min, "
     "as in '10 /s'"},
    {"{arrivals: poisson, rate: 0 /s, " SOUND "}", "t:1:27: 'rate' must be above zero, not '0 /s'"},
    {"{arrivals: all-at-once, samples: 1001, " SOUND "}", "t:1:25: 'samples' is at most 1000"},
    {"{arrivals: all-at-once, samples: 0, " SOUND "}",
     "t:1:34: 'samples' must be a whole number from 1 to 1099511627776, or a map {distribution: "
     "lognormal, mean: 512, cv: 1}, not '0'"},
    {"{arrivals: all-at-once, samples: 2, beam_width: 2, " SOUND "}",
     "t:1:37: a request has samples or beams: 'beam_width' does not go with 'samples'"},
    {"{arrivals: all-at-once, beam_turnover: 0.5, " SOUND "}",
     "t:1:25: 'beam_turnover' is of a 'beam_width', and there is none"},
    {"{arrivals: all-at-once, samples: 2, sessions: {turns: 2}, " SOUND "}",
     "t:1:37: which of several answers a conversation goes on from is not modelled: 'sessions' "
     "does not go with 'samples' or 'beam_width'"},
    {"{arrivals: poisson, rate: 1 /s, cv: 2, " SOUND "}",
     "t:1:33: 'cv' does not go with arrivals: poisson"},
    {"{arrivals: gamma, rate: 1 /s, " SOUND "}",
     "t:1:1: missing key 'cv', which goes with arrivals: gamma"},
    {"{arrivals: all-at-once, input: 1, output: 1}",
     "t:1:1: missing key 'requests', which goes with arrivals: all-at-once"},
    {"{arrivals: all-at-once, duration: 1 s, " SOUND "}",
     "t:1:25: 'duration' does not go with arrivals: all-at-once"},
    {"{arrivals: poisson, rate: 1 /s, input: 1, output: 1}",
     "t:1:1: traffic needs requests or duration, or it never ends"},
    {"{arrivals: poisson, rate: 1 /s, requests: 1, output: 1}",
     "t:1:1: missing key 'input', which goes with arrivals: poisson"},
    {"{arrivals: closed-loop, " SOUND "}",
     "t:1:1: missing key 'concurrency', which goes with arrivals: closed-loop"},
    {"{arrivals: single-stream, concurrency: 2, " SOUND "}",
     "t:1:27: 'concurrency' does not go with arrivals: single-stream"},
    {"{arrivals: closed-loop, concurrency: 2, think: maybe, " SOUND "}",
     "t:1:48: 'think' must be constant or exponential, not 'maybe'"},
    {"{arrivals: closed-loop, concurrency: 2, rate_scale: 2, " SOUND "}",
     "t:1:41: 'rate_scale' does not go with arrivals: closed-loop"},
    {"{arrivals: on-off, rate: 1 /s, on: 1 s, off: 1 s, on_factor: 3, " SOUND "}",
     "t:1:51: 'on_factor' is at most (on + off) / on = 2, which is silence when off"},
    {"{arrivals: diurnal, rate: 1 /s, " SOUND "}",
     "t:1:2: diurnal arrivals need hourly or amplitude, one of them"},
    {"{arrivals: diurnal, rate: 1 /s, hourly: [1, 2], " SOUND "}",
     "t:1:33: 'hourly' must have 24 numbers, not all 0"},
    {"{arrivals: diurnal, rate: 1 /s, hourly: [1, -2], " SOUND "}",
     "t:1:33: 'hourly' must have 24 numbers, not all 0\n"
     "t:1:45: 'hourly' must be a list of numbers from 0 to 1000000000, not '-2'"},
    {"{trace: x, rate: 1 /s, input: 5}",
     "t:1:12: 'rate' does not go with a trace\nt:1:24: 'input' does not go with a trace"},
    {"{trace: x, format: excel}",
     "t:1:12: unknown trace format 'excel', known: csv, azure, burstgpt, vidur, mooncake, "
     "llmservingsim, vllm-log"},
    {"{trace: [x], rate: 1 /s}",
     "t:1:9: 'trace' must be a text, not a list\nt:1:14: 'rate' does not go with a trace"},
    {"{arrivals: all-at-once, limit: 3, " SOUND "}",
     "t:1:25: 'limit' does not go with arrivals: all-at-once"},
    {"{arrivals: all-at-once, priorities: [0, 0], " SOUND "}",
     "t:1:25: 'priorities' needs a weight above 0"},
    {"{arrivals: all-at-once, adapters: {zipf: 1}, " SOUND "}",
     "t:1:35: missing key 'count' (LoRA adapters)"},
    {"{arrivals: all-at-once, sessions: {}, " SOUND "}",
     "t:1:35: missing key 'turns' (turns of a conversation)"},
    {"{arrivals: all-at-once, sessions: {turns: 2, shared_fraction: 0.5}, " SOUND "}",
     "t:1:46: 'shared_fraction' is of a 'system_prompt', and there is none"},
    {LENGTH("0"), "t:1:56: 'input' must be " SCEN_LENGTH_EXPECTED ", not '0'"},
    {LENGTH("[1]"), "t:1:56: 'input' must be " SCEN_LENGTH_EXPECTED ", not a list"},
    {LENGTH("{mean: 5}"), "t:1:56: missing key 'distribution' (family of the distribution)"},
    {LENGTH("{distribution: uniform, min: 5}"),
     "t:1:56: missing key 'max', which goes with distribution: uniform"},
    {LENGTH("{distribution: uniform, min: 5, max: 4}"), "t:1:88: 'max' is below 'min'"},
    {LENGTH("{distribution: exponential, mean: 5, sigma: 1}"),
     "t:1:93: 'sigma' does not go with distribution: exponential"},
    {LENGTH("{distribution: lognormal, mean: 5}"),
     "t:1:57: a lognormal needs mean or median, and one more of median, sigma and cv"},
    {LENGTH("{distribution: lognormal, sigma: 1, cv: 1}"),
     "t:1:57: a lognormal needs mean or median, and one more of median, sigma and cv"},
    {LENGTH("{distribution: lognormal, mean: 5, median: 6}"),
     "t:1:91: the median of a lognormal is not above its mean"},
    {LENGTH("{distribution: histogram, edges: [1, 2], weights: [1, 2]}"),
     "t:1:82: 2 edges bound 1 bins, but there are 2 weights"},
    {LENGTH("{distribution: histogram, edges: [2, 1], weights: [1]}"),
     "t:1:82: edges must rise by 1 or more: 2, then 1"},
    {LENGTH("{distribution: histogram, edges: [1, 2], weights: [0]}"),
     "t:1:97: the weights are all 0"},
    {LENGTH("{distribution: values, values: []}"), "t:1:79: 'values' holds no length"},
};
/* clang-format on */

Test(scen_traffic, impossible_combinations_are_refused)
{
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        ScenTraffic traffic = {0};
        GStringChunk *strings = g_string_chunk_new(64);
        g_autofree char *message = bind(wrong[i].text, ".", &traffic, strings);
        cr_assert_not_null(message, "%s passed", wrong[i].text);
        cr_expect_str_eq(message, wrong[i].want, "%s:\n%s", wrong[i].text, message);
        scen_traffic_clear(&traffic);
        g_string_chunk_free(strings);
    }
}

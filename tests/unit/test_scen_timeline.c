/* Timelines of steps, serving and months: what a viewer needs of them, and that they say what the
 * answers say. */
#include "scen_load.h"
#include "scen_outcome.h"
#include "scen_simulate.h"
#include "scen_timeline.h"
#include "trace_check.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static ScenScenario *load(const char *file, const char *const *overrides)
{
    g_autofree char *path = g_build_filename(TEST_SOURCE_DIR, "scenarios", file, NULL);
    ScenLoadOptions options = {.overrides = overrides, .data_dir = TEST_SOURCE_DIR};
    g_autoptr(GError) error = NULL;
    ScenScenario *scenario = scen_scenario_load_with(path, &options, &error);
    cr_assert_not_null(scenario, "%s", error ? error->message : "");
    return scenario;
}

/* The checked timeline of the step of @file, whose result goes to @result. */
static TraceCheck check_step(const char *file, const char *const *overrides,
                             StratTrainResult **result)
{
    g_autoptr(ScenScenario) scenario = load(file, overrides);
    g_autoptr(GError) error = NULL;
    *result = scen_simulate(scenario, &error);
    cr_assert_not_null(*result, "%s", error ? error->message : "");
    g_autofree char *text = scen_timeline_step(scenario, *result, &error);
    cr_assert_not_null(text, "%s", error ? error->message : "");
    g_autofree char *again = scen_timeline_step(scenario, *result, NULL);
    cr_expect_str_eq(text, again, "the same bytes");
    TraceCheck check;
    g_autofree char *complaint = trace_check(text, &check);
    cr_assert_null(complaint, "%s: %s", file, complaint);
    return check;
}

static void expect_peaks(const TraceCheck *check, const StratTrainResult *result)
{
    for (guint stage = 0; stage < result->memory->len; stage++) {
        double peak = g_array_index(result->memory, StratMemory, stage).peak_bytes;
        double most = trace_check_most(check, stage + 1, "memory, bytes of a GPU");
        cr_expect(fabs(most - peak) <= 1.0, "stage %u: %.1f, not %.1f", stage, most, peak);
    }
}

Test(scen_timeline, a_step_is_drawn_with_its_memory_and_its_sends)
{
    g_autoptr(StratTrainResult) result = NULL;
    g_auto(TraceCheck) check = check_step("quickstart.yaml", NULL, &result);
    cr_expect(check.processes == 8, "%d stages", check.processes);
    /* 64 microbatches through 24 chunks: 23 hand-overs each way, all between stages. */
    cr_expect(check.arrows == 2 * 64 * 23, "%d arrows", check.arrows);
    expect_peaks(&check, result);
    cr_expect(trace_check_most(&check, 9, "memory, bytes of a GPU") < 0.0);
    cr_expect(strstr(json_object_get_string_member(check.notes, "folded"), "64 GPUs in 8 classes"));
    cr_expect(strstr(json_object_get_string_member(check.notes, "operations"), "are not drawn"));
}

Test(scen_timeline, stages_stand_in_order_and_say_their_ranks)
{
    const char *const overrides[] = {"plan.tensor=4", "plan.data=2", "fold=false", NULL};
    g_autoptr(StratTrainResult) result = NULL;
    g_auto(TraceCheck) check = check_step("quickstart.yaml", overrides, &result);
    cr_assert(check.processes == 64);
    int named = 0;
    for (guint i = 0; i < json_array_get_length(check.events); i++) {
        JsonObject *event = json_array_get_object_element(check.events, i);
        JsonObject *args = json_object_has_member(event, "args")
                               ? json_object_get_object_member(event, "args")
                               : NULL;
        if (strcmp(json_object_get_string_member(event, "name"), "process_sort_index") == 0) {
            int64_t pid = json_object_get_int_member(event, "pid");
            cr_expect(json_object_get_int_member(args, "sort_index") == pid - 1);
        }
        if (strcmp(json_object_get_string_member(event, "name"), "process_name") == 0)
            named +=
                strcmp(json_object_get_string_member(args, "name"), "stage 7, 1 GPU: rank 63") == 0;
    }
    cr_expect(named == 1);
}

Test(scen_timeline, a_fabric_shows_its_busiest_links)
{
    const char *const overrides[] = {"network=fluid", NULL};
    g_autoptr(StratTrainResult) result = NULL;
    g_auto(TraceCheck) check =
        check_step("training/llama-3-8b-two-leaves.yaml", overrides, &result);
    expect_peaks(&check, result);
    cr_assert(json_object_has_member(check.notes, "links"));
    double most = 0.0;
    for (guint i = 0; i < json_array_get_length(check.events); i++) {
        JsonObject *event = json_array_get_object_element(check.events, i);
        const char *name = json_object_get_string_member(event, "name");
        if (g_str_has_suffix(name, "% used"))
            most = fmax(most, json_object_get_double_member(
                                  json_object_get_object_member(event, "args"), "value"));
    }
    cr_expect(most > 1.0 && most <= 100.0, "%g %%", most);
}

Test(scen_timeline, links_that_are_looked_at_are_alike_with_their_own_kind)
{
    const char *const overrides[] = {"network=fluid", NULL};
    g_autoptr(ScenScenario) scenario = load("training/llama-3-8b-two-leaves.yaml", overrides);
    StratCosting costing;
    cr_assert(scen_costing(scenario, &costing, NULL));
    g_autoptr(StratTrainResult) result = scen_simulate(scenario, NULL);
    g_autoptr(GArray) links = strat_train_links(&costing, result, NULL);
    int64_t gpus = scenario->cluster.gpu_count, out_of_gpus = 0;
    for (guint i = 0; i < links->len; i++) {
        const TopoHotLink *link = &g_array_index(links, TopoHotLink, i);
        double carried = 0.0;
        for (uint32_t k = 0; k < link->curve->count; k++)
            carried += link->curve->carried_bytes[k];
        double step_s = sim_time_to_seconds(result->run->makespan);
        /* The last ns of a transfer carries up to one too much, which the curve does not take back. */
        double drawn = carried / (link->bytes_per_s * step_s);
        cr_expect_float_eq(drawn, link->carried_fraction, 1e-5, "%s: %.9f, not %.9f", link->name,
                           drawn, link->carried_fraction);
        if (g_str_has_prefix(link->name, "gpu/") && strstr(link->name, "-> pcie-switch/"))
            out_of_gpus += link->alike;
    }
    cr_expect(out_of_gpus > 0 && out_of_gpus <= gpus, "%d of %d", (int)out_of_gpus, (int)gpus);
}

Test(scen_timeline, serving_is_drawn_whole)
{
    const char *const overrides[] = {"traffic.requests=300", NULL};
    g_autoptr(ScenScenario) scenario = load("serving/llama-3.1-70b-poisson.yaml", overrides);
    g_auto(ScenServeLog) log = {.most = 100000};
    StratServeWatch watch = scen_serve_log_watch(&log);
    ScenServeWants wants = {.requests = true, .watch = &watch};
    g_autoptr(ScenServed) served = scen_serve(scenario, wants, NULL);
    g_autofree char *text = scen_timeline_serve(scenario, served, &log);
    g_auto(TraceCheck) check;
    g_autofree char *complaint = trace_check(text, &check);
    cr_assert_null(complaint, "%s", complaint);
    const StratServeResult *result = served->result;
    cr_expect(trace_check_sum(&check, "iterations") == result->iterations);
    cr_expect(check.stretches == 4 * 300, "%d: a request and its three phases", check.stretches);
    double blocks = trace_check_most(&check, 3, "KV blocks");
    double peak = result->peak_kv_fraction * (double)served->memory[0].blocks;
    cr_expect(blocks > 0.0 && blocks <= peak + 0.5, "%g of %g blocks", blocks, peak);
    cr_expect(trace_check_most(&check, 1, "running") > 0.0);
}

Test(scen_timeline, a_long_run_of_serving_says_what_is_left_out)
{
    const char *const overrides[] = {"traffic.requests=300", NULL};
    g_autoptr(ScenScenario) scenario = load("serving/llama-3.1-70b-poisson.yaml", overrides);
    g_auto(ScenServeLog) log = {.most = 10};
    StratServeWatch watch = scen_serve_log_watch(&log);
    ScenServeWants wants = {.requests = true, .watch = &watch};
    g_autoptr(ScenServed) served = scen_serve(scenario, wants, NULL);
    g_autofree char *text = scen_timeline_serve(scenario, served, &log);
    g_auto(TraceCheck) check;
    g_autofree char *complaint = trace_check(text, &check);
    cr_assert_null(complaint, "%s", complaint);
    cr_expect(check.slices == 10);
    cr_expect(
        strstr(json_object_get_string_member(check.notes, "iterations"), "later ones are not"));
}

Test(scen_timeline, months_are_training_and_incidents)
{
    const char *const overrides[] = {"campaign.replications=2", NULL};
    g_autoptr(ScenScenario) scenario = load("failures/llama-3.1-405b-54-days.yaml", overrides);
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenOutcome) outcome = scen_outcome_new(scenario, &error);
    cr_assert_not_null(outcome, "%s", error ? error->message : "");
    g_autofree char *text = scen_timeline_months(scenario, outcome->campaign);
    g_auto(TraceCheck) check;
    g_autofree char *complaint = trace_check(text, &check);
    cr_assert_null(complaint, "%s", complaint);
    SimTime lost = 0;
    for (guint i = 0; i < outcome->campaign->incidents->len; i++)
        lost += strat_incident_lost(&g_array_index(outcome->campaign->incidents, StratIncident, i));
    double drawn = trace_check_most(&check, 1, "lost so far, s");
    cr_expect_float_eq(drawn, sim_time_to_seconds(lost), 1e-3);
    cr_expect(check.slices > 400, "%d slices", check.slices);
}

/* Documents that are wrong in one way each, and what is said of them. */
#define NAMES                                                                                      \
    "{\"ph\":\"M\",\"pid\":1,\"tid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"p\"}},"      \
    "{\"ph\":\"M\",\"pid\":1,\"tid\":1,\"name\":\"thread_name\",\"args\":{\"name\":\"t\"}},"
#define SLICE(at, lasts)                                                                           \
    "{\"ph\":\"X\",\"pid\":1,\"tid\":1,\"name\":\"n\",\"cat\":\"c\",\"ts\":" at ",\"dur\":" lasts  \
    "}"
#define EVENT(phase, at, more)                                                                     \
    "{\"ph\":\"" phase "\",\"pid\":1,\"tid\":1,\"name\":\"n\",\"cat\":\"c\",\"ts\":" at "," more "}"

static const struct {
    const char *events, *complaint;
} wrong[] = {
    {SLICE("0",           "1"),               "without a name"},
    {                                NAMES SLICE("0", "2") "," SLICE("1",               "2"),        "overlap"},
    {                                NAMES SLICE("0", "2") "," EVENT("s",                "1",      "\"id\":1"), "without an end"},
    {                NAMES SLICE("0",     "2") "," EVENT("s", "3",              "\"id\":1"), "outside of slices"},
    {     NAMES EVENT("C",                   "0",                       "\"args\":{\"value\":-1}"),                  "negative"},
    {NAMES EVENT("b",                   "0",                       "\"id\":1"),                  "without an end"},
    {                    NAMES EVENT("b",                   "5",                       "\"id\":1") "," EVENT("e",                  "4", "\"id\":1"), "back in time"},
    {NAMES EVENT("q",        "0",            "\"id\":1"),                            "phase"},
};

Test(scen_timeline, the_check_finds_what_is_wrong)
{
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *text =
            g_strdup_printf("{\"traceEvents\":[%s],\"otherData\":{}}", wrong[i].events);
        g_auto(TraceCheck) check;
        g_autofree char *complaint = trace_check(text, &check);
        cr_expect(complaint && strstr(complaint, wrong[i].complaint), "case %zu: %s", i,
                  complaint ? complaint : "nothing");
    }
}

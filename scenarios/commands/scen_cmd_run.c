/* `orrery run`: one scenario, one answer.
 *
 * Load, simulate, check memory, report. --seed, --network and --fold are spelled as overrides, so
 * they meet the checks of any other key. The search for knobs belongs to the text alone: a program
 * that reads JSON can turn knobs itself. */
#include "scen_cmd.h"

#include "scen_cmd_run_queue.h"
#include "scen_cmd_run_serve.h"
#include "scen_folder.h"
#include "scen_incidents.h"
#include "scen_judged.h"
#include "scen_knobs.h"
#include "scen_options.h"
#include "scen_run_report.h"
#include "scen_simulate.h"
#include "scen_step_state.h"
#include "scen_survive.h"
#include "scen_what_if_report.h"
#include "sim_trace.h"

#include <errno.h>
#include <stdio.h>

enum { KNOBS_SHOWN = 3 };

static const ScenUsage usage = {
    .command = "run",
    .arguments = "SCENARIO.yaml",
    .summary =
        "Simulates one training step: how long it takes, whether it fits, where every\n"
        "GPU-second goes and which knob of the plan would help. With campaign:, months of\n"
        "such steps under failures: what is left of the time. With queue:, many jobs share\n"
        "the cluster instead: who waits, and where its time goes. A scenario with serve: is\n"
        "served its traffic instead: latencies, throughput, what a million tokens cost, and\n"
        "how close to saturation it ran. Exit status 1: it does not fit in memory, or misses\n"
        "its objectives.",
};

typedef struct Options {
    char **files;
    char **sets;
    char *seed, *network, *fold;
    char *out, *trace;
    gint threads;
    gboolean json, exact, recoveries, what_if;
} Options;

static void options_clear(Options *options)
{
    g_strfreev(options->files);
    g_strfreev(options->sets);
    g_free(options->seed);
    g_free(options->network);
    g_free(options->fold);
    g_free(options->out);
    g_free(options->trace);
}

static bool parse(Options *o, char **argv, ScenExit *status)
{
    const GOptionEntry entries[] = {
        {"set",        's', 0, G_OPTION_ARG_STRING_ARRAY, &o->sets, "Change a value of the scenario",
         "KEY=VALUE"},
        {"seed",           0, 0, G_OPTION_ARG_STRING, &o->seed, "Seed of all random numbers", "N"},
        {"network",    0, 0, G_OPTION_ARG_STRING, &o->network, "Network model (orrery list networks)",
         "NAME"},
        {"fold",  0, 0, G_OPTION_ARG_STRING, &o->fold,
         "Simulate equal ranks once (on, the default) or every rank (off)", "on|off"},
        {"exact",       0, 0, G_OPTION_ARG_NONE, &o->exact,
         "Serving: run every iteration, without closed forms between decisions", NULL},
        {"compare-recoveries",           0, 0, G_OPTION_ARG_NONE, &o->recoveries,
         "Campaigns: also every other recovery policy, on the same failures", NULL},
        {"what-if",    0, 0, G_OPTION_ARG_NONE, &o->what_if,
         "Instead: what 10 % more of each figure of the hardware and each knob by one notch would "
         "change", NULL},
        {"threads",         0, 0, G_OPTION_ARG_INT, &o->threads,
         "Simulations of --what-if at a time (default: one a processor); the answer is the same", "N"},
        {"json",    0, 0, G_OPTION_ARG_NONE, &o->json, "Print JSON instead of text", NULL},
        {"out",           'o', 0, G_OPTION_ARG_FILENAME, &o->out,
         "Also write the report, result.json and the timeline (serving: requests and samples) "
         "there", "DIR"},
        {"trace", 0, 0, G_OPTION_ARG_FILENAME, &o->trace,
         "Write the timeline as Chrome trace events, for Perfetto", "FILE"},
        {G_OPTION_REMAINING,       0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->files, NULL, NULL},
        {0      },
    };
    if (!scen_options_parse(&usage, entries, argv, status))
        return false;
    guint count = o->files ? g_strv_length(o->files) : 0;
    if (count != 1)
        *status = scen_options_wrong(&usage, "needs one scenario, not %u", count);
    else if (o->fold && !g_str_equal(o->fold, "on") && !g_str_equal(o->fold, "off"))
        *status = scen_options_wrong(&usage, "--fold is on or off, not '%s'", o->fold);
    else if (o->threads < 0)
        *status = scen_options_wrong(&usage, "--threads is 0 or more, not %d", o->threads);
    else if (o->what_if && (o->out || o->trace))
        *status = scen_options_wrong(&usage, "--out and --trace are of one run, not of --what-if");
    else
        return true;
    return false;
}

/* The options that stand for keys of the scenario come last, so they win over --set. */
static char **overrides_new(const Options *options)
{
    g_autoptr(GStrvBuilder) all = g_strv_builder_new();
    if (options->sets)
        g_strv_builder_addv(all, (const char **)options->sets);
    const char *const keys[][2] = {
        {"seed",    options->seed   },
        {"network", options->network},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *text = g_strdup_printf("%s=%s", keys[i][0], keys[i][1]);
        if (keys[i][1])
            g_strv_builder_add(all, text);
    }
    if (options->fold)
        g_strv_builder_add(all, g_str_equal(options->fold, "on") ? "fold=true" : "fold=false");
    if (options->recoveries)
        g_strv_builder_add(all, "campaign.recoveries=all");
    if (options->exact)
        g_strv_builder_add(all, "serve.exact=true");
    return g_strv_builder_end(all);
}

static bool write_trace(const StratTrainResult *result, const char *path, GError **error)
{
    FILE *file = fopen(path, "we");
    if (!file) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno), "%s: %s", path,
                    g_strerror(errno));
        return false;
    }
    bool written = sim_trace_write(result->step->program, result->run, file, error);
    bool closed = fclose(file) == 0;
    if (written && !closed)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_IO, "%s: %s", path, g_strerror(errno));
    return written && closed;
}

static char *text_of(const ScenRunReport *report)
{
    return report->result ? scen_run_text(report) : scen_alone_text(report);
}

static char *json_of(const ScenRunReport *report)
{
    return report->result ? scen_run_json(report) : scen_alone_json(report);
}

/* incidents.csv and incidents.svg of a campaign. */
static bool write_incidents(const ScenRunReport *report, const char *folder, GError **error)
{
    if (!report->campaign)
        return true;
    g_autofree char *table = scen_incidents_csv(report->scenario, report->campaign);
    g_autofree char *drawing = scen_incidents_svg(report->campaign);
    g_autofree char *table_path = g_build_filename(folder, "incidents.csv", NULL);
    g_autofree char *drawing_path = g_build_filename(folder, "incidents.svg", NULL);
    return g_file_set_contents(table_path, table, -1, error) &&
           g_file_set_contents(drawing_path, drawing, -1, error);
}

static bool write_folder(const ScenRunReport *report, const char *folder, GError **error)
{
    if (!scen_folder_make(folder, error))
        return false;
    g_autofree char *text = text_of(report), *json = json_of(report);
    g_autofree char *text_path = g_build_filename(folder, "report.txt", NULL);
    g_autofree char *json_path = g_build_filename(folder, "result.json", NULL);
    g_autofree char *trace_path = g_build_filename(folder, "trace.json", NULL);
    return g_file_set_contents(text_path, text, -1, error) &&
           g_file_set_contents(json_path, json, -1, error) &&
           write_incidents(report, folder, error) &&
           (!report->result || write_trace(report->result, trace_path, error));
}

static bool deliver(const ScenRunReport *report, const Options *options, GError **error)
{
    g_autofree char *text = options->json ? json_of(report) : text_of(report);
    fputs(text, stdout);
    return (!options->out || write_folder(report, options->out, error)) &&
           (!options->trace || write_trace(report->result, options->trace, error));
}

/* Says of a further job what the report says of the scenario's own. */
static void note_job(const ScenScenario *scenario, const ScenJob *job, GPtrArray *notes)
{
    StratCosting costing;
    g_autoptr(GError) no_fit = NULL;
    if (!scen_job_costing(scenario, job, &costing, NULL))
        return;
    g_autoptr(GArray) memory = strat_memory_stages(&costing);
    if (!strat_memory_check(&costing, memory, &no_fit))
        g_ptr_array_add(notes, g_strdup_printf("job %s %s", job->name, no_fit->message));
}

/* Runs the jobs of @scenario together, if it has any that can meet. */
static bool run_jobs(const ScenScenario *scenario, const StratCosting *costing,
                     const StratTrainResult *result, GPtrArray *notes, StratJobs **jobs,
                     GError **error)
{
    if (!scenario->jobs || scenario->jobs->len == 0)
        return true;
    for (guint i = 0; i < scenario->jobs->len; i++)
        note_job(scenario, &g_array_index(scenario->jobs, ScenJob, i), notes);
    if (!costing->net->shares_links) {
        g_ptr_array_add(notes, g_strdup_printf("on the network %s jobs do not meet, and each is as "
                                               "fast as alone: --network fluid",
                                               costing->net->name));
        return true;
    }
    *jobs = scen_simulate_jobs(scenario, result, error);
    return *jobs != NULL;
}

/* What batches take to the target of @scenario, if it has one. */
static bool run_to_target(const ScenScenario *scenario, const StratTrainResult *result,
                          ScenTrainingRun **run, GError **error)
{
    if (scenario->training_run.tokens <= 0.0)
        return true;
    *run = scen_training_run(scenario, result, error);
    return *run != NULL;
}

/* The published figures of @scenario, judged; an empty array when it expects none. */
static GArray *judge(const Options *options, const ScenScenario *scenario,
                     const ScenOutcome *outcome, GError **error)
{
    g_auto(GStrv) overrides = overrides_new(options);
    g_autoptr(GArray) judgements =
        scen_judge(scenario, outcome, (const char *const *)overrides, error);
    if (!judgements)
        return NULL;
    GArray *rows = scen_judged_rows_new();
    scen_judged_rows_add(rows, scenario, judgements);
    return rows;
}

/* The step of @scenario without its faults, and who waits because of them; nothing when it has
 * none.
 */
static bool run_healthy(const ScenScenario *scenario, const StratCosting *costing,
                        const StratTrainResult *result, StratTrainResult **healthy,
                        StratWait waits[STRAT_WAIT_ROLES], GError **error)
{
    const StratJobState well = {.adaptation = STRAT_ADAPT_NONE};
    if (!scen_degraded_is_on(&scenario->degraded))
        return true;
    *healthy = scen_simulate_in(scenario, &well, error);
    return *healthy && strat_waits(costing, result, *healthy, waits, error);
}

/* What has no step to simulate. */
static bool run_alone(const Options *options, const ScenScenario *scenario, GError **error)
{
    if (options->trace) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "--trace is the timeline of a training step, which is not simulated here");
        return false;
    }
    g_autoptr(ScenOutcome) outcome = scen_outcome_new(scenario, error);
    if (!outcome)
        return false;
    g_autoptr(GArray) judged = judge(options, scenario, outcome, error);
    ScenRunReport report = {
        .scenario = scenario,
        .campaign = outcome->campaign,
        .totals = scenario->replay ? &outcome->totals : NULL,
        .judged = judged,
    };
    return judged && deliver(&report, options, error);
}

static bool run_training(const Options *options, const ScenScenario *scenario, bool *fits,
                         GError **error)
{
    StratCosting costing;
    if (!scen_costing(scenario, &costing, error))
        return false;
    KernTally tally = {0};
    g_autoptr(StratTrainResult) result = scen_simulate_tallied(scenario, &tally, error);
    if (!result)
        return false;
    g_autoptr(GError) no_fit = NULL;
    g_autoptr(GPtrArray) notes = scen_run_notes(scenario);
    g_autoptr(GArray) knobs = NULL;
    *fits = strat_memory_check(&costing, result->memory, &no_fit);
    if (*fits && !scenario->campaign.is_on && scen_knobs_are_cheap(scenario) &&
        (!options->json || options->out))
        knobs = scen_knobs(scenario, result, KNOBS_SHOWN);
    g_autoptr(StratJobs) jobs = NULL;
    if (!run_jobs(scenario, &costing, result, notes, &jobs, error))
        return false;
    g_autoptr(StratTrainResult) healthy = NULL;
    StratWait waits[STRAT_WAIT_ROLES];
    if (!run_healthy(scenario, &costing, result, &healthy, waits, error))
        return false;
    g_autoptr(ScenOutcome) outcome = g_new0(ScenOutcome, 1);
    if (*fits && !scen_outcome_months(scenario, result, outcome, error))
        return false;
    g_autoptr(GArray) judged = *fits ? judge(options, scenario, outcome, error) : NULL;
    if (*fits && !judged)
        return false;
    if (outcome->campaign && outcome->campaign->steps.asked > 0 &&
        strat_costing_reads_fabric(&costing))
        g_ptr_array_add(notes, g_strdup("steps with slow GPUs or weak NICs are simulated with them "
                                        "in the first of the replicas that are alike, wherever on "
                                        "the fabric they are"));
    g_autoptr(ScenTrainingRun) training_run = NULL;
    if (*fits && !run_to_target(scenario, result, &training_run, error))
        return false;
    g_autoptr(GPtrArray) campaigns = NULL;
    if (outcome->campaign && scenario->campaign.recoveries) {
        campaigns = scen_survive_with(scenario, result, scenario->campaign.recoveries, error);
        if (!campaigns)
            return false;
    }
    StratInterval interval;
    if (!scen_interval(scenario, result, &interval, NULL, error))
        return false;
    ScenRunReport report = {
        .scenario = scenario,
        .result = result,
        .interval = &interval,
        .no_fit = no_fit ? no_fit->message : NULL,
        .notes = notes,
        .knobs = knobs,
        .tally = &tally,
        .jobs = jobs,
        .healthy = healthy,
        .waits = waits,
        .campaign = outcome->campaign,
        .judged = judged,
        .saves = outcome->has_saves ? &outcome->saves : NULL,
        .campaigns = campaigns,
        .training_run = training_run,
    };
    scen_table_notes(&report, notes);
    return deliver(&report, options, error);
}

static bool run_what_if(const Options *options, const ScenScenario *scenario, bool *fits,
                        GError **error)
{
    if (scenario->queue.is_on || scenario->replay || scenario->campaign.is_alone) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "--what-if is of a training step or of serving");
        return false;
    }
    g_autoptr(ScenWhatIf) what_if = scen_what_if(scenario, options->threads, error);
    if (!what_if)
        return false;
    g_autofree char *text =
        options->json ? scen_what_if_json(scenario, what_if) : scen_what_if_text(scenario, what_if);
    fputs(text, stdout);
    *fits = what_if->why == NULL;
    return true;
}

/* Whether any of @sets changes more than where files are and what is expected. */
static bool changes_scenario(char *const *sets)
{
    static const char *const harmless[] = {"traffic.trace=", "serve.engine_profile=", "expect.",
                                           "replay="};
    for (; sets && *sets; sets++) {
        bool changes = true;
        for (size_t i = 0; i < G_N_ELEMENTS(harmless); i++)
            changes = changes && !g_str_has_prefix(*sets, harmless[i]);
        if (changes)
            return true;
    }
    return false;
}

static bool run(const Options *options, bool *holds, GError **error)
{
    g_auto(GStrv) overrides = overrides_new(options);
    g_autoptr(ScenScenario) scenario =
        scen_scenario_load(options->files[0], (const char *const *)overrides, error);
    if (!scenario)
        return false;
    /* What was published is about the scenario as it was written. */
    if (changes_scenario(options->sets)) {
        scen_expect_clear(&scenario->expect);
        scenario->queue.published = (ScenQueuePublished){0};
    }
    if (options->what_if)
        return run_what_if(options, scenario, holds, error);
    if (scenario->queue.is_on && !options->trace) {
        *holds = true;
        return scen_run_queue(scenario, options->json, options->out, error);
    }
    if (scenario->replay || scenario->campaign.is_alone) {
        *holds = true;
        return run_alone(options, scenario, error);
    }
    if (!scenario->serving.is_on)
        return run_training(options, scenario, holds, error);
    if (options->trace) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "--trace is the timeline of a training step; --out writes what serving did");
        return false;
    }
    return scen_run_serve(scenario, options->json, options->out, holds, error);
}

ScenExit scen_cmd_run(int argc, char **argv)
{
    (void)argc;
    Options options = {0};
    ScenExit status;
    g_autoptr(GError) error = NULL;
    bool fits = false;
    if (!parse(&options, argv, &status)) {
        options_clear(&options);
        return status;
    }
    bool done = run(&options, &fits, &error);
    options_clear(&options);
    if (!done)
        return scen_fail(error);
    return fits ? SCEN_EXIT_OK : SCEN_EXIT_NO;
}

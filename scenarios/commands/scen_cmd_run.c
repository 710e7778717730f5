/* `orrery run`: one scenario, one answer.
 *
 * Load, answer, print. --seed, --network and --fold are spelled as overrides, so they meet the
 * checks of any other key. */
#include "scen_cmd.h"

#include "scen_answer.h"
#include "scen_errors.h"
#include "scen_hands.h"
#include "scen_options.h"
#include "scen_what_if_report.h"

#include <stdio.h>

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
    char *out, *trace, *report;
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
    g_free(options->report);
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
         "Simulations of --what-if, replications of campaigns and queues at a time (default: one a "
         "processor, under mpirun one a process); the answer is the same", "N"},
        {"json",    0, 0, G_OPTION_ARG_NONE, &o->json, "Print JSON instead of text", NULL},
        {"out",           'o', 0, G_OPTION_ARG_FILENAME, &o->out,
         "Also write the report (text and HTML), result.json and the timeline (serving: requests "
         "and samples) "
         "there", "DIR"},
        {"report", 0, 0, G_OPTION_ARG_FILENAME, &o->report,
         "Write the report as one HTML page, with charts", "FILE"},
        {"trace",       0, 0, G_OPTION_ARG_FILENAME, &o->trace,
         "Write the timeline as Chrome trace events, for Perfetto", "FILE"},
        {G_OPTION_REMAINING,       0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->files, NULL, NULL},
        {0          },
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
    else if (o->what_if && (o->out || o->trace || o->report))
        *status = scen_options_wrong(
            &usage, "--out, --trace and --report are of one run, not of --what-if");
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

static bool run_what_if(const Options *options, const ScenScenario *scenario, bool *fits,
                        GError **error)
{
    if (!scen_has_plan_or_serves(scenario)) {
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

/* A process that is not the first helps with replications and prints and writes nothing. */
static bool run(const Options *options, const SimFarm *farm, bool *holds, GError **error)
{
    g_auto(GStrv) overrides = overrides_new(options);
    g_autoptr(ScenScenario) scenario =
        scen_scenario_load(options->files[0], (const char *const *)overrides, error);
    if (!scenario)
        return false;
    scen_answer_changed(scenario, (const char *const *)options->sets);
    scenario->campaign.spec.farm = scenario->queue.spec.farm = farm;
    bool shared = scenario->campaign.is_on || scenario->queue.is_on;
    if (farm->is_worker && (!shared || options->what_if))
        return true;
    if (options->what_if)
        return run_what_if(options, scenario, holds, error);
    const ScenAnswerWants wants = {
        .overrides = (const char *const *)overrides,
        .text = !options->json && !farm->is_worker,
        .json = options->json && !farm->is_worker,
        .out = farm->is_worker ? NULL : options->out,
        .trace = farm->is_worker ? NULL : options->trace,
        .report = farm->is_worker ? NULL : options->report,
    };
    g_autoptr(ScenAnswer) answer = scen_answer_new(scenario, &wants, error);
    if (!answer)
        return false;
    if (!farm->is_worker)
        fputs(options->json ? answer->json : answer->text, stdout);
    *holds = answer->holds;
    return true;
}

ScenExit scen_cmd_run(int argc, char **argv)
{
    (void)argc;
    Options options = {0};
    ScenHands hands;
    ScenExit status;
    g_autoptr(GError) error = NULL;
    bool fits = false;
    if (!parse(&options, argv, &status)) {
        options_clear(&options);
        return status;
    }
    if (scen_hands_open(&hands, options.threads, options.files[0], &error))
        run(&options, &hands.farm, &fits, &error);
    options_clear(&options);
    return scen_hands_close(&hands, fits ? SCEN_EXIT_OK : SCEN_EXIT_NO, error);
}

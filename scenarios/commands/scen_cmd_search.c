/* `orrery search`: which deployment serves the traffic of a scenario for the fewest dollars, or
 * which training plan has the shortest step.
 *
 * An interrupt (SIGINT) ends the search early: the signal is held back in all threads and looked
 * for between requests, so that what was found until then is printed, marked as partial. */
#include "scen_cmd.h"
#include "scen_errors.h"
#include "scen_hands.h"
#include "scen_options.h"
#include "scen_plan_search_report.h"
#include "scen_search_report.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const ScenUsage usage = {
    .command = "search",
    .arguments = "SCENARIO.yaml",
    .summary =
        "Finds the deployment that serves the scenario's traffic within its objectives "
        "(serve.slo)\n"
        "for the fewest dollars. `search:` says what may be chosen:\n"
        "\n"
        "  objective      usd (default), usd_per_million_output_tokens or gpus\n"
        "  nodes, costs   kinds of nodes, and the price of each\n"
        "  max_gpus       of a deployment (default: the cluster's)\n"
        "  tensor, pipeline, data, expert, weights, kv, max_tokens, max_sequences\n"
        "                 lists; without one the scenario's own value, of tensor 1, 2, 4 ...\n"
        "  disaggregated  also with replicas for prompts alone\n"
        "  reach          also simulates what may cost so many times the winner (default 1.25)\n"
        "\n"
        "Of a scenario that trains, the plan with the shortest step:\n"
        "\n"
        "  tensor, context, pipeline, virtual_stages, data, micro_batch, zero_stage, recompute,\n"
        "  sequence_parallel, schedule\n"
        "                 lists; without one all values, of context and data the plan's own\n"
        "  max_gpus, headroom, reach\n"
        "                 as above; share of memory to leave free\n"
        "\n"
        "What cannot fit, divide the model or keep the objectives by its lower bounds is rejected\n"
        "without a simulation; the rest is simulated in full, cheapest first. --json has schema "
        "1:\n"
        "best, next, pareto (deployments with sizes, settings for `orrery run`, dollars, p99\n"
        "latencies, GPU-seconds), rejected (family, reason, count, example, example_why); of "
        "plans\n"
        "best, next, pareto (settings, step time, free memory, dollars, ledger), rejected (path,\n"
        "reason, count).\n"
        "Exit status 1: nothing does what is asked, or the search was interrupted.",
};

typedef struct Options {
    char **files, **sets;
    char *seed;
    gint threads;
    gboolean json, all;
} Options;

static void options_clear(Options *options)
{
    g_strfreev(options->files);
    g_strfreev(options->sets);
    g_free(options->seed);
}

static bool parse(Options *o, char **argv, ScenExit *status)
{
    const GOptionEntry entries[] = {
        {"set",       's', 0, G_OPTION_ARG_STRING_ARRAY, &o->sets, "Change a value of the scenario",
         "KEY=VALUE"},
        {"seed",          0, 0, G_OPTION_ARG_STRING, &o->seed, "Seed of all random numbers", "N"},
        {"threads",   0, 0, G_OPTION_ARG_INT, &o->threads,
         "Simulations at a time (default: one a processor, under mpirun one a process); the answer "
         "is "
         "the same", "N"},
        {"all", 0, 0, G_OPTION_ARG_NONE, &o->all,
         "Simulate all that fits, to the end, whatever its bounds", NULL},
        {"json",      0, 0, G_OPTION_ARG_NONE, &o->json, "Print JSON instead of text", NULL},
        {G_OPTION_REMAINING,          0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->files, NULL, NULL},
        {0  },
    };
    if (!scen_options_parse(&usage, entries, argv, status))
        return false;
    guint count = o->files ? g_strv_length(o->files) : 0;
    if (count != 1)
        *status = scen_options_wrong(&usage, "needs one scenario, not %u", count);
    else if (o->threads < 0)
        *status = scen_options_wrong(&usage, "--threads is 0 or more, not %d", o->threads);
    else
        return true;
    return false;
}

static char **overrides_new(const Options *options)
{
    g_autoptr(GStrvBuilder) all = g_strv_builder_new();
    if (options->sets)
        g_strv_builder_addv(all, (const char **)options->sets);
    if (options->seed) {
        g_autofree char *text = g_strconcat("seed=", options->seed, NULL);
        g_strv_builder_add(all, text);
    }
    return g_strv_builder_end(all);
}

static void hold_interrupts(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static bool is_interrupted(void *ctx)
{
    (void)ctx;
    sigset_t set;
    return sigpending(&set) == 0 && sigismember(&set, SIGINT) == 1;
}

static void show_progress(void *ctx, size_t done, size_t most)
{
    (void)ctx;
    fprintf(stderr, "\r%zu of at most %zu simulated", done, most);
}

static char *search_deployments(const ScenScenario *scenario, const char *path,
                                const char *const *sets, const ScenSearchOptions *how, bool json,
                                bool *found, GError **error)
{
    g_autoptr(ScenSearched) searched = scen_search(scenario, path, sets, how, error);
    if (!searched)
        return NULL;
    *found = searched->best >= 0 && !searched->stopped;
    return json ? scen_search_json(scenario, searched) : scen_search_text(scenario, searched);
}

static char *search_plans(const ScenScenario *scenario, const ScenSearchOptions *how, bool json,
                          bool *found, GError **error)
{
    g_autoptr(ScenPlansSearched) searched = scen_plan_search(scenario, how, error);
    if (!searched)
        return NULL;
    *found = searched->best >= 0 && !searched->stopped;
    return json ? scen_plan_search_json(scenario, searched)
                : scen_plan_search_text(scenario, searched);
}

/* mpirun ends all processes at an interrupt, so there it is not held back. */
static bool run(const Options *options, const ScenHands *hands, bool *found, GError **error)
{
    g_auto(GStrv) sets = overrides_new(options);
    const char *path = options->files[0];
    g_autoptr(ScenScenario) scenario = scen_scenario_load(path, (const char *const *)sets, error);
    if (!scenario)
        return false;
    bool shows = isatty(STDERR_FILENO) && !hands->farm.is_worker;
    ScenSearchOptions how = {
        .farm = &hands->farm,
        .exhaustive = options->all,
        .stops = hands->ranks ? NULL : is_interrupted,
        .progress = shows ? show_progress : NULL,
    };
    if (!hands->ranks)
        hold_interrupts();
    g_autofree char *text = scenario->serving.is_on
                                ? search_deployments(scenario, path, (const char *const *)sets,
                                                     &how, options->json, found, error)
                                : search_plans(scenario, &how, options->json, found, error);
    if (shows)
        fputs("\r\033[K", stderr);
    if (text && !hands->farm.is_worker)
        fputs(text, stdout);
    return text != NULL;
}

ScenExit scen_cmd_search(int argc, char **argv)
{
    (void)argc;
    Options options = {0};
    ScenHands hands;
    ScenExit status;
    g_autoptr(GError) error = NULL;
    bool found = false;
    if (!parse(&options, argv, &status)) {
        options_clear(&options);
        return status;
    }
    if (scen_hands_open(&hands, options.threads, options.files[0], &error))
        run(&options, &hands, &found, &error);
    options_clear(&options);
    return scen_hands_close(&hands, found ? SCEN_EXIT_OK : SCEN_EXIT_NO, error);
}

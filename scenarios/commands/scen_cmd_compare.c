/* `orrery compare`: scenarios of one kind side by side. A command of its own, since `run` is of one
 * scenario and its files and timelines are of one run. */
#include "scen_cmd.h"
#include "scen_compare_report.h"
#include "scen_options.h"

#include <stdio.h>

static const ScenUsage usage = {
    .command = "compare",
    .arguments = "A.yaml B.yaml [C.yaml...]",
    .summary = "Runs scenarios of one kind (training steps, campaigns or serving) and prints them\n"
               "side by side: their figures, where the GPU-seconds go with the differences to the\n"
               "first, the keys whose values differ, and where the dearer one loses most. --set\n"
               "applies to all of them. --json has schema 1; its lists are in the order of the\n"
               "scenarios.",
};

typedef struct Options {
    char **files, **sets;
    gboolean json;
} Options;

static bool parse(Options *o, char **argv, ScenExit *status)
{
    const GOptionEntry entries[] = {
        {"set",       's', 0, G_OPTION_ARG_STRING_ARRAY, &o->sets, "Change a value of all scenarios",
         "KEY=VALUE"},
        {"json",          0, 0, G_OPTION_ARG_NONE, &o->json, "Print JSON instead of text", NULL},
        {G_OPTION_REMAINING,   0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->files, NULL, NULL},
        {0},
    };
    if (!scen_options_parse(&usage, entries, argv, status))
        return false;
    guint count = o->files ? g_strv_length(o->files) : 0;
    if (count >= 2 && count <= SCEN_COMPARED_MOST)
        return true;
    *status =
        scen_options_wrong(&usage, "needs 2 to %d scenarios, not %u", SCEN_COMPARED_MOST, count);
    return false;
}

static bool run(const Options *options, GError **error)
{
    g_autoptr(GPtrArray) scenarios =
        g_ptr_array_new_with_free_func((GDestroyNotify)scen_scenario_free);
    for (char **file = options->files; *file; file++) {
        ScenScenario *scenario =
            scen_scenario_load(*file, (const char *const *)options->sets, error);
        if (!scenario)
            return false;
        g_ptr_array_add(scenarios, scenario);
    }
    g_autoptr(ScenComparison) comparison =
        scen_compare((const ScenScenario *const *)scenarios->pdata, scenarios->len, error);
    if (!comparison)
        return false;
    g_autofree char *text =
        options->json ? scen_compare_json(comparison) : scen_compare_text(comparison);
    fputs(text, stdout);
    return true;
}

ScenExit scen_cmd_compare(int argc, char **argv)
{
    (void)argc;
    Options options = {0};
    ScenExit status = SCEN_EXIT_OK;
    g_autoptr(GError) error = NULL;
    if (parse(&options, argv, &status))
        status = run(&options, &error) ? SCEN_EXIT_OK : scen_fail(error);
    g_strfreev(options.files);
    g_strfreev(options.sets);
    return status;
}

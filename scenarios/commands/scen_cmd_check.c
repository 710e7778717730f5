/* `orrery check`: loads scenarios and reports every fault of every one, without simulating. */
#include "scen_cmd.h"

#include "scen_options.h"
#include "scen_simulate.h"

#include <stdio.h>

static const ScenUsage usage = {
    .command = "check",
    .arguments = "SCENARIO.yaml...",
    .summary = "Reports every fault of every scenario: file:line:column, what is wrong, what is\n"
               "accepted. Exit status 2 when there is any.",
};

/* The worse of two statuses; a fault of ours outweighs the author's. */
static ScenExit check(const char *path, const char *const *sets, ScenExit worst)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenScenario) scenario = scen_scenario_load(path, sets, &error);
    StratCosting costing;
    if (scenario && (scenario->queue.is_on || scen_costing(scenario, &costing, &error))) {
        printf("%s: ok", path);
        if (scenario->sweep.points > 0)
            printf(", with a sweep of %" G_GINT64_FORMAT " points", scenario->sweep.points);
        puts("");
        return worst;
    }
    ScenExit status = scen_fail(error);
    return MAX(worst, status); /* evaluates its arguments twice */
}

ScenExit scen_cmd_check(int argc, char **argv)
{
    (void)argc;
    g_auto(GStrv) files = NULL;
    g_auto(GStrv) sets = NULL;
    const GOptionEntry entries[] = {
        {"set",  's', 0, G_OPTION_ARG_STRING_ARRAY, &sets, "Change a value of each scenario",
         "KEY=VALUE"},
        {G_OPTION_REMAINING,     0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL},
        {0},
    };
    ScenExit status = SCEN_EXIT_OK;
    if (!scen_options_parse(&usage, entries, argv, &status))
        return status;
    if (!files)
        return scen_options_wrong(&usage, "needs at least one scenario");
    for (size_t i = 0; files[i]; i++)
        status = check(files[i], (const char *const *)sets, status);
    return status;
}

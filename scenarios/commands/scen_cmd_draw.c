/* `orrery draw`: the scenario's network as a Graphviz drawing, to look at before trusting it. */
#include "scen_cmd.h"

#include "scen_options.h"
#include "scen_simulate.h"

#include <stdio.h>

static const ScenUsage usage = {
    .command = "draw",
    .arguments = "SCENARIO.yaml",
    .summary = "Prints the scenario's fabric, with its nodes, as a Graphviz drawing:\n"
               "  orrery draw SCENARIO.yaml --set cluster.gpus=32 | dot -Tsvg > fabric.svg",
};

static bool draw(const char *path, const char *const *sets, GError **error)
{
    g_autoptr(ScenScenario) scenario = scen_scenario_load(path, sets, error);
    StratCosting costing;
    if (!scenario || !scen_costing(scenario, &costing, error))
        return false;
    g_autoptr(TopoFabric) fabric = topo_fabric_new(&costing.fabric, error);
    return fabric && topo_graph_write_dot(fabric->graph, stdout);
}

ScenExit scen_cmd_draw(int argc, char **argv)
{
    (void)argc;
    g_auto(GStrv) files = NULL;
    g_auto(GStrv) sets = NULL;
    g_autoptr(GError) error = NULL;
    const GOptionEntry entries[] = {
        {"set",  's', 0, G_OPTION_ARG_STRING_ARRAY, &sets, "Change a value of the scenario",
         "KEY=VALUE"},
        {G_OPTION_REMAINING,     0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL},
        {0},
    };
    ScenExit status = SCEN_EXIT_OK;
    if (!scen_options_parse(&usage, entries, argv, &status))
        return status;
    if (!files || files[1])
        return scen_options_wrong(&usage, "needs one scenario");
    if (draw(files[0], (const char *const *)sets, &error))
        return SCEN_EXIT_OK;
    return error ? scen_fail(error) : SCEN_EXIT_FAULT;
}

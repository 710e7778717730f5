/* `orrery draw`: the scenario's network as a drawing, to look at before trusting it. Links that are
 * unwell from the start show; faults of a part of the step do not. */
#include "scen_cmd.h"

#include "scen_options.h"
#include "scen_simulate.h"

#include <stdio.h>

static const ScenUsage usage = {
    .command = "draw",
    .arguments = "SCENARIO.yaml",
    .summary = "Prints the scenario's fabric, with its nodes: for Graphviz, or as a picture.\n"
               "  orrery draw SCENARIO.yaml --set cluster.gpus=32 | dot -Tsvg > fabric.svg\n"
               "  orrery draw SCENARIO.yaml --set cluster.gpus=32 --svg > fabric.svg\n"
               "Links that are down (fabric.health) are dashed and red, degraded ones orange.",
};

static bool draw(const char *path, const char *const *sets, bool as_svg, GError **error)
{
    g_autoptr(ScenScenario) scenario = scen_scenario_load(path, sets, error);
    StratCosting costing;
    if (!scenario || !scen_costing(scenario, &costing, error))
        return false;
    g_autoptr(TopoFabric) fabric = topo_fabric_new(&costing.fabric, error);
    if (!fabric || !topo_fabric_apply(fabric, &costing.changes, error))
        return false;
    return (as_svg ? topo_graph_write_svg : topo_graph_write_dot)(fabric->graph, stdout);
}

ScenExit scen_cmd_draw(int argc, char **argv)
{
    (void)argc;
    g_auto(GStrv) files = NULL;
    g_auto(GStrv) sets = NULL;
    gboolean svg = FALSE;
    g_autoptr(GError) error = NULL;
    const GOptionEntry entries[] = {
        {"svg", 0, 0, G_OPTION_ARG_NONE, &svg, "Draw a picture, without Graphviz", NULL},
        {"set",    's', 0, G_OPTION_ARG_STRING_ARRAY, &sets, "Change a value of the scenario",
         "KEY=VALUE"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL},
        {0},
    };
    ScenExit status = SCEN_EXIT_OK;
    if (!scen_options_parse(&usage, entries, argv, &status))
        return status;
    if (!files || files[1])
        return scen_options_wrong(&usage, "needs one scenario");
    if (draw(files[0], (const char *const *)sets, svg, &error))
        return SCEN_EXIT_OK;
    return error ? scen_fail(error) : SCEN_EXIT_FAULT;
}

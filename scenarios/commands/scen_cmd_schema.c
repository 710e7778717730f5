/* `orrery schema`: what a scenario may hold, for editors. */
#include "scen_cmd.h"

#include "scen_list.h"
#include "scen_names.h"
#include "scen_options.h"
#include "scen_schema.h"

#include <stdio.h>

static const ScenUsage usage = {
    .command = "schema",
    .arguments = "[KIND]",
    .summary =
        "Prints the JSON Schema (draft-07) of a scenario, for YAML language servers; with a\n"
        "kind of `orrery list` that is a catalog, as gpus, that of its files. Names are\n"
        "those of the catalogs at hand.",
};

static ScenExit unknown(const char *name)
{
    g_autoptr(GPtrArray) kinds = scen_list_kinds();
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    for (guint i = 0; i < kinds->len; i++)
        if (scen_list_catalog(kinds->pdata[i]) != SCEN_CATALOG_NONE)
            g_ptr_array_add(known, kinds->pdata[i]);
    g_autofree char *advice = scen_names_advice(name, known);
    return scen_options_wrong(&usage, "no catalog of '%s'%s", name, advice);
}

ScenExit scen_cmd_schema(int argc, char **argv)
{
    (void)argc;
    g_auto(GStrv) kinds = NULL;
    gboolean any_name = FALSE;
    g_autoptr(GError) error = NULL;
    const GOptionEntry entries[] = {
        {"any-name", 0, 0, G_OPTION_ARG_NONE, &any_name,
         "Take names that are in no catalog, as rows of a catalog to come", NULL},
        {G_OPTION_REMAINING,         0, 0, G_OPTION_ARG_STRING_ARRAY, &kinds, NULL, NULL},
        {0},
    };
    ScenExit status = SCEN_EXIT_OK;
    if (!scen_options_parse(&usage, entries, argv, &status))
        return status;
    if (kinds && kinds[1])
        return scen_options_wrong(&usage, "takes one kind, not %u", g_strv_length(kinds));
    if (kinds && scen_list_catalog(kinds[0]) == SCEN_CATALOG_NONE)
        return unknown(kinds[0]);
    g_autofree char *text = scen_schema_text(kinds ? kinds[0] : NULL, any_name, &error);
    if (!text)
        return scen_fail(error);
    fputs(text, stdout);
    return SCEN_EXIT_OK;
}

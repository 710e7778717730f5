#include "scen_cmd.h"

#include "scen_load.h"
#include "scen_rows.h"
#include "scen_validate.h"

#include <stdio.h>
#include <string.h>

static void add_row(ScenValidation *v, JsonObject *row)
{
    g_autoptr(GError) error = NULL;
    const char *id = json_object_get_string_member_with_default(row, "id", "unnamed");
    g_autofree char *yaml = scen_row_to_yaml(row, &error);
    g_autoptr(ScenScenario) scenario = NULL;
    ScenLoadOptions options = {0};
    if (yaml)
        scenario = scen_scenario_parse(id, yaml, strlen(yaml), &options, &error);
    if (scenario)
        scen_validation_add(v, scenario);
    else
        scen_validation_skip(v, id, error->message);
}

ScenExit scen_cmd_validate(int argc, char **argv)
{
    (void)argc;
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonParser) parser = json_parser_new();
    if (!json_parser_load_from_file(parser, argv[1], &error))
        return SCEN_EXIT_WRONG;
    g_autoptr(ScenValidation) v = scen_validation_new();
    JsonArray *rows = json_node_get_array(json_parser_get_root(parser));
    for (guint i = 0; i < json_array_get_length(rows); i++)
        add_row(v, json_array_get_object_element(rows, i));
    scen_validation_baseline(v);
    for (guint i = 0; i < v->rows->len; i++) {
        const ScenValidRow *r = &g_array_index(v->rows, ScenValidRow, i);
        printf("%-60s %10.4f %10.4f %+7.1f%% base %+6.1f%% %s %s\n", r->id, r->predicted_s,
               r->published_s, 100 * r->error_fraction, 100 * r->baseline_error_fraction,
               r->fits ? "" : "NOFIT", r->schedule_only ? "S" : "");
    }
    for (guint i = 0; i < v->skipped->len; i++) {
        const ScenSkippedRow *r = &g_array_index(v->skipped, ScenSkippedRow, i);
        printf("skip %s: %s\n", r->id, r->reason);
    }
    return SCEN_EXIT_OK;
}

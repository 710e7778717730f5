/* Every published training row is predicted or skipped for a reason that is said: the table is what
 * `orrery validate --rows` reads. How near the predictions come is for that command to show; here
 * they are only held to be numbers of the right order. Skipped where the table is not at hand. */
#include "scen_load.h"
#include "scen_rows.h"
#include "scen_validate.h"

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

static const char table[] = SHARED_DIR "/published/training.json";

/* The rows, NULL (and the test skipped) without the table. */
static JsonParser *open_table(void)
{
    if (!g_file_test(table, G_FILE_TEST_EXISTS))
        cr_skip_test("no table of published rows");
    g_autoptr(GError) error = NULL;
    JsonParser *parser = json_parser_new();
    bool read = json_parser_load_from_file(parser, table, &error);
    cr_assert(read, "%s", error ? error->message : "");
    return parser;
}

static void add_row(ScenValidation *validation, JsonObject *row)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ScenScenario) scenario = NULL;
    const char *id = json_object_get_string_member_with_default(row, "id", "unnamed");
    g_autofree char *yaml = scen_row_to_yaml(row, &error);
    ScenLoadOptions options = {0};
    cr_assert((yaml == NULL) == (error != NULL), "%s: either text or a reason", id);
    if (yaml)
        scenario = scen_scenario_parse(id, yaml, strlen(yaml), &options, &error);
    if (scenario)
        scen_validation_add(validation, scenario, NULL);
    else
        scen_validation_skip(validation, id, error->message);
}

static ScenValidation *validate(JsonParser *parser)
{
    ScenValidation *validation = scen_validation_new();
    JsonArray *rows = json_node_get_array(json_parser_get_root(parser));
    for (guint i = 0; i < json_array_get_length(rows); i++) {
        guint before = validation->rows->len + validation->skipped->len;
        add_row(validation, json_array_get_object_element(rows, i));
        cr_expect(validation->rows->len + validation->skipped->len == before + 1);
    }
    return validation;
}

static void check_row(const ScenValidRow *row)
{
    cr_expect(row->id && *row->id && row->source && *row->source && row->gpu && *row->gpu);
    cr_expect(isfinite(row->predicted_s) && row->predicted_s > 0.0, "%s: %g s", row->id,
              row->predicted_s);
    cr_expect(row->published_s > 0.0, "%s", row->id);
    double error = row->predicted_s / row->published_s - 1.0;
    cr_expect(fabs(error - row->error_fraction) <= 1e-9 * (1.0 + fabs(error)), "%s", row->id);
    cr_expect(row->predicted_s < 10.0 * row->published_s &&
                  row->predicted_s > 0.1 * row->published_s,
              "%s: %g s, published %g", row->id, row->predicted_s, row->published_s);
}

Test(published_rows, are_each_predicted_or_skipped_with_a_reason)
{
    g_autoptr(JsonParser) parser = open_table();
    g_autoptr(ScenValidation) validation = validate(parser);
    for (guint i = 0; i < validation->skipped->len; i++) {
        const ScenSkippedRow *row = &g_array_index(validation->skipped, ScenSkippedRow, i);
        cr_expect(row->id && *row->id && row->reason && *row->reason, "row %u", i);
    }
    for (guint i = 0; i < validation->rows->len; i++)
        check_row(&g_array_index(validation->rows, ScenValidRow, i));
    cr_expect(validation->rows->len >= 100, "only %u predicted", validation->rows->len);
}

Test(published_rows, have_a_baseline_that_is_right_for_some_row_of_each_gpu)
{
    g_autoptr(JsonParser) parser = open_table();
    g_autoptr(ScenValidation) validation = validate(parser);
    scen_validation_baseline(validation);
    double least = INFINITY;
    for (guint i = 0; i < validation->rows->len; i++) {
        const ScenValidRow *row = &g_array_index(validation->rows, ScenValidRow, i);
        cr_expect(isfinite(row->baseline_error_fraction), "%s", row->id);
        least = fmin(least, fabs(row->baseline_error_fraction));
    }
    cr_expect(least < 1e-9, "the rate is some row's own");
    ScenValidSummary all = scen_validation_by_source(validation, NULL, SCEN_VALID_ALL);
    cr_expect(all.rows == validation->rows->len);
    cr_expect(all.worst_fraction >= all.mean_fraction);
}

/* The intervals were fitted on rows of dense models; those with experts, whose dispatch and routing
 * are measured on few of them, come out too fast for such intervals (docs/limits.md). */
static void drop_experts(JsonParser *parser)
{
    JsonArray *rows = json_node_get_array(json_parser_get_root(parser));
    for (guint i = json_array_get_length(rows); i-- > 0;) {
        JsonObject *row = json_array_get_object_element(rows, i);
        JsonObject *model = json_object_get_object_member(row, "model");
        if (json_object_get_int_member_with_default(model, "experts", 0) > 0)
            json_array_remove_element(rows, i);
    }
}

/* What the intervals promise of dense models (strategies/catalog/uncertainty.yaml). When better
 * costs move this, `orrery validate --fit-errors` fits it anew. */
Test(published_rows, lie_in_their_intervals_as_often_as_promised)
{
    g_autoptr(JsonParser) parser = open_table();
    drop_experts(parser);
    g_autoptr(ScenValidation) validation = validate(parser);
    ScenValidSummary s = scen_validation_by_source(validation, NULL, SCEN_VALID_COST_MODEL);
    size_t inside = 0;
    for (guint i = 0; i < validation->rows->len; i++) {
        const ScenValidRow *row = &g_array_index(validation->rows, ScenValidRow, i);
        const StratInterval *interval = &row->interval;
        cr_expect(interval->low_s < row->predicted_s && row->predicted_s < interval->high_s, "%s",
                  row->id);
        bool is_inside =
            row->published_s >= interval->low_s && row->published_s <= interval->high_s;
        inside += is_inside && !row->schedule_only ? 1 : 0;
    }
    cr_expect(inside == s.inside, "%zu inside, the summary says %zu", inside, s.inside);
    cr_expect((double)s.inside >= 0.85 * (double)s.rows, "%zu of %zu inside", s.inside, s.rows);
    cr_expect(s.half_width_fraction < 0.125, "mean half-width %g", s.half_width_fraction);
}

Test(published_rows, without_their_parts_are_refused)
{
    static const char *const texts[] = {"{}", "{\"id\": \"x\"}", "{\"model\": 3, \"setup\": []}",
                                        "{\"id\": \"x\", \"model\": {}, \"setup\": {}}"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(JsonParser) parser = json_parser_new();
        g_autoptr(GError) error = NULL;
        cr_assert(json_parser_load_from_data(parser, texts[i], -1, NULL));
        g_autofree char *yaml =
            scen_row_to_yaml(json_node_get_object(json_parser_get_root(parser)), &error);
        cr_expect(yaml == NULL && error && *error->message, "%s", texts[i]);
    }
}

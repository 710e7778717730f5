/* `orrery validate`: predictions held against published figures.
 *
 * The rows are scenarios with `expect:` in a folder, or the rows of a JSON table, for which
 * scenarios are made on the fly. A row that cannot be predicted is skipped with its reason; a table
 * that is no table is an error. --write keeps the scenarios that were made, which is how
 * scenarios/published came about. */
#include "scen_cmd.h"

#include "scen_data.h"
#include "scen_doc.h"
#include "scen_errors_fit.h"
#include "scen_load.h"
#include "scen_memory_rows.h"
#include "scen_options.h"
#include "scen_row_values.h"
#include "scen_rows.h"
#include "scen_serving_rows.h"
#include "scen_validate_report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const ScenUsage usage = {
    .command = "validate",
    .arguments = "[DIR]",
    .summary =
        "Predicts what was measured: every scenario of DIR (default: the published ones) that\n"
        "has 'expect:', or every row of a JSON table, of training, memory, serving or failures,\n"
        "with the error and the source.",
};

typedef struct Options {
    char **folders, **only, **sets;
    char *rows, *write;
    gboolean json, verbose;
    double fit_errors; /* price of a miss; 0: no fit */
} Options;

static void options_clear(Options *options)
{
    g_strfreev(options->folders);
    g_strfreev(options->only);
    g_strfreev(options->sets);
    g_free(options->rows);
    g_free(options->write);
}

/* No --only, or one that @id matches. */
static bool is_wanted(const Options *options, const char *id)
{
    for (size_t i = 0; options->only && options->only[i]; i++) {
        if (g_pattern_match_simple(options->only[i], id))
            return true;
    }
    return !options->only;
}

/* Progress, on a terminal only. */
static void show_progress(guint done, guint all)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, done < all ? "\r%u of %u" : "\r\033[K", done, all);
}

static char *data_folder(const char *name)
{
    g_autofree char *data = scen_data_folder();
    return g_build_filename(data, "scenarios", name, NULL);
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static GPtrArray *scenario_names(const char *folder, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
    if (!dir)
        return NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name = g_dir_read_name(dir); name; name = g_dir_read_name(dir)) {
        if (g_str_has_suffix(name, ".yaml") && name[0] != '.')
            g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_sort(names, compare_names);
    if (names->len > 0)
        return g_steal_pointer(&names);
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "%s: no scenario (*.yaml) in there",
                folder);
    return NULL;
}

/* Rows for which a folder has no scenario, with the reason: lines "id: reason". NULL: none. */
static char **left_out_of(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "left-out.txt", NULL);
    g_autofree char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? g_strsplit(text, "\n", -1) : NULL;
}

static void add_left_out(ScenValidation *validation, const Options *options, const char *folder)
{
    g_auto(GStrv) lines = left_out_of(folder);
    for (size_t i = 0; lines && lines[i]; i++) {
        const char *reason = strstr(lines[i], ": ");
        g_autofree char *id = reason ? g_strndup(lines[i], (gsize)(reason - lines[i])) : NULL;
        if (id && is_wanted(options, id))
            scen_validation_skip(validation, id, reason + 2);
    }
}

static bool add_folder(ScenValidation *validation, const Options *options, const char *folder,
                       GError **error)
{
    g_autoptr(GPtrArray) names = scenario_names(folder, error);
    for (guint i = 0; names && i < names->len; i++) {
        g_autoptr(GError) fault = NULL;
        g_autofree char *path = g_build_filename(folder, names->pdata[i], NULL);
        g_autofree char *id = g_strndup(names->pdata[i], strlen(names->pdata[i]) - strlen(".yaml"));
        if (!is_wanted(options, id))
            continue;
        g_autoptr(ScenScenario) scenario =
            scen_scenario_load(path, (const char *const *)options->sets, &fault);
        if (scenario)
            scen_validation_add(validation, scenario, (const char *const *)options->sets);
        else
            scen_validation_skip(validation, id, fault->message);
        show_progress(i + 1, names->len);
    }
    if (names)
        add_left_out(validation, options, folder);
    return names != NULL;
}

/* A row of failures has figures of many kinds, so its scenario is written by hand and named after
 * it; a row without one says why not. */
static void add_failure(ScenValidation *validation, const Options *options, const char *id)
{
    g_autofree char *folder = data_folder("failures");
    g_autofree char *file = g_strconcat(id, ".yaml", NULL);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_autoptr(GError) fault = NULL;
    const char *const *sets = (const char *const *)options->sets;
    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_autoptr(ScenScenario) scenario = scen_scenario_load(path, sets, &fault);
        if (scenario)
            scen_validation_add(validation, scenario, sets);
        else
            scen_validation_skip(validation, id, fault->message);
        return;
    }
    g_auto(GStrv) lines = left_out_of(folder);
    const char *reason = "scenarios/failures has no scenario of that name";
    for (size_t i = 0; lines && lines[i]; i++)
        if (g_str_has_prefix(lines[i], id) && g_str_has_prefix(lines[i] + strlen(id), ": "))
            reason = lines[i] + strlen(id) + 2;
    scen_validation_skip(validation, id, reason);
}

/* DIR/<id>.yaml, the id reduced to letters that any file system takes. */
static bool write_scenario(const char *folder, const char *id, const char *yaml, GError **error)
{
    g_autofree char *name =
        g_strcanon(g_strdup(id), G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "._-+", '_');
    g_autofree char *file = g_strconcat(*name == '.' ? "_" : "", name, ".yaml", NULL);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    return g_file_set_contents(path, yaml, -1, error);
}

/* Places in a scenario that nobody has seen mean nothing: "ID:12:3: fault" becomes "fault", several
 * faults one line. The caller owns it. */
static char *reason_of(const char *message, const char *id)
{
    g_auto(GStrv) lines = g_strsplit(message, "\n", -1);
    GString *reason = g_string_new(NULL);
    for (size_t i = 0; lines[i]; i++) {
        if (*lines[i] == '\0')
            continue;
        const char *end = g_str_has_prefix(lines[i], id) ? strstr(lines[i], ": ") : NULL;
        g_string_append_printf(reason, "%s%s", reason->len > 0 ? "; " : "",
                               end ? end + 2 : lines[i]);
    }
    return g_string_free(reason, FALSE);
}

/* The YAML of @row, which is of training or of serving; figures left out are skipped by name. */
static char *row_yaml(ScenValidation *validation, JsonObject *row, const char *id, GError **error)
{
    if (scen_row_is_of_memory(row))
        return scen_memory_row_to_yaml(row, error);
    if (!scen_row_serves(row))
        return scen_row_to_yaml(row, error);
    g_autoptr(GPtrArray) left_out = g_ptr_array_new_with_free_func(g_free);
    char *yaml = scen_serving_row_to_yaml(row, left_out, error);
    for (guint i = 0; yaml && i < left_out->len; i++) {
        char *figure = left_out->pdata[i];
        char *colon = strstr(figure, ": ");
        g_autofree char *name = g_strndup(figure, (gsize)(colon - figure));
        g_autofree char *full = g_strdup_printf("%s, %s", id, name);
        scen_validation_skip(validation, full, colon + 2);
    }
    return yaml;
}

/* False only when the scenario could not be written. */
static bool add_row(ScenValidation *validation, const Options *options, JsonObject *row,
                    const char *id, GError **error)
{
    g_autoptr(GError) fault = NULL;
    g_autofree char *yaml = row_yaml(validation, row, id, &fault);
    g_autoptr(ScenScenario) scenario = NULL;
    ScenLoadOptions load = {.overrides = (const char *const *)options->sets};
    if (yaml)
        scenario = scen_scenario_parse(id, yaml, strlen(yaml), &load, &fault);
    if (!scenario) {
        g_autofree char *reason = reason_of(fault->message, id);
        scen_validation_skip(validation, id, reason);
        return true;
    }
    guint before = validation->rows->len + validation->served->len;
    scen_validation_add(validation, scenario, load.overrides);
    bool predicted = validation->rows->len + validation->served->len > before;
    return !options->write || !predicted || write_scenario(options->write, id, yaml, error);
}

static bool add_node(ScenValidation *validation, const Options *options, JsonNode *node,
                     guint index, GError **error)
{
    g_autofree char *fault = NULL;
    g_autofree char *number = g_strdup_printf("row %u", index + 1);
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        scen_validation_skip(validation, number, "is no object");
        return true;
    }
    JsonObject *row = json_node_get_object(node);
    const char *id = scen_row_text(row, "id", number, &fault);
    if (!is_wanted(options, id))
        return true;
    if (json_object_has_member(row, "published") && json_object_has_member(row, "tolerance")) {
        add_failure(validation, options, id);
        return true;
    }
    return add_row(validation, options, row, id, error);
}

static bool add_table(ScenValidation *validation, const Options *options, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (options->write && g_mkdir_with_parents(options->write, 0777) != 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno), "%s: %s",
                    options->write, g_strerror(errno));
        return false;
    }
    if (!json_parser_load_from_file(parser, options->rows, error)) {
        g_prefix_error(error, "%s: ", options->rows);
        return false;
    }
    JsonNode *root = json_parser_get_root(parser);
    if (root && JSON_NODE_HOLDS_OBJECT(root))
        root = json_object_get_member(json_node_get_object(root), "rows");
    if (!root || !JSON_NODE_HOLDS_ARRAY(root)) {
        g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                    "%s: must hold an array of rows, as in [{\"id\": ...}, ...], or have one as "
                    "\"rows\"",
                    options->rows);
        return false;
    }
    JsonArray *rows = json_node_get_array(root);
    guint count = json_array_get_length(rows);
    bool done = true;
    for (guint i = 0; i < count && done; i++) {
        done = add_node(validation, options, json_array_get_element(rows, i), i, error);
        show_progress(i + 1, count);
    }
    return done;
}

static bool parse(Options *o, char **argv, ScenExit *status)
{
    const GOptionEntry entries[] = {
        {"rows",       0, 0, G_OPTION_ARG_FILENAME, &o->rows,
         "Predict the rows of a JSON array instead of a folder", "FILE.json"},
        {"write",           0, 0, G_OPTION_ARG_FILENAME, &o->write,
         "Write each row that can be predicted as DIR/ID.yaml (with --rows)", "DIR"},
        {"only",    0, 0, G_OPTION_ARG_STRING_ARRAY, &o->only,
         "Only rows whose id matches, as 'sc21_*'; may be repeated", "PATTERN"},
        {"set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &o->sets,
         "Change a value of every row, as 'plan.host_stall=300 us'; may be repeated", "KEY=VALUE"},
        {"json",      0, 0, G_OPTION_ARG_NONE, &o->json, "Print JSON instead of text", NULL},
        {"fit-errors",           0, 0, G_OPTION_ARG_DOUBLE, &o->fit_errors,
         "Fit the standard errors behind the intervals instead; a row outside costs PRICE", "PRICE"},
        {"verbose",   'v', 0, G_OPTION_ARG_NONE, &o->verbose, "What was assumed of each row", NULL},
        {G_OPTION_REMAINING,       0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->folders, NULL, NULL},
        {0      },
    };
    if (!scen_options_parse(&usage, entries, argv, status))
        return false;
    guint folders = o->folders ? g_strv_length(o->folders) : 0;
    if (o->rows && folders > 0)
        *status = scen_options_wrong(&usage, "takes a folder or --rows, not both");
    else if (folders > 1)
        *status = scen_options_wrong(&usage, "takes one folder, not %u", folders);
    else if (!(o->fit_errors >= 0.0 && o->fit_errors <= 100.0))
        *status = scen_options_wrong(&usage, "--fit-errors takes a price from 0 to 100, as 0.5");
    else if (o->write && !o->rows)
        *status = scen_options_wrong(&usage, "--write needs --rows");
    else if (o->write && o->sets)
        *status = scen_options_wrong(&usage, "--write keeps rows as they are: no --set");
    else
        return true;
    return false;
}

static bool validate(const Options *options, GError **error)
{
    g_autoptr(ScenValidation) validation = scen_validation_new();
    g_autofree char *folder =
        options->folders ? g_strdup(options->folders[0]) : data_folder("published");
    bool done = options->rows ? add_table(validation, options, error)
                              : add_folder(validation, options, folder, error);
    if (!done)
        return false;
    scen_validation_baseline(validation);
    g_autofree char *text = options->fit_errors > 0.0
                                ? scen_errors_fit(validation, options->fit_errors)
                            : options->json ? scen_validate_json(validation)
                                            : scen_validate_text(validation, options->verbose);
    fputs(text, stdout);
    return true;
}

ScenExit scen_cmd_validate(int argc, char **argv)
{
    (void)argc;
    Options options = {0};
    ScenExit status;
    g_autoptr(GError) error = NULL;
    if (!parse(&options, argv, &status)) {
        options_clear(&options);
        return status;
    }
    bool done = validate(&options, &error);
    options_clear(&options);
    return done ? SCEN_EXIT_OK : scen_fail(error);
}

/* `orrery fit`: measurements in, coefficients with their error out; or, with --check, the error of
 * the coefficients that are shipped.
 *
 * Tables are of one node, or each says of which: NODE=FILE, or NODE+ENGINE=FILE for the all-reduces
 * of a serving engine. */
#include "scen_cmd.h"

#include "scen_fit_check.h"
#include "scen_fit_yaml.h"
#include "scen_named.h"
#include "scen_options.h"

#include <string.h>

/* What the command line asks for. */
typedef struct Request {
    char *node, *engine, *model;
    char **files;
    gboolean check, json, brief, in_switch;
    gint64 folds, tensor;
} Request;

/* The hardware that a table was measured on. */
typedef struct Subject {
    char *node_name, *engine_name, *path; /* engine_name may be NULL */
    TopoNode node;
    TopoEngineFit engine;
} Subject;

static void subject_clear(Subject *subject)
{
    g_free(subject->node_name);
    g_free(subject->engine_name);
    g_free(subject->path);
}

/* Reads NODE+ENGINE=FILE, NODE=FILE or FILE. A path may have a = of its own after a slash. */
static void subject_init(Subject *subject, const Request *request, const char *argument)
{
    *subject = (Subject){0};
    const char *equals = strchr(argument, '='), *slash = strchr(argument, '/');
    bool named = equals && (!slash || equals < slash);
    g_autofree char *names = named ? g_strndup(argument, (gsize)(equals - argument)) : NULL;
    char *plus = names ? strchr(names, '+') : NULL;
    if (plus)
        *plus++ = '\0';
    subject->node_name = g_strdup(names ? names : request->node);
    subject->engine_name = g_strdup(plus ? plus : names ? NULL : request->engine);
    subject->path = g_strdup(named ? equals + 1 : argument);
}

static bool subject_bind(Subject *subject, GStringChunk *strings, GError **error)
{
    return scen_named_bind(SCEN_CATALOG_NODE, subject->node_name, NULL, strings, &subject->node,
                           error) &&
           (!subject->engine_name ||
            scen_named_bind(SCEN_CATALOG_ENGINE_KERNELS, subject->engine_name, NULL, strings,
                            &subject->engine, error));
}

static const TopoEngineFit *engine_of(const Subject *subject)
{
    return subject->engine_name ? &subject->engine : NULL;
}

static ScenFitTable *table_of(const Request *request, const TopoNode *node)
{
    const TopoProtocolFit *all_reduce = &node->scale_up_protocols.op[TOPO_PROTOCOL_ALL_REDUCE];
    return scen_fit_table_new(request->in_switch || all_reduce->in_switch.fraction > 0.0);
}

static bool same_hardware(const Subject *left, const Subject *right)
{
    return g_strcmp0(left->node_name, right->node_name) == 0 &&
           g_strcmp0(left->engine_name, right->engine_name) == 0;
}

/* Fits or judges the tables in @subjects, those of one hardware together. */
static bool run_subjects(const Request *request, GArray *subjects, ScenFitCheck *check,
                         GError **error)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    for (guint i = 0; i < subjects->len;) {
        Subject *first = &g_array_index(subjects, Subject, i);
        if (!subject_bind(first, strings, error))
            return false;
        g_autoptr(ScenFitTable) table = table_of(request, &first->node);
        table->model = request->model;
        table->tensor = request->tensor;
        for (; i < subjects->len && same_hardware(first, &g_array_index(subjects, Subject, i)); i++)
            if (!scen_fit_table_read(table, g_array_index(subjects, Subject, i).path, error))
                return false;
        if (check) {
            KernProfile profile = {0};
            bool profiled = first->node.gpu.profile != NULL;
            if (profiled && !scen_named_bind(SCEN_CATALOG_PROFILE, first->node.gpu.profile, NULL,
                                             strings, &profile, error))
                return false;
            scen_fit_check_add(check, &first->node, profiled ? &profile : NULL, engine_of(first),
                               table);
            continue;
        }
        if (!scen_fit_table_check(table, error))
            return false;
        scen_fit_yaml_print(table, &first->node, engine_of(first));
    }
    return true;
}

static bool run(const Request *request, GArray *subjects, GError **error)
{
    if (!request->check)
        return run_subjects(request, subjects, NULL, error);
    g_autoptr(ScenFitCheck) check = scen_fit_check_new(request->folds, request->brief);
    if (!run_subjects(request, subjects, check, error) || !scen_fit_check_any(check, error))
        return false;
    scen_fit_check_print(check, request->json);
    return true;
}

static const ScenUsage usage = {
    .command = "fit",
    .arguments = "[NODE[+ENGINE]=]CSV...",
    .summary =
        "Fits cost coefficients to measured kernel tables and prints them as YAML, with their\n"
        "errors. With --check, fits nothing and prints the errors of the coefficients that are\n"
        "shipped, collectives by operation and size.",
};

static ScenExit fit(const Request *request)
{
    g_autoptr(GArray) subjects = g_array_new(FALSE, TRUE, sizeof(Subject));
    g_array_set_clear_func(subjects, (GDestroyNotify)subject_clear);
    for (size_t i = 0; request->files[i]; i++) {
        Subject subject;
        subject_init(&subject, request, request->files[i]);
        g_array_append_val(subjects, subject);
        if (!subject.node_name)
            return scen_options_wrong(&usage, "'%s': which node? --node NAME, or NAME=FILE",
                                      request->files[i]);
    }
    g_autoptr(GError) error = NULL;
    return run(request, subjects, &error) ? SCEN_EXIT_OK : scen_fail(error);
}

ScenExit scen_cmd_fit(int argc, char **argv)
{
    (void)argc;
    Request request = {0};
    const GOptionEntry entries[] = {
        {"node",           0, 0, G_OPTION_ARG_STRING, &request.node,
         "Node of the catalog that was measured (orrery list nodes)", "NAME"},
        {"engine",               0, 0, G_OPTION_ARG_STRING, &request.engine,
         "Serving engine whose own all-reduces were measured (orrery list engine-kernels)", "NAME"},
        {"model",   0, 0, G_OPTION_ARG_STRING, &request.model,
         "Model whose layers the rows of an engine's profile name (orrery list models)", "NAME"},
        {"tensor",          0, 0, G_OPTION_ARG_INT64, &request.tensor,
         "Tensor ranks that those layers were cut over (default: of the folder's name, tp4)", "N"},
        {"check",         0, 0, G_OPTION_ARG_NONE, &request.check,
         "Judge the shipped coefficients instead of fitting", NULL},
        {"folds",               0, 0, G_OPTION_ARG_INT64, &request.folds,
         "With --check: also predict each N-th part of the sizes from the others", "N"},
        {"brief", 0, 0, G_OPTION_ARG_NONE, &request.brief,
         "With --check: collectives from 64 kB to 1 GB only together", NULL},
        {"in-switch",          0, 0, G_OPTION_ARG_NONE, &request.in_switch,
         "The node's switch reduces (NVLS), although its row has no such figures", NULL},
        {"json",          0, 0, G_OPTION_ARG_NONE, &request.json, "With --check: JSON instead of text",
         NULL},
        {G_OPTION_REMAINING,               0, 0, G_OPTION_ARG_FILENAME_ARRAY, &request.files, NULL, NULL},
        {0 },
    };
    ScenExit status;
    if (scen_options_parse(&usage, entries, argv, &status)) {
        if (!request.files)
            status = scen_options_wrong(&usage, "needs at least one CSV");
        else if ((request.json || request.brief || request.folds != 0) && !request.check)
            status = scen_options_wrong(&usage, "--json, --brief and --folds go with --check");
        else if (request.folds < 0 || request.folds == 1 || request.folds > 100)
            status = scen_options_wrong(&usage, "--folds takes 2 to 100");
        else if (request.tensor < 0 || request.tensor > 1024)
            status = scen_options_wrong(&usage, "--tensor takes 1 to 1024");
        else
            status = fit(&request);
    }
    g_free(request.node);
    g_free(request.engine);
    g_free(request.model);
    g_strfreev(request.files);
    return status;
}

/* `orrery import`: what other software writes, as a scenario or sections of one.
 *
 * The result is YAML with what is not modelled as comments on top; a whole scenario is checked as
 * `orrery check` does before it is written, and its faults are this command's. */
#include "scen_cmd.h"

#include "scen_import.h"
#include "scen_load.h"
#include "scen_options.h"
#include "scen_text.h"

#include <stdio.h>

static const ScenUsage usage = {
    .command = "import",
    .arguments = "KIND FILE... [-- ARGUMENTS]",
    .summary =
        "Turns what other software writes into a scenario, or sections of one, on stdout or in a\n"
        "file. KIND is one of (orrery list importers has the sources):\n"
        "  hugging-face    config.json: the shapes of a model; with --node a scenario that trains "
        "it\n"
        "  megatron        SCRIPT.sh, or -- and a Megatron-LM command line: model, plan and GPUs\n"
        "  aiconfigurator  *_perf.txt: measured kernels\n"
        "  vidur           attention.csv, mlp.csv, all_reduce.csv and traces: kernels and traffic\n"
        "  llmservingsim   profile folders, their tables and *.jsonl workloads: layer times, "
        "traffic\n"
        "What matters and is not modelled stands in comments on top.",
};

typedef struct Options {
    char *out, *node, *model, *base;
    char **words, **variables;
    gint64 gpus, tensor;
} Options;

static void options_clear(Options *options)
{
    g_free(options->out);
    g_free(options->node);
    g_free(options->model);
    g_free(options->base);
    g_strfreev(options->words);
    g_strfreev(options->variables);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

/* The YAML with its comments. The caller owns it. */
static char *text_of(const ScenImporter *importer, const ScenImportRequest *request,
                     const ScenImport *import)
{
    g_autoptr(GString) from = g_string_new(NULL);
    for (size_t i = 0; request->files[i]; i++)
        g_string_append_printf(from, "%s%s", i ? ", " : "", request->files[i]);
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "# By orrery import %s, from %s.\n", importer->name,
                           from->len > 0 ? from->str : "its command line");
    if (import->notes->len > 0)
        g_string_append(out, "# Not modelled, or not told:\n");
    for (guint i = 0; i < import->notes->len; i++) {
        g_autoptr(GString) note = g_string_new(NULL);
        scen_text_wrap(note, import->notes->pdata[i], 4, 4);
        g_auto(GStrv) lines = g_strsplit(g_strchomp(note->str), "\n", -1);
        for (size_t l = 0; lines[l]; l++)
            g_string_append_printf(out, "#%s %s\n", l ? "  " : " -", g_strstrip(lines[l]));
    }
    g_string_append(out, import->yaml->str);
    return g_string_free(out, FALSE);
}

static bool check(const char *name, const char *text, GError **error)
{
    const ScenLoadOptions options = {0};
    ScenScenario *scenario = scen_scenario_parse(name, text, strlen(text), &options, error);
    if (!scenario) {
        g_prefix_error(error, "what was imported is written, but is no sound scenario:\n");
        return false;
    }
    scen_scenario_free(scenario);
    return true;
}

static bool import_to(const Options *options, const ScenImporter *importer,
                      const ScenImportRequest *request, GError **error)
{
    g_autoptr(ScenImport) import = scen_import_new();
    if (!importer->run(request, import, error))
        return false;
    g_autofree char *text = text_of(importer, request, import);
    if (!options->out)
        fputs(text, stdout);
    else if (!g_file_set_contents(options->out, text, -1, error))
        return false;
    for (guint i = 0; i < import->notes->len && options->out; i++)
        fprintf(stderr, "orrery: %s\n", (const char *)import->notes->pdata[i]);
    return !import->is_whole || check(options->out ? options->out : "imported.yaml", text, error);
}

/* Words from the first that starts with a dash on are arguments of a command line. */
static ScenExit run(const Options *options)
{
    g_autoptr(GError) error = NULL;
    const ScenImporter *importer = scen_import_by_name(options->words[0], &error);
    if (!importer)
        return scen_options_wrong(&usage, "%s", error->message);
    guint count = 1;
    while (options->words[count] &&
           (options->words[count][0] != '-' || options->words[count][1] == '\0'))
        count++;
    g_autoptr(GPtrArray) files = g_ptr_array_new();
    for (guint i = 1; i < count; i++)
        g_ptr_array_add(files, options->words[i]);
    g_ptr_array_add(files, NULL);
    bool line = importer->run == scen_import_megatron;
    if (!line && options->words[count])
        return scen_options_wrong(&usage, "%s takes files, not '%s'", importer->name,
                                  options->words[count]);
    if (count == 1 && !(line && options->words[count]))
        return scen_options_wrong(&usage, "%s needs %s", importer->name, importer->arguments);
    if (count > 2 && (line || importer->run == scen_import_hugging_face))
        return scen_options_wrong(&usage, "%s takes one file", importer->name);
    g_autofree char *folder = options->out ? g_path_get_dirname(options->out) : NULL;
    const ScenImportRequest request = {
        .files = (const char *const *)files->pdata,
        .arguments = (const char *const *)options->words + count,
        .variables = (const char *const *)options->variables,
        .folder = folder,
        .node = options->node,
        .model = options->model,
        .base = options->base,
        .gpus = options->gpus,
        .tensor = options->tensor,
    };
    return import_to(options, importer, &request, &error) ? SCEN_EXIT_OK : scen_fail(error);
}

ScenExit scen_cmd_import(int argc, char **argv)
{
    (void)argc;
    g_auto(Options) options = {0};
    const GOptionEntry entries[] = {
        {"out",          'o', 0, G_OPTION_ARG_FILENAME, &options.out, "Write here, not to stdout", "FILE"},
        {"node",             0, 0, G_OPTION_ARG_STRING, &options.node,
         "Node of the cluster (orrery list nodes); of megatron dgx-h100 when not given", "NAME"},
        {"gpus",  0, 0, G_OPTION_ARG_INT64, &options.gpus,
         "GPUs of the cluster (default: what the command line says, else 8)", "N"},
        {"model",        0, 0, G_OPTION_ARG_STRING, &options.model,
         "vidur, llmservingsim, aiconfigurator: the model that is served (orrery list models)", "NAME"},
        {"tensor",         0, 0, G_OPTION_ARG_INT64, &options.tensor,
         "of the same: tensor ranks that the profile was cut over (default 1)", "N"},
        {"base",             0, 0, G_OPTION_ARG_STRING, &options.base,
         "Software that the plan is based on (orrery list plans, for serving orrery list engines)", "NAME"},
        {"var", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.variables,
         "megatron: a variable of the script, which it cannot change (1=x: its first argument)", "NAME=VALUE"},
        {G_OPTION_REMAINING,        0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.words, NULL, NULL},
        {0        },
    };
    ScenExit status = SCEN_EXIT_OK;
    if (!scen_options_parse(&usage, entries, argv, &status))
        return status;
    if (!options.words)
        return scen_options_wrong(&usage, "needs a kind and its files");
    if (options.gpus < 0 || options.gpus > 10000000 || options.tensor < 0 || options.tensor > 1024)
        return scen_options_wrong(&usage, "--gpus takes 1 to 10^7, --tensor 1 to 1024");
    return run(&options);
}

/* `orrery new`: a scenario to start from.
 *
 * What is not asked for has a default: a model of 8 billion parameters on eight H100s. Where the
 * number of GPUs is left open, it is the least number of whole nodes, doubling, on which the model
 * fits. Nothing is overwritten. On a terminal, without an option, it asks; elsewhere never. */
#include "scen_cmd.h"

#include "scen_draft.h"
#include "scen_errors.h"
#include "scen_list.h"
#include "scen_named.h"
#include "scen_names.h"
#include "scen_options.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static const ScenUsage usage = {
    .command = "new",
    .arguments = "",
    .summary =
        "Writes a commented scenario to start from: with --train a plan that fits (the default),\n"
        "with --serve a deployment that keeps its objectives, with --survive a month under\n"
        "failures. On a terminal and without options it asks.",
};

/* The most nodes that are tried where nobody says how many GPUs there are. */
enum { NODES_MOST = 512 };

typedef struct Options {
    gboolean train, serve, survive;
    char *model, *node, *out;
    gint64 gpus;
} Options;

typedef ScenDraft *(*DraftFunc)(const ScenDraftAsk *ask, GError **error);

static void options_clear(Options *options)
{
    g_free(options->model);
    g_free(options->node);
    g_free(options->out);
}

/* Asks on the terminal; an empty line takes @preset. The caller owns the answer. */
static char *ask_line(const char *question, const char *preset)
{
    char line[256];
    fprintf(stderr, "%s [%s]: ", question, preset);
    if (!fgets(line, sizeof line, stdin))
        return g_strdup(preset);
    g_strstrip(line);
    return g_strdup(line[0] ? line : preset);
}

static void ask_all(Options *o)
{
    g_autofree char *kind = ask_line("train, serve or survive", "train");
    o->serve = g_str_equal(kind, "serve");
    o->survive = g_str_equal(kind, "survive");
    o->model = ask_line("model (orrery list models)", "llama-3.1-8b");
    o->node = ask_line("node (orrery list nodes)", "dgx-h100");
    g_autofree char *gpus = ask_line("GPUs, 0: as few as hold it", "0");
    o->gpus = g_ascii_strtoll(gpus, NULL, 10);
    o->out = ask_line("file", "my.yaml");
}

static bool parse(Options *o, char **argv, ScenExit *status)
{
    g_auto(GStrv) rest = NULL;
    const GOptionEntry entries[] = {
        {"train",    0, 0, G_OPTION_ARG_NONE, &o->train, "A training step (the default)", NULL},
        {"serve",         0, 0, G_OPTION_ARG_NONE, &o->serve, "A deployment and its traffic", NULL},
        {"survive", 0, 0, G_OPTION_ARG_NONE, &o->survive, "A month of training under failures",
         NULL},
        {"model",      0, 0, G_OPTION_ARG_STRING, &o->model,
         "Model (orrery list models; default: llama-3.1-8b)", "MODEL"},
        {"node",    0, 0, G_OPTION_ARG_STRING, &o->node, "Node (orrery list nodes; default: dgx-h100)",
         "NODE"},
        {"gpus",         0, 0, G_OPTION_ARG_INT64, &o->gpus,
         "GPUs (default: as few whole nodes as hold the model, doubling)", "N"},
        {"out", 'o', 0, G_OPTION_ARG_FILENAME, &o->out,
         "Write FILE, which must not be there, instead of stdout", "FILE"},
        {G_OPTION_REMAINING,      0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, NULL, NULL},
        {0 },
    };
    if (!scen_options_parse(&usage, entries, argv, status))
        return false;
    if (!argv[1] && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        ask_all(o);
    if (rest)
        *status = scen_options_wrong(&usage, "takes options only, not '%s'", rest[0]);
    else if (o->train + o->serve + o->survive > 1)
        *status = scen_options_wrong(&usage, "--train, --serve and --survive are one or the other");
    else if (o->gpus < 0)
        *status = scen_options_wrong(&usage, "--gpus is 1 or more");
    else
        return true;
    return false;
}

/* Drafts on @ask->gpus, or, where that is 0, on the least number of nodes that will do. */
static ScenDraft *draft(DraftFunc make, ScenDraftAsk *ask, GError **error)
{
    if (ask->gpus > 0)
        return make(ask, error);
    for (int64_t nodes = 1; nodes <= NODES_MOST; nodes *= 2) {
        g_clear_error(error);
        ask->gpus = nodes * ask->node.gpus;
        ScenDraft *found = make(ask, error);
        if (found || !g_error_matches(*error, STRAT_ERROR, STRAT_ERROR_NO_FIT))
            return found;
    }
    return NULL;
}

/* Keys that a scenario may also have, with a value to start from. */
typedef struct Offer {
    const char *key, *value;
    bool trains, serves;
} Offer;

static const Offer offers[] = {
    {"cost",    "{gpu_hour: $3/h}",                                 true,  true },
    {"seed",    "2",                                                true,  true },
    {"fabric",  "{kind: rail-optimised, leaf_oversubscription: 2}", true,  true },
    {"guesses", "1",                                                true,  false},
    {"search",  "{micro_batch: [1, 2]}",                            true,  false},
    {"search",  "{tensor: [2, 4, 8]}",                              false, true },
};

static void add_offers(GString *text, bool serves)
{
    g_string_append(text, "\n# Keys to go on with:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(offers); i++) {
        g_autofree char *line = scen_draft_offer(offers[i].key, offers[i].value);
        if (serves ? offers[i].serves : offers[i].trains)
            g_string_append(text, line);
    }
}

static char *text_of(const Options *o, const ScenDraftAsk *ask, const ScenDraft *found)
{
    const char *name = o->out ? o->out : "FILE.yaml";
    const char *kind = o->serve ? "serve" : o->survive ? "survive" : "train";
    const char *change = o->serve ? "traffic.rate='2 /s'" : "plan.tensor=4";
    g_autofree char *body = scen_draft_text(found);
    GString *text = g_string_new(NULL);
    g_string_append_printf(
        text,
        "# Written by orrery new --%s --model %s --node %s --gpus %" G_GINT64_FORMAT ".\n"
        "#   the answer             orrery run %s\n"
        "#   what if                orrery run %s --set %s\n"
        "#   what a key takes       orrery explain %s\n"
        "#   what has a name        orrery list\n\n%s",
        kind, ask->model_name, ask->node_name, ask->gpus, name, name, change,
        o->serve ? "serve.kv" : "plan.recompute", body);
    add_offers(text, o->serve);
    return g_string_free(text, FALSE);
}

/* Writes a file that was not there. */
static bool write_new(const char *path, const char *text, GError **error)
{
    FILE *file = fopen(path, "wxe");
    if (!file) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno), "%s: %s", path,
                    errno == EEXIST ? "is there already, and is not overwritten"
                                    : g_strerror(errno));
        return false;
    }
    bool written = fputs(text, file) >= 0;
    if (fclose(file) == 0 && written)
        return true;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_IO, "%s: could not be written", path);
    return false;
}

/* Fills @ask from the catalogs. */
static bool look_up(const Options *o, ScenDraftAsk *ask, GStringChunk *strings, GError **error)
{
    ask->model_name = o->model ? o->model : "llama-3.1-8b";
    ask->node_name = o->node ? o->node : "dgx-h100";
    ask->gpus = o->gpus;
    return scen_named_bind(SCEN_CATALOG_MODEL, ask->model_name, NULL, strings, &ask->model,
                           error) &&
           scen_named_bind(SCEN_CATALOG_NODE, ask->node_name, NULL, strings, &ask->node, error);
}

static bool make(const Options *o, GError **error)
{
    g_autoptr(GStringChunk) strings = g_string_chunk_new(1024);
    ScenDraftAsk ask = {0};
    if (o->out && access(o->out, F_OK) == 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST,
                    "%s: is there already, and is not overwritten", o->out);
        return false;
    }
    if (!look_up(o, &ask, strings, error))
        return false;
    DraftFunc how = o->serve     ? scen_draft_serve
                    : o->survive ? scen_draft_survive
                                 : scen_draft_train;
    g_autoptr(ScenDraft) found = draft(how, &ask, error);
    g_autoptr(ScenScenario) scenario = found ? scen_draft_load(found, error) : NULL;
    if (!scenario)
        return false;
    g_autofree char *text = text_of(o, &ask, found);
    if (!o->out) {
        fputs(text, stdout);
        return true;
    }
    if (!write_new(o->out, text, error))
        return false;
    fprintf(stderr, "wrote %s; next: orrery run %s\n", o->out, o->out);
    return true;
}

ScenExit scen_cmd_new(int argc, char **argv)
{
    (void)argc;
    Options options = {0};
    ScenExit status = SCEN_EXIT_OK;
    g_autoptr(GError) error = NULL;
    bool parsed = parse(&options, argv, &status);
    bool made = parsed && make(&options, &error);
    options_clear(&options);
    return !parsed ? status : made ? SCEN_EXIT_OK : scen_fail(error);
}

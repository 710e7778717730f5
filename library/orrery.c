/* The public face of the simulator: load, answer, hand out texts and figures.
 *
 * No type of GLib shows, so that a program in any language needs this header alone. A request says how
 * long it is, so that a program built against an older header goes on working when fields are added
 * at its end: what lies beyond its size is taken as zero. */
#include "orrery.h"

#include "scen_answer.h"
#include "scen_leaves.h"
#include "scen_load.h"
#include "scen_options.h"

#include <string.h>

_Static_assert((int)ORRERY_NO == (int)SCEN_EXIT_NO && (int)ORRERY_WRONG == (int)SCEN_EXIT_WRONG &&
                   (int)ORRERY_FAULT == (int)SCEN_EXIT_FAULT,
               "statuses are exit statuses");

struct OrreryRun {
    OrreryStatus status;
    GError *error;      /* NULL when there is an answer */
    ScenAnswer *answer; /* NULL when there is none */
    GArray *leaves;     /* of ScenLeaf, likewise */
};

const char *orrery_version(void)
{
    return scen_version();
}

static ScenScenario *load(const OrreryRequest *request, GError **error)
{
    const ScenLoadOptions options = {.overrides = request->sets};
    const char *name = request->path ? request->path : "scenario.yaml";
    if (!request->yaml && !request->path) {
        g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                            "the request names no scenario: set path or yaml");
        return NULL;
    }
    size_t length = request->yaml_bytes;
    if (request->yaml && length == 0)
        length = strlen(request->yaml);
    ScenScenario *scenario = request->yaml
                                 ? scen_scenario_parse(name, request->yaml, length, &options, error)
                                 : scen_scenario_load_with(name, &options, error);
    if (scenario)
        scen_answer_changed(scenario, request->sets);
    return scenario;
}

static void answer(OrreryRun *run, const OrreryRequest *request, const ScenScenario *scenario)
{
    const ScenAnswerWants wants = {
        .overrides = request->sets,
        .text = request->text,
        .json = true,
        .out = request->out,
        .trace = request->trace,
        .report = request->report,
    };
    run->answer = scen_answer_new(scenario, &wants, &run->error);
    if (!run->answer)
        return;
    run->leaves = scen_leaves_of(run->answer->json, &run->error);
    run->status = run->answer->holds ? ORRERY_OK : ORRERY_NO;
}

static OrreryRun *begin(const OrreryRequest *request, bool runs)
{
    OrreryRequest whole = {.size = 0};
    memcpy(&whole, request, MIN(request->size, sizeof(whole)));
    OrreryRun *run = g_new0(OrreryRun, 1);
    g_autoptr(ScenScenario) scenario = load(&whole, &run->error);
    if (scenario && runs)
        answer(run, &whole, scenario);
    if (run->error)
        run->status = (OrreryStatus)scen_exit_of(run->error);
    return run;
}

OrreryRun *orrery_run(const OrreryRequest *request)
{
    return begin(request, true);
}

OrreryRun *orrery_check(const OrreryRequest *request)
{
    return begin(request, false);
}

OrreryStatus orrery_run_status(const OrreryRun *run)
{
    return run->status;
}

const char *orrery_run_message(const OrreryRun *run)
{
    return run->error ? run->error->message : NULL;
}

const char *orrery_run_json(const OrreryRun *run)
{
    return run->answer ? run->answer->json : NULL;
}

const char *orrery_run_text(const OrreryRun *run)
{
    return run->answer ? run->answer->text : NULL;
}

bool orrery_run_figure(const OrreryRun *run, const char *path, double *value)
{
    const ScenLeaf *leaf = run->leaves ? scen_leaves_find(run->leaves, path) : NULL;
    if (leaf)
        *value = leaf->value;
    return leaf != NULL;
}

size_t orrery_run_figure_count(const OrreryRun *run)
{
    return run->leaves ? run->leaves->len : 0;
}

static const ScenLeaf *leaf_at(const OrreryRun *run, size_t i)
{
    return i < orrery_run_figure_count(run) ? &g_array_index(run->leaves, ScenLeaf, i) : NULL;
}

const char *orrery_run_figure_path(const OrreryRun *run, size_t i)
{
    const ScenLeaf *leaf = leaf_at(run, i);
    return leaf ? leaf->path : NULL;
}

double orrery_run_figure_value(const OrreryRun *run, size_t i)
{
    const ScenLeaf *leaf = leaf_at(run, i);
    return leaf ? leaf->value : 0.0;
}

void orrery_run_free(OrreryRun *run)
{
    if (!run)
        return;
    g_clear_error(&run->error);
    scen_answer_free(run->answer);
    if (run->leaves)
        g_array_unref(run->leaves);
    g_free(run);
}

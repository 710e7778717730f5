/* The one way from a scenario to its answer.
 *
 * Which kind it is of follows from its sections: a queue, a replay or months of a given step have no
 * step to simulate; of the others `serve:` tells serving from training. A kind makes its report once
 * and renders from it whatever is wanted, so that text, JSON and files say the same. */
#include "scen_answer.h"

#include "scen_answer_kinds.h"
#include "scen_errors.h"
#include "scen_folder.h"
#include "sim_trace.h"

#include <errno.h>
#include <stdio.h>

static ScenAnswerFunc kind_of(const ScenScenario *scenario)
{
    if (scenario->queue.is_on)
        return scen_answer_queue;
    if (scenario->trace.is_on)
        return scen_answer_et;
    if (scenario->replay || scenario->campaign.is_alone)
        return scen_answer_alone;
    return scenario->serving.is_on ? scen_answer_serve : scen_answer_step;
}

/* Whether any of @sets changes more than where files are and what is expected. */
static bool changes_scenario(const char *const *sets)
{
    static const char *const harmless[] = {"traffic.trace=", "serve.engine_profile=", "expect.",
                                           "replay="};
    for (; sets && *sets; sets++) {
        bool changes = true;
        for (size_t i = 0; i < G_N_ELEMENTS(harmless); i++)
            changes = changes && !g_str_has_prefix(*sets, harmless[i]);
        if (changes)
            return true;
    }
    return false;
}

void scen_answer_changed(ScenScenario *scenario, const char *const *sets)
{
    if (!changes_scenario(sets))
        return;
    scen_expect_clear(&scenario->expect);
    scenario->queue.published = (ScenQueuePublished){0};
}

bool scen_answer_no_trace(const ScenAnswerWants *wants, const char *why, GError **error)
{
    if (wants->trace)
        g_set_error_literal(error, SCEN_ERROR, SCEN_ERROR_WRONG, why);
    return !wants->trace;
}

static bool write_trace(const SimProgram *program, const SimRun *run, const char *path,
                        GError **error)
{
    FILE *file = fopen(path, "we");
    if (!file) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno), "%s: %s", path,
                    g_strerror(errno));
        return false;
    }
    bool written = sim_trace_write(program, run, file, error);
    bool closed = fclose(file) == 0;
    if (written && !closed)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_IO, "%s: %s", path, g_strerror(errno));
    return written && closed;
}

bool scen_answer_timeline(const ScenAnswerWants *wants, const SimProgram *program,
                          const SimRun *run, GError **error)
{
    g_autofree char *path = wants->out ? g_build_filename(wants->out, "trace.json", NULL) : NULL;
    return (!path || write_trace(program, run, path, error)) &&
           (!wants->trace || write_trace(program, run, wants->trace, error));
}

bool scen_answer_write(const ScenAnswerWants *wants, const char *name, const char *text,
                       GError **error)
{
    if (!wants->out)
        return true;
    g_autofree char *path = g_build_filename(wants->out, name, NULL);
    return g_file_set_contents(path, text, -1, error);
}

ScenAnswer *scen_answer_new(const ScenScenario *scenario, const ScenAnswerWants *wants,
                            GError **error)
{
    ScenAnswerWants both = *wants;
    both.text = wants->text || wants->out;
    both.json = wants->json || wants->out;
    g_autoptr(ScenAnswer) answer = g_new0(ScenAnswer, 1);
    if (wants->out && !scen_folder_make(wants->out, error))
        return NULL;
    if (!kind_of(scenario)(scenario, &both, answer, error) ||
        !scen_answer_write(&both, "report.txt", answer->text, error) ||
        !scen_answer_write(&both, "result.json", answer->json, error))
        return NULL;
    return g_steal_pointer(&answer);
}

void scen_answer_free(ScenAnswer *answer)
{
    if (!answer)
        return;
    g_free(answer->text);
    g_free(answer->json);
    g_free(answer);
}

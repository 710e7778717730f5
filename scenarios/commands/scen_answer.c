/* The one way from a scenario to its answer.
 *
 * Which kind it is of follows from its sections: a queue, a replay or months of a given step have no
 * step to simulate; of the others `serve:` tells serving from training. A kind makes its report once
 * and renders from it whatever is wanted, so that text, JSON and files say the same. The HTML page
 * ends with what the terminal shows and with the scenario, whatever kind it is of. */
#include "scen_answer.h"

#include "scen_answer_kinds.h"
#include "scen_errors.h"
#include "scen_folder.h"

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

bool scen_answer_write(const ScenAnswerWants *wants, const char *name, const char *text,
                       GError **error)
{
    if (!wants->out)
        return true;
    g_autofree char *path = g_build_filename(wants->out, name, NULL);
    return g_file_set_contents(path, text, -1, error);
}

/* The page of an answer, to the end. */
static char *finish_page(const ScenScenario *scenario, const ScenAnswerWants *wants,
                         const ScenAnswer *answer)
{
    g_autofree char *written = NULL;
    scen_page_section(answer->page, "As the terminal shows it", NULL);
    scen_page_pre(answer->page, "The text of `orrery run`", answer->text);
    if (g_file_get_contents(scenario->path, &written, NULL, NULL))
        scen_page_scenario(answer->page, scenario->path, written, wants->overrides, scenario->seed);
    return scen_page_finish(answer->page);
}

static bool write_html(const ScenAnswerWants *wants, const char *html, GError **error)
{
    return (!wants->report || g_file_set_contents(wants->report, html, -1, error)) &&
           scen_answer_write(wants, "report.html", html, error);
}

ScenAnswer *scen_answer_new(const ScenScenario *scenario, const ScenAnswerWants *wants,
                            GError **error)
{
    ScenAnswerWants both = *wants;
    both.html = wants->html || wants->report || wants->out;
    both.text = wants->text || both.html;
    both.json = wants->json || wants->out;
    g_autoptr(ScenAnswer) answer = g_new0(ScenAnswer, 1);
    if (wants->out && !scen_folder_make(wants->out, error))
        return NULL;
    if (!kind_of(scenario)(scenario, &both, answer, error) ||
        !scen_answer_write(&both, "report.txt", answer->text, error) ||
        !scen_answer_write(&both, "result.json", answer->json, error))
        return NULL;
    if (both.html) {
        if (!answer->page)
            answer->page = scen_page_new(scenario->name, scenario->description);
        answer->html = finish_page(scenario, &both, answer);
        if (!write_html(&both, answer->html, error))
            return NULL;
    }
    return g_steal_pointer(&answer);
}

void scen_answer_free(ScenAnswer *answer)
{
    if (!answer)
        return;
    g_free(answer->text);
    g_free(answer->json);
    g_free(answer->html);
    scen_page_free(answer->page);
    g_free(answer);
}

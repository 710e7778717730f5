/* `orrery replay`: a real job's operation trace run again, as it was and with its stragglers
 * mended.
 *
 * Without --what-if it asks the questions of Lin et al. 2025 (arXiv 2505.05713): no stragglers at
 * all, compute or communication alone ideal, the last stage, the stages balanced, the dearest
 * worker; and what each worker, stage and operation costs alone. */
#include "scen_cmd.h"

#include "scen_errors.h"
#include "scen_op_trace.h"
#include "scen_options.h"
#include "scen_replay_report.h"
#include "scen_replay_terms.h"

#include <stdio.h>

static const ScenUsage usage = {
    .command = "replay",
    .arguments = "TRACE.csv[.gz]",
    .summary =
        "Replays an operation trace of a training job and says what its stragglers cost.\n"
        "The table has a row an operation of a worker: step, dp, pp, op, start_us, dur_us. An "
        "ideal\n"
        "operation takes the mean (compute) or the median (communication) of its kind.\n"
        "\n"
        "  orrery replay AR_ops.csv.gz\n"
        "  orrery replay AR_ops.csv.gz --what-if worker=0/0 --what-if last-stage,communication\n"
        "\n"
        "Terms of --what-if, commas between them: all, compute, communication, last-stage,\n"
        "worker=DP/PP, dp=N, stage=N, op=NAME are ideal; balance gives all stages the same work.",
};

static void clear_answer(void *answer)
{
    g_free(((ScenReplayAnswer *)answer)->name);
}

static bool answer(const StratReplay *replay, const char *text, GArray *answers, GError **error)
{
    g_auto(ScenReplayTerms) terms = {0};
    if (!scen_replay_terms_read(text, replay, &terms, error))
        return false;
    const StratReplayChange change = {
        .picks = (const StratReplayPick *)(void *)terms.picks->data,
        .count = terms.picks->len,
        .balance = terms.balance,
    };
    ScenReplayAnswer said = {.step_s = 0.0};
    if (!strat_replay_change(replay, &change, &said.step_s, error))
        return false;
    said.name = g_strdup(text);
    g_array_append_val(answers, said);
    return true;
}

static bool answer_all(const StratReplay *replay, const char *const *texts, GArray *answers,
                       GError **error)
{
    for (size_t i = 0; texts[i]; i++)
        if (!answer(replay, texts[i], answers, error))
            return false;
    return true;
}

/* The questions that everybody has. */
static bool answer_usual(const StratReplay *replay, const GArray *workers, GArray *answers,
                         GError **error)
{
    const StratReplayPick *worst = &g_array_index(workers, StratReplayCause, 0).pick;
    g_autofree char *worker = g_strdup_printf("worker=%d/%d", worst->dp, worst->pp);
    const char *const texts[] = {"compute", "communication", "last-stage", "balance", worker, NULL};
    return answer_all(replay, texts, answers, error);
}

static bool replay_file(const char *path, const char *const *what_ifs, bool json, GError **error)
{
    g_autoptr(StratReplay) replay = scen_op_trace_read(path, error);
    ScenReplayReport report = {.path = path, .replay = replay};
    if (!replay || !strat_replay_totals(replay, &report.totals, error))
        return false;
    g_autoptr(GArray) answers = g_array_new(FALSE, FALSE, sizeof(ScenReplayAnswer));
    g_autoptr(GArray) workers = NULL, stages = NULL, kinds = NULL;
    double ideal_s = report.totals.no_stragglers_s;
    g_array_set_clear_func(answers, clear_answer);
    if (what_ifs && !answer_all(replay, what_ifs, answers, error))
        return false;
    if (!what_ifs && (!(workers = strat_replay_workers(replay, ideal_s, error)) ||
                      !(stages = strat_replay_stages(replay, ideal_s, error)) ||
                      !(kinds = strat_replay_kinds(replay, ideal_s, error)) ||
                      !answer_usual(replay, workers, answers, error)))
        return false;
    report.answers = answers;
    report.workers = workers;
    report.stages = stages;
    report.kinds = kinds;
    g_autofree char *text = json ? scen_replay_json(&report) : scen_replay_text(&report);
    fputs(text, stdout);
    return true;
}

ScenExit scen_cmd_replay(int argc, char **argv)
{
    (void)argc;
    g_auto(GStrv) files = NULL;
    g_auto(GStrv) what_ifs = NULL;
    gboolean json = FALSE;
    g_autoptr(GError) error = NULL;
    const GOptionEntry entries[] = {
        {"what-if",  'w', 0, G_OPTION_ARG_STRING_ARRAY, &what_ifs,
         "Ask this instead of the usual questions; may be given again", "TERMS"},
        {"json",         0, 0, G_OPTION_ARG_NONE, &json, "Print JSON instead of text", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL},
        {0  },
    };
    ScenExit status = SCEN_EXIT_OK;
    if (!scen_options_parse(&usage, entries, argv, &status))
        return status;
    if (!files || files[1])
        return scen_options_wrong(&usage, "needs one trace");
    return replay_file(files[0], (const char *const *)what_ifs, json, &error) ? SCEN_EXIT_OK
                                                                              : scen_fail(error);
}

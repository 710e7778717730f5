/* The answer of a training step, and of what has no step to simulate.
 *
 * Simulate, check memory, run the months and what else the scenario asks for, report. The search for
 * knobs belongs to the text alone: a program that reads JSON can turn knobs itself. */
#include "scen_answer_kinds.h"

#include "scen_incidents.h"
#include "scen_judged.h"
#include "scen_knobs.h"
#include "scen_run_page.h"
#include "scen_run_report.h"
#include "scen_simulate.h"
#include "scen_step_state.h"
#include "scen_survive.h"
#include "scen_timeline.h"

enum { KNOBS_SHOWN = 3 };

/* incidents.csv and incidents.svg of a campaign. */
static bool write_incidents(const ScenRunReport *report, const ScenAnswerWants *wants,
                            GError **error)
{
    if (!report->campaign || !wants->out)
        return true;
    g_autofree char *table = scen_incidents_csv(report->scenario, report->campaign);
    g_autofree char *drawing = scen_incidents_svg(report->campaign);
    return scen_answer_write(wants, "incidents.csv", table, error) &&
           scen_answer_write(wants, "incidents.svg", drawing, error);
}

/* trace.json of the step, and of months trace-months.json; --trace is that of what was asked for. */
static bool write_traces(const ScenRunReport *report, const ScenAnswerWants *wants, GError **error)
{
    g_autofree char *step = NULL, *months = NULL;
    if (!wants->out && !wants->trace)
        return true;
    if (report->campaign)
        months = scen_timeline_months(report->scenario, report->campaign);
    if (report->result && (wants->out || !months) &&
        !(step = scen_timeline_step(report->scenario, report->result, error)))
        return false;
    return (!step || scen_answer_write(wants, "trace.json", step, error)) &&
           (!months || scen_answer_write(wants, "trace-months.json", months, error)) &&
           (!wants->trace || scen_timeline_write(months ? months : step, wants->trace, error));
}

static bool deliver(const ScenRunReport *report, const ScenAnswerWants *wants, ScenAnswer *answer,
                    GError **error)
{
    if (wants->text)
        answer->text = report->result ? scen_run_text(report) : scen_alone_text(report);
    if (wants->json)
        answer->json = report->result ? scen_run_json(report) : scen_alone_json(report);
    return write_incidents(report, wants, error) && write_traces(report, wants, error);
}

/* Says of a further job what the report says of the scenario's own. */
static void note_job(const ScenScenario *scenario, const ScenJob *job, GPtrArray *notes)
{
    StratCosting costing;
    g_autoptr(GError) no_fit = NULL;
    if (!scen_job_costing(scenario, job, &costing, NULL))
        return;
    g_autoptr(GArray) memory = strat_memory_stages(&costing);
    if (!strat_memory_check(&costing, memory, &no_fit))
        g_ptr_array_add(notes, g_strdup_printf("job %s %s", job->name, no_fit->message));
}

/* Runs the jobs of @scenario together, if it has any that can meet. */
static bool run_jobs(const ScenScenario *scenario, const StratCosting *costing,
                     const StratTrainResult *result, GPtrArray *notes, StratJobs **jobs,
                     GError **error)
{
    if (!scenario->jobs || scenario->jobs->len == 0)
        return true;
    for (guint i = 0; i < scenario->jobs->len; i++)
        note_job(scenario, &g_array_index(scenario->jobs, ScenJob, i), notes);
    if (!costing->net->shares_links) {
        g_ptr_array_add(notes, g_strdup_printf("on the network %s jobs do not meet, and each is as "
                                               "fast as alone: --network fluid",
                                               costing->net->name));
        return true;
    }
    *jobs = scen_simulate_jobs(scenario, result, error);
    return *jobs != NULL;
}

/* What batches take to the target of @scenario, if it has one. */
static bool run_to_target(const ScenScenario *scenario, const StratTrainResult *result,
                          ScenTrainingRun **run, GError **error)
{
    if (scenario->training_run.tokens <= 0.0)
        return true;
    *run = scen_training_run(scenario, result, error);
    return *run != NULL;
}

/* The published figures of @scenario, judged; an empty array when it expects none. */
static GArray *judge(const ScenAnswerWants *wants, const ScenScenario *scenario,
                     const ScenOutcome *outcome, GError **error)
{
    g_autoptr(GArray) judgements = scen_judge(scenario, outcome, wants->overrides, error);
    if (!judgements)
        return NULL;
    GArray *rows = scen_judged_rows_new();
    scen_judged_rows_add(rows, scenario, judgements);
    return rows;
}

/* The step of @scenario without its faults, and who waits because of them; nothing when it has
 * none.
 */
static bool run_healthy(const ScenScenario *scenario, const StratCosting *costing,
                        const StratTrainResult *result, StratTrainResult **healthy,
                        StratWait waits[STRAT_WAIT_ROLES], GError **error)
{
    const StratJobState well = {.adaptation = STRAT_ADAPT_NONE};
    if (!scen_degraded_is_on(&scenario->degraded))
        return true;
    *healthy = scen_simulate_in(scenario, &well, error);
    return *healthy && strat_waits(costing, result, *healthy, waits, error);
}

bool scen_answer_alone(const ScenScenario *scenario, const ScenAnswerWants *wants,
                       ScenAnswer *answer, GError **error)
{
    if (!scenario->campaign.is_alone &&
        !scen_answer_no_trace(wants, "--trace is of a run that is simulated, not of a replay",
                              error))
        return false;
    g_autoptr(ScenOutcome) outcome = scen_outcome_new(scenario, error);
    if (!outcome)
        return false;
    g_autoptr(GArray) judged = judge(wants, scenario, outcome, error);
    ScenRunReport report = {
        .scenario = scenario,
        .campaign = outcome->campaign,
        .totals = scenario->replay ? &outcome->totals : NULL,
        .judged = judged,
    };
    answer->holds = true;
    if (judged && wants->html)
        answer->page = scen_alone_page(&report);
    return judged && deliver(&report, wants, answer, error);
}

bool scen_answer_step(const ScenScenario *scenario, const ScenAnswerWants *wants,
                      ScenAnswer *answer, GError **error)
{
    StratCosting costing;
    if (!scen_costing(scenario, &costing, error))
        return false;
    KernTally tally = {0};
    g_autoptr(StratTrainResult) result = scen_simulate_tallied(scenario, &tally, error);
    if (!result)
        return false;
    g_autoptr(GError) no_fit = NULL;
    g_autoptr(GPtrArray) notes = scen_run_notes(scenario);
    g_autoptr(GArray) knobs = NULL;
    bool fits = strat_memory_check(&costing, result->memory, &no_fit);
    answer->holds = fits;
    if (fits && wants->text && !scenario->campaign.is_on && scen_knobs_are_cheap(scenario))
        knobs = scen_knobs(scenario, result, KNOBS_SHOWN);
    g_autoptr(StratJobs) jobs = NULL;
    if (!run_jobs(scenario, &costing, result, notes, &jobs, error))
        return false;
    g_autoptr(StratTrainResult) healthy = NULL;
    StratWait waits[STRAT_WAIT_ROLES];
    if (!run_healthy(scenario, &costing, result, &healthy, waits, error))
        return false;
    g_autoptr(ScenOutcome) outcome = g_new0(ScenOutcome, 1);
    if (fits && !scen_outcome_months(scenario, result, outcome, error))
        return false;
    g_autoptr(GArray) judged = fits ? judge(wants, scenario, outcome, error) : NULL;
    if (fits && !judged)
        return false;
    if (outcome->campaign && outcome->campaign->steps.asked > 0 &&
        strat_costing_reads_fabric(&costing))
        g_ptr_array_add(notes, g_strdup("steps with slow GPUs or weak NICs are simulated with them "
                                        "in the first of the replicas that are alike, wherever on "
                                        "the fabric they are"));
    g_autoptr(ScenTrainingRun) training_run = NULL;
    if (fits && !run_to_target(scenario, result, &training_run, error))
        return false;
    g_autoptr(GPtrArray) campaigns = NULL;
    if (outcome->campaign && scenario->campaign.recoveries) {
        campaigns = scen_survive_with(scenario, result, scenario->campaign.recoveries, error);
        if (!campaigns)
            return false;
    }
    StratInterval interval;
    if (!scen_interval(scenario, result, &interval, NULL, error))
        return false;
    ScenRunReport report = {
        .scenario = scenario,
        .result = result,
        .interval = &interval,
        .no_fit = no_fit ? no_fit->message : NULL,
        .notes = notes,
        .knobs = knobs,
        .tally = &tally,
        .jobs = jobs,
        .healthy = healthy,
        .waits = waits,
        .campaign = outcome->campaign,
        .judged = judged,
        .saves = outcome->has_saves ? &outcome->saves : NULL,
        .campaigns = campaigns,
        .training_run = training_run,
    };
    scen_table_notes(&report, notes);
    if (wants->html)
        answer->page = scen_run_page(&report, &costing);
    return deliver(&report, wants, answer, error);
}

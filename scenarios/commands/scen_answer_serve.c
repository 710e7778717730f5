/* The answer of a scenario that serves: run, judge, report. */
#include "scen_answer_kinds.h"

#include "scen_errors.h"
#include "scen_outages_report.h"
#include "scen_serve_curves.h"
#include "scen_serve_page.h"
#include "scen_serve_report.h"
#include "scen_timeline.h"
#include "scen_timeseries.h"

/* Runs of iterations in a timeline: some 10 MB. */
enum { SPELLS_SHOWN = 20000 };

static bool write_folder(const ScenServeReport *report, const ScenAnswerWants *wants,
                         GError **error)
{
    const StratServeResult *result = report->served->result;
    g_autofree char *requests = result ? scen_serve_requests_csv(result) : g_strdup("");
    g_autofree char *samples = result ? scen_serve_samples_csv(result) : g_strdup("");
    g_autofree char *curves = result && result->samples
                                  ? scen_serve_curves_svg(result->samples, report->measured)
                                  : g_strdup("");
    g_autofree char *outages = scen_outages_csv(report);
    return scen_answer_write(wants, "requests.csv", requests, error) &&
           scen_answer_write(wants, "timeseries.csv", samples, error) &&
           scen_answer_write(wants, "curves.svg", curves, error) &&
           /* only where something could fail */
           (!*outages || scen_answer_write(wants, "outages.csv", outages, error));
}

/* trace.json, and the file that --trace names. */
static bool write_timeline(const ScenServeReport *report, const ScenServeLog *log,
                           const ScenAnswerWants *wants, GError **error)
{
    if (!report->served->result) {
        if (wants->trace)
            g_set_error(error, SCEN_ERROR, SCEN_ERROR_WRONG,
                        "--trace: it does not fit, so nothing ran");
        return !wants->trace;
    }
    g_autofree char *text = scen_timeline_serve(report->scenario, report->served, log);
    return scen_answer_write(wants, "trace.json", text, error) &&
           (!wants->trace || scen_timeline_write(text, wants->trace, error));
}

bool scen_answer_serve(const ScenScenario *scenario, const ScenAnswerWants *wants,
                       ScenAnswer *answer, GError **error)
{
    const char *timeseries = scenario->expect.timeseries;
    g_autoptr(GArray) measured = timeseries ? scen_timeseries_read(timeseries, error) : NULL;
    if (timeseries && !measured)
        return false;
    bool files = wants->out || wants->trace;
    g_auto(ScenServeLog) log = {.most = SPELLS_SHOWN};
    StratServeWatch watch = scen_serve_log_watch(&log);
    ScenServeWants details = {.requests = files || wants->html || measured,
                              .interval = scenario->serving.interval,
                              .watch = files ? &watch : NULL};
    g_autoptr(ScenServed) served = scen_serve(scenario, details, error);
    if (!served)
        return false;
    g_autoptr(GPtrArray) notes = scen_serve_notes(scenario, served);
    ScenServeReport report = {
        .scenario = scenario, .served = served, .notes = notes, .measured = measured};
    if (wants->text)
        answer->text = scen_serve_text(&report);
    if (wants->json)
        answer->json = scen_serve_json(&report);
    if (wants->html)
        answer->page = scen_serve_page(&report);
    answer->holds =
        served->result && served->result->finished > 0 && !scen_served_misses(scenario, served);
    return (!wants->out || write_folder(&report, wants, error)) &&
           (!files || write_timeline(&report, &log, wants, error));
}

/* The answer of a scenario that serves: run, judge, report. */
#include "scen_answer_kinds.h"

#include "scen_outages_report.h"
#include "scen_serve_curves.h"
#include "scen_serve_report.h"
#include "scen_timeseries.h"

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

bool scen_answer_serve(const ScenScenario *scenario, const ScenAnswerWants *wants,
                       ScenAnswer *answer, GError **error)
{
    const char *timeseries = scenario->expect.timeseries;
    if (!scen_answer_no_trace(
            wants, "--trace is the timeline of a training step; --out writes what serving did",
            error))
        return false;
    g_autoptr(GArray) measured = timeseries ? scen_timeseries_read(timeseries, error) : NULL;
    if (timeseries && !measured)
        return false;
    ScenServeWants details = {.requests = wants->out || measured,
                              .interval = scenario->serving.interval};
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
    answer->holds =
        served->result && served->result->finished > 0 && !scen_served_misses(scenario, served);
    return !wants->out || write_folder(&report, wants, error);
}

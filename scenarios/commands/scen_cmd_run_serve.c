/* `orrery run` on a scenario that serves: run, judge, report. */
#include "scen_cmd_run_serve.h"

#include "scen_folder.h"
#include "scen_outages_report.h"
#include "scen_serve_curves.h"
#include "scen_serve_report.h"
#include "scen_timeseries.h"

#include <stdio.h>

static bool write_folder(const ScenServeReport *report, const char *folder, GError **error)
{
    const StratServeResult *result = report->served->result;
    g_autofree char *text = scen_serve_text(report), *json = scen_serve_json(report);
    g_autofree char *requests = result ? scen_serve_requests_csv(result) : g_strdup("");
    g_autofree char *samples = result ? scen_serve_samples_csv(result) : g_strdup("");
    g_autofree char *curves = result && result->samples
                                  ? scen_serve_curves_svg(result->samples, report->measured)
                                  : g_strdup("");
    g_autofree char *outages = scen_outages_csv(report);
    const char *const files[][2] = {
        {"report.txt",     text    },
        {"result.json",    json    },
        {"requests.csv",   requests},
        {"timeseries.csv", samples },
        {"curves.svg",     curves  },
        {"outages.csv",    outages },
    };
    bool done = scen_folder_make(folder, error);
    for (size_t i = 0; i < G_N_ELEMENTS(files) && done; i++) {
        g_autofree char *path = g_build_filename(folder, files[i][0], NULL);
        if (files[i][1] != outages || *outages) /* only where something could fail */
            done = g_file_set_contents(path, files[i][1], -1, error);
    }
    return done;
}

bool scen_run_serve(const ScenScenario *scenario, bool json, const char *out, bool *holds,
                    GError **error)
{
    const char *timeseries = scenario->expect.timeseries;
    g_autoptr(GArray) measured = timeseries ? scen_timeseries_read(timeseries, error) : NULL;
    if (timeseries && !measured)
        return false;
    ScenServeWants wants = {.requests = out || measured, .interval = scenario->serving.interval};
    g_autoptr(ScenServed) served = scen_serve(scenario, wants, error);
    if (!served)
        return false;
    g_autoptr(GPtrArray) notes = scen_serve_notes(scenario, served);
    ScenServeReport report = {
        .scenario = scenario, .served = served, .notes = notes, .measured = measured};
    g_autofree char *text = json ? scen_serve_json(&report) : scen_serve_text(&report);
    fputs(text, stdout);
    *holds =
        served->result && served->result->finished > 0 && !scen_served_misses(scenario, served);
    return !out || write_folder(&report, out, error);
}

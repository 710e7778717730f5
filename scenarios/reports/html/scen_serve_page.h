/** The HTML page of a run of serving. */
#ifndef SCEN_SERVE_PAGE_H
#define SCEN_SERVE_PAGE_H

#include "scen_page.h"
#include "scen_serve_report.h"

/** The page of @report, whose run kept its requests and samples. Free with scen_page_free(). */
ScenPage *scen_serve_page(const ScenServeReport *report);

/** Adds the charts of latencies: their distributions, and over the run. */
void scen_serve_page_latencies(ScenPage *page, const ScenServeReport *report);

/** Adds the curves over the run: requests, cache, tokens. */
void scen_serve_page_curves(ScenPage *page, const ScenServeReport *report);

#endif

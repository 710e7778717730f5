/** What `orrery run` says of a serving scenario: text, JSON, and tables of requests and of time. */
#ifndef SCEN_SERVE_REPORT_H
#define SCEN_SERVE_REPORT_H

#include "scen_serve.h"

/** One run. Everything is borrowed. */
typedef struct ScenServeReport {
    const ScenScenario *scenario;
    const ScenServed *served;
    const GPtrArray *notes; /* of texts: what was assumed, what to beware of */
    const GArray
        *measured; /* of StratServeSample, as the scenario expects them; NULL: it does not */
} ScenServeReport;

/** What a reader of @scenario's figures must know, a text each. The caller owns the array. */
GPtrArray *scen_serve_notes(const ScenScenario *scenario, const ScenServed *served);

/** One screen of text. The caller owns it. */
char *scen_serve_text(const ScenServeReport *report);

/** The result as JSON (schema 1). The caller owns it. */
char *scen_serve_json(const ScenServeReport *report);

/** CSV of outcomes, a line a request, and of samples, a line an instant; "" where the run kept
 * none. The caller owns them. */
char *scen_serve_requests_csv(const StratServeResult *result);
char *scen_serve_samples_csv(const StratServeResult *result);

/** What holds the run back, in words. The caller owns it. */
char *scen_serve_limit(const ScenServed *served);

/** Share of the GPU-seconds in iterations. */
double scen_serve_busy_fraction(const StratServeResult *result);

/** Does the queue of waiting requests stay within bounds: does it grow by less than 1 % of the
 *  requests that finish? */
bool scen_serve_is_stable(const StratServeResult *result);

#endif

/** From a loaded serving scenario to its result. */
#ifndef SCEN_SERVE_H
#define SCEN_SERVE_H

#include "scen_money.h"
#include "scen_scenario.h"
#include "strat_price.h"
#include "strat_serve.h"
#include "strat_serve_memory.h"

/** One run with all that a report says of it. */
typedef struct ScenServed {
    StratServeResult *result; /* NULL: it does not fit */
    StratServeResult *fast; /* with costs 1.64 standard errors lower, and higher; NULL: not asked */
    StratServeResult *slow;
    StratServeResult *calm; /* without failures; NULL: nothing can fail */
    double load_fraction;   /* tokens/s over those when everything arrives at once; 0: not asked, or
                               requests depend on answers */
    double error_fraction;  /* standard error of an iteration's time */
    StratServeMemory memory[2];
    int64_t skipped_rows; /* of the trace: failed requests, which have no tokens */
    ScenMoney money;
    char *no_fit; /* why it does not fit; NULL: it does */
} ScenServed;

/** Which parts of a result somebody wants. */
typedef struct ScenServeWants {
    bool requests;                /* outcomes, and samples over time */
    bool interval;                /* the runs with other costs */
    const StratServeWatch *watch; /* of the run; NULL: nobody */
} ScenServeWants;

/** Serves the traffic of @scenario, which has `serve:`. NULL and @error: what is not modelled, or a
 *  trace that broke off. One that does not fit is a result, with the reason. */
ScenServed *scen_serve(const ScenScenario *scenario, ScenServeWants wants, GError **error);

/** What iterations of pool @pool of @scenario cost, which must outlive it. *@profile (NULL before)
 *  takes measured layer times that it reads; free both. NULL and @error as strat_price_new(). */
StratPricer *scen_serve_pricer(const ScenScenario *scenario, size_t pool, StratProfile **profile,
                               GError **error);

void scen_served_free(ScenServed *served);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenServed, scen_served_free)

/** The figure @metric of @served; NaN where there is none. SPEEDUP serves the traffic once more,
 *  see scen_serve_speedup(). */
double scen_served_metric(const ScenScenario *scenario, const ScenServed *served,
                          ScenMetric metric);

/** TPOT without speculation over that with it; NaN and @error as scen_serve(). */
double scen_serve_speedup(const ScenScenario *scenario, const ScenServed *served, GError **error);

/** Does the run miss an objective: fewer requests than `slo.attainment` meet all of them? */
bool scen_served_misses(const ScenScenario *scenario, const ScenServed *served);

#endif

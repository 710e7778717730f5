/** A deployment's failures: from a scenario to a run, and from the run to months. */
#ifndef SCEN_OUTAGES_H
#define SCEN_OUTAGES_H

#include "scen_scenario.h"
#include "strat_serve.h"
#include "strat_serve_memory.h"

/** What the dips of a run come to where faults are as rare as they are. */
typedef struct ScenOutlook {
    double faults_per_s;     /* of the classes, on this deployment */
    double missed_per_fault; /* requests that meet the objectives without it alone */
    double attainment;       /* share of the requests that meet them, in the long run */
    double availability;     /* of the capacity, in the long run */
    int64_t spares[2];       /* of replicas: with so many all of a pool are up for the share */
    double spares_target;    /* of the time */
} ScenOutlook;

/** Seconds until weights that @memory counts are on the GPUs of a replica that starts, all of which
 *  load at once: at @given_bytes_per_s each, or where that is 0 by the link @from (ScenLoadFrom).
 */
double scen_outages_load_s(const ScenScenario *scenario, const StratServeMemory *memory, int from,
                           double given_bytes_per_s);

/** What may fail in @scenario, which outlives it; replicas start with what @memory of their pool
 *  says. Without `serve.failures` nothing does. */
StratFailures scen_outages_of(const ScenScenario *scenario, const StratServeMemory *memory);

/** GPU-seconds of @result that came to nothing: of dead and starting replicas, of iterations that
 *  broke off, and of prompts' part as much as caches were computed again. */
double scen_outages_wasted_gpu_s(const StratServeResult *result);

/** @result under @scenario's failures against @calm, the same traffic without; @memory as in
 *  scen_outages_of(). */
ScenOutlook scen_outages_outlook(const ScenScenario *scenario, const StratServeMemory *memory,
                                 const StratServeResult *result, const StratServeResult *calm);

#endif

/** Steps of a scenario's job that goes on without some of its nodes. */
#ifndef SCEN_ADAPT_H
#define SCEN_ADAPT_H

#include "scen_scenario.h"
#include "strat_job_state.h"

/** Threads may ask at the same time. */
typedef struct ScenAdapt ScenAdapt;

/** Of @scenario, which is borrowed. Simulates nothing yet. Free with scen_adapt_free(). */
ScenAdapt *scen_adapt_new(const ScenScenario *scenario);
void scen_adapt_free(ScenAdapt *adapt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenAdapt, scen_adapt_free)

/** Seconds of the step of @state over those of the healthy one, 1 or more, by its adaptation and
 * how many nodes it lacks; INFINITY where the job cannot go on so. */
double scen_adapt_slowdown(ScenAdapt *adapt, const StratJobState *state);

#endif

/** From a scenario with a campaign and its step to months of that job. */
#ifndef SCEN_SURVIVE_H
#define SCEN_SURVIVE_H

#include "scen_scenario.h"
#include "strat_campaign.h"

/** Months of one scenario. */
typedef struct ScenSurvived {
    StratCampaignResult *own; /* with the policy of the scenario */
    GPtrArray *others;        /* of StratCampaignResult, one of each of campaign.recoveries */
} ScenSurvived;

/** Runs the campaign of @scenario, whose healthy step, simulated, takes @step_s seconds; steps of
 *  slower states are simulated on the way. All policies meet the same failures. Never fails. Free
 *  with scen_survived_free(). */
ScenSurvived *scen_survive(const ScenScenario *scenario, double step_s);
void scen_survived_free(ScenSurvived *survived);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenSurvived, scen_survived_free)

#endif

/** From a scenario with a campaign and its step to months of that job. */
#ifndef SCEN_SURVIVE_H
#define SCEN_SURVIVE_H

#include "scen_scenario.h"
#include "strat_campaign.h"

/** Runs the campaign of @scenario, whose healthy step, simulated, takes @step_s seconds; steps of
 *  other states are simulated on the way. NULL and @error when such a step is not modelled. */
StratCampaignResult *scen_survive(const ScenScenario *scenario, double step_s, GError **error);

/** The same with each of @policies (of const StratRecovery) in place of its own, on the same
 *  failures: an array of StratCampaignResult, the caller's. */
GPtrArray *scen_survive_with(const ScenScenario *scenario, double step_s, const GPtrArray *policies,
                             GError **error);

#endif

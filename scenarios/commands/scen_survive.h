/** From a scenario with a campaign and its step to months of that job. */
#ifndef SCEN_SURVIVE_H
#define SCEN_SURVIVE_H

#include "scen_scenario.h"
#include "strat_campaign.h"
#include "strat_saves.h"

/** What can fail in @scenario, which has a campaign. Borrows from it. */
StratFaultModel scen_fault_model(const ScenScenario *scenario);

/** Runs the campaign of @scenario, whose healthy step, simulated, takes @step_s seconds; steps of
 *  other states are simulated on the way. @saves is what its storage makes of checkpoints and
 *  restarts, NULL when it has none. NULL and @error when such a step is not modelled. */
StratCampaignResult *scen_survive(const ScenScenario *scenario, double step_s,
                                  const StratSaves *saves, GError **error);

/** The same with each of @policies (of const StratRecovery) in place of its own, on the same
 *  failures, and with its storage's times for them; @step is the healthy step. An array of
 *  StratCampaignResult, the caller's. */
GPtrArray *scen_survive_with(const ScenScenario *scenario, const StratTrainResult *step,
                             const GPtrArray *policies, GError **error);

#endif

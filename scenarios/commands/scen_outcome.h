/** What comes of a scenario without traffic: a step, months of steps, or a replay. */
#ifndef SCEN_OUTCOME_H
#define SCEN_OUTCOME_H

#include "scen_scenario.h"
#include "strat_campaign.h"
#include "strat_replay_study.h"

/** An outcome. What a scenario does not have is NULL or 0. */
typedef struct ScenOutcome {
    double step_s;                 /* given or simulated */
    StratCampaignResult *campaign; /* owned */
    StratReplayTotals totals;
} ScenOutcome;

/** Runs @scenario; NULL and @error when its step cannot be simulated or its trace not be read. Free
 *  with scen_outcome_free(). */
ScenOutcome *scen_outcome_new(const ScenScenario *scenario, GError **error);
void scen_outcome_free(ScenOutcome *outcome);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenOutcome, scen_outcome_free)

#endif

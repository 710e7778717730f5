/** What comes of a scenario: a step, months of steps, a replay, or a run of serving. */
#ifndef SCEN_OUTCOME_H
#define SCEN_OUTCOME_H

#include "scen_serve.h"
#include "strat_campaign.h"
#include "strat_replay_study.h"
#include "strat_saves.h"
#include "strat_train.h"

/** An outcome. What a scenario does not have is NULL or 0. */
typedef struct ScenOutcome {
    double step_s;                 /* given or simulated */
    StratCampaignResult *campaign; /* owned */
    bool has_saves;                /* of its checkpoints: there is a storage */
    StratSaves saves;
    StratReplayTotals totals;
    ScenServed *served; /* of a scenario that serves; owned */
} ScenOutcome;

/** Fills the step and the months of @outcome, zeroed, from the step @result of @scenario (NULL: its
 *  time is given). False and @error when its checkpoints are not modelled. */
bool scen_outcome_months(const ScenScenario *scenario, const StratTrainResult *result,
                         ScenOutcome *outcome, GError **error);

/** Runs @scenario; NULL and @error when its step cannot be simulated or its trace not be read. Free
 *  with scen_outcome_free(). */
ScenOutcome *scen_outcome_new(const ScenScenario *scenario, GError **error);
void scen_outcome_free(ScenOutcome *outcome);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenOutcome, scen_outcome_free)

#endif

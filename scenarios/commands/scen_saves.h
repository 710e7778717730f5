/** What checkpoints and restarts of a scenario's campaign take, from the storage it describes. */
#ifndef SCEN_SAVES_H
#define SCEN_SAVES_H

#include "scen_scenario.h"
#include "strat_saves.h"

/** Fills @saves for the campaign of @scenario, which has a storage; @step is its healthy step.
 * False and @error as strat_saves_run(). */
bool scen_saves_run(const ScenScenario *scenario, const StratTrainResult *step, StratSaves *saves,
                    GError **error);

/** Times of @campaign's checkpoints and recoveries that @written does not give become those of
 *  @saves. */
void scen_saves_apply(const ScenCampaign *written, const StratSaves *saves,
                      StratCampaign *campaign);

#endif

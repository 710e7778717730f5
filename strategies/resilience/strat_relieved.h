/** How fast a job goes with a slow part, by what is done about it. */
#ifndef STRAT_RELIEVED_H
#define STRAT_RELIEVED_H

#include "strat_campaign.h"

/** Speeds over that of healthy steps, with one part slow as a fault of some class leaves it. */
typedef struct StratRelieved {
    double speed[STRAT_STRAGGLER_ACTIONS];
} StratRelieved;

/** Those of each class of @campaign, whose healthy step takes @step_s; NULL where slow parts are
 * left alone. The caller frees it. */
StratRelieved *strat_relieved_new(const StratCampaign *campaign, double step_s);

#endif

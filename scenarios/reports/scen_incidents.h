/** The incidents of one history of a campaign: a table, a drawing, and the dearest as text. */
#ifndef SCEN_INCIDENTS_H
#define SCEN_INCIDENTS_H

#include "scen_scenario.h"
#include "strat_campaign.h"

/** A line an incident: when it came, was known and was over, what it was, and what it took by
 * bucket of the ledger. The caller owns it. */
char *scen_incidents_csv(const ScenScenario *scenario, const StratCampaignResult *result);

/** A drawing (SVG 1.1): what each incident took over the time at which it came, by bucket, and the
 *  share of the time lost so far. The caller owns it. */
char *scen_incidents_svg(const StratCampaignResult *result);

/** Appends the dearest incidents. */
void scen_incidents_text(GString *out, const ScenScenario *scenario,
                         const StratCampaignResult *result);

#endif

/** A campaign with one class of faults, for tests to change. */
#ifndef TOY_CAMPAIGN_H
#define TOY_CAMPAIGN_H

#include "strat_campaign.h"

/** The step of the tests: 1 s when all is well, in inverse proportion to the slowest clock or NIC.
 */
double toy_step(const StratJobState *state, void *ctx);

/** @gpus GPUs in nodes of 8 that fail @per_node_day times a node and day, for @days; checkpoints
 *  every @interval_s without blocking, @restart_s from failure to work, 200 replications. @faults
 *  takes the class and must outlive the result. */
StratCampaign toy_campaign(StratFaultClass *faults, int64_t gpus, double per_node_day, double days,
                           double interval_s, double restart_s);

#endif

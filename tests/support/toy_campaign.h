/** A campaign with one class of faults, for tests to change. */
#ifndef TOY_CAMPAIGN_H
#define TOY_CAMPAIGN_H

#include "strat_adapt.h"
#include "strat_campaign.h"

/** A job of 3 pipelines of 4 stages with 6 microbatches each, whose forward takes a slot on a stage
 * and whose backward two: 27 slots of 1 s whole, 9 of them bubble. Fewer stages have more layers
 * each. It is the example of ReCycle's figures. */
StratAdaptJob toy_adapt_job(void);

/** The step of the tests: 1 s when all is well, in inverse proportion to the slowest clock or NIC;
 * adapted, as toy_adapt_job() says. */
double toy_step(const StratJobState *state, void *ctx);

/** @gpus GPUs in nodes of 8 that fail @per_node_day times a node and day, for @days; checkpoints
 *  every @interval_s without blocking, @restart_s from failure to work, 200 replications. @faults
 *  takes the class and must outlive the result. */
StratCampaign toy_campaign(StratFaultClass *faults, int64_t gpus, double per_node_day, double days,
                           double interval_s, double restart_s);

#endif

/** From a loaded scenario to its result. */
#ifndef SCEN_SIMULATE_H
#define SCEN_SIMULATE_H

#include "scen_scenario.h"
#include "strat_jobs.h"

/** What prices the step of @scenario; borrows from it. False when its network is unknown. */
bool scen_costing(const ScenScenario *scenario, StratCosting *costing, GError **error);

/** The same for a further job of @scenario. */
bool scen_job_costing(const ScenScenario *scenario, const ScenJob *job, StratCosting *costing,
                      GError **error);

/** Simulates what the jobs of @scenario's queue do to each other where they meet: the numbers of
 *  strat_queue_meet(), which the caller frees, in @beside; NULL there when no two jobs say what
 * they train. False and @error when a step cannot be simulated. */
bool scen_simulate_queued(const ScenScenario *scenario, double **beside, GError **error);

/** Runs all jobs of @scenario, its own first, together; @result is that of its own alone. NULL and
 *  @error as strat_jobs_run(). */
StratJobs *scen_simulate_jobs(const ScenScenario *scenario, const StratTrainResult *result,
                              GError **error);

/** Simulates the step of @scenario. NULL and @error when it is not modelled. Whether it fits in
 *  memory is for the caller to ask (strat_memory_fits(), or strat_memory_check() for the reasons).
 */
StratTrainResult *scen_simulate(const ScenScenario *scenario, GError **error);

/** The 90 % interval of @result, which is that of @scenario, and the @exposure it comes from (may
 * be NULL). False when its network is unknown. */
bool scen_interval(const ScenScenario *scenario, const StratTrainResult *result,
                   StratInterval *interval, StratExposure *exposure, GError **error);

/** The same, counting in @tally (NULL: not) what the measured table of the scenario answered. */
StratTrainResult *scen_simulate_tallied(const ScenScenario *scenario, KernTally *tally,
                                        GError **error);

#endif

/** What `orrery search` says of training plans: text, JSON. */
#ifndef SCEN_PLAN_SEARCH_REPORT_H
#define SCEN_PLAN_SEARCH_REPORT_H

#include "scen_plan_search.h"

/** The answer, what it was chosen from, and why. The caller owns them. JSON is schema 1:
 *
 *  {"schema", "scenario", "objective": "step_time", "combinations": n, "plans": n that pass the
 *   rules and memory, "simulated": n, "stopped": bool, "best": plan or null, "next": likewise,
 *   "pareto": [plan, ...], "rejected": [{"path", "reason", "count"}, ...]}
 *
 *  A plan is {"text", "settings", "gpus", "step_time_s", "least_step_time_s",
 *  "memory_free_fraction", "usd_per_million_tokens" (null without a price), "ledger_s": seconds a
 *  GPU by account}. */
char *scen_plan_search_text(const ScenScenario *scenario, const ScenPlansSearched *searched);
char *scen_plan_search_json(const ScenScenario *scenario, const ScenPlansSearched *searched);

#endif

/** What `orrery search` says: text, JSON. */
#ifndef SCEN_SEARCH_REPORT_H
#define SCEN_SEARCH_REPORT_H

#include "scen_search_run.h"

/** The answer, what it was chosen from, and why. The caller owns them. JSON is schema 1:
 *
 *  {"schema", "scenario", "objective", "deployments": n, "simulated": n, "stopped": bool,
 *   "best": deployment or null, "next": likewise, "pareto": [deployment, ...],
 *   "rejected": [{"family", "reason", "count", "example"}, ...]}
 *
 *  A deployment is {"text", "settings", "family", "gpus", "replicas", "tensor", "pipeline", "data",
 *  "expert", "prefill": the same of replicas that do prompts alone or null, "usd_total",
 *  "usd_per_million_output_tokens" (the whole run's dollars), "ttft_p99_s", "tpot_p99_s",
 *  "slo_attainment_fraction", "output_tokens_per_s", "ledger_gpu_s": {...}}. */
char *scen_search_text(const ScenScenario *scenario, const ScenSearched *searched);
char *scen_search_json(const ScenScenario *scenario, const ScenSearched *searched);

/** Rejected deployments of one family for one reason. */
typedef struct ScenRejected {
    guint family;
    ScenFate fate;
    int64_t count;
    gint example; /* a deployment: of the simulated the one that met most, else the first */
} ScenRejected;

/** All there are, by family and then by reason. The caller owns the array of ScenRejected. */
GArray *scen_search_rejected(const ScenSearched *searched);

/** More about deployment @index than its fate; NULL: nothing. The caller owns it. */
char *scen_search_why(const ScenSearched *searched, gint index);

/** Deployments of the Pareto set, the cheapest first. The caller owns the array of gint. */
GArray *scen_search_pareto(const ScenSearched *searched);

#endif

/** What `orrery run` says of an execution trace, as text and as JSON: the same figures. */
#ifndef SCEN_ET_REPORT_H
#define SCEN_ET_REPORT_H

#include "scen_scenario.h"

/** One screen of text. The caller owns it. */
char *scen_et_text(const ScenScenario *scenario, const StratEtResult *result);

/** JSON (schema 1): "execution_trace": {"ranks", "nodes", "collectives", "sends", "total_time_s",
 *  "ledger_gpu_s": {account: s}, "rank_times": [{"rank", "end_s", "compute_s", "exposed_s",
 *  "waited_s", "others_waited_s"}], "hot_links"}. The caller owns it. */
char *scen_et_json(const ScenScenario *scenario, const StratEtResult *result);

/** A line a rank, a column an account, in seconds. The caller owns it. */
char *scen_et_csv(const StratEtResult *result);

#endif

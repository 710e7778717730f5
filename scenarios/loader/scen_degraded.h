/** What of a cluster is worse than the rest while a step runs. */
#ifndef SCEN_DEGRADED_H
#define SCEN_DEGRADED_H

#include "scen_bind.h"
#include "strat_job_state.h"

#include <glib.h>

typedef struct ScenDegraded {
    GArray *gpus;        /* rows as written; owned */
    GArray *nics;        /* likewise */
    GArray *slow, *weak; /* of StratSlowGpu and StratWeakNic; owned */
    StratJobState state; /* of these two */
} ScenDegraded;

struct ScenScenario;

/** Whether anything is. */
bool scen_degraded_is_on(const ScenDegraded *degraded);

/** Makes the state of @scenario's rows, when the rest of it is bound; adds what is wrong with it to
 *  @binder's errors at @map. */
void scen_degraded_finish(ScenBinder *binder, const ScenNode *map, struct ScenScenario *scenario);

void scen_degraded_clear(ScenDegraded *degraded);

#endif

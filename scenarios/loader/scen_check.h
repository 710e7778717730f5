/** Checks across the fields of a scenario, after which nothing in a run can fail. */
#ifndef SCEN_CHECK_H
#define SCEN_CHECK_H

#include "scen_marks.h"
#include "scen_scenario.h"

/** Checks a scenario that was built in memory: ranges of all fields, then how they fit together.
 *  Fills in plan.data where it is 0. False and @error with every fault, a line each, placed by path
 *  ("plan.tensor: ..."). */
bool scen_scenario_check(ScenScenario *scenario, GError **error);

/** Why a plan is refused. Texts of rules are constant: equal pointers, the same rule. */
typedef struct ScenRefusal {
    const char *path; /* "plan.tensor" */
    const char *rule; /* the message, before its numbers are filled in */
    char *message;    /* with them; owned */
} ScenRefusal;

/** Holds the plan of @scenario, which is sound but for the plan, to the rules of plans alone, in
 *  microseconds. True when one refuses it: the first, in @refusal (may be NULL), whose message the
 *  caller frees. */
bool scen_check_plan_refused(const ScenScenario *scenario, ScenRefusal *refusal);

/** The same for one that was bound: faults are placed by @marks and added to @errors, except about
 *  values that binding refused already. */
void scen_check_bound(ScenScenario *scenario, const ScenMarks *marks, ScenErrors *errors);

/** The further jobs of a scenario that is sound without them: each as a scenario of its own. Fills
 * in their gpus and plan.data; faults are placed at the job and added to @errors. */
void scen_check_jobs(ScenScenario *scenario, ScenErrors *errors);

/** The same for the jobs of its queue that say what they train. */
void scen_check_queued_jobs(ScenScenario *scenario, ScenErrors *errors);

#endif

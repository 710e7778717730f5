/** The search over training plans: bounds, then simulations, then the answer. */
#ifndef SCEN_PLAN_SEARCH_H
#define SCEN_PLAN_SEARCH_H

#include "scen_plan_space.h"
#include "scen_search_run.h"

typedef struct ScenPlansSearched {
    ScenPlanSpace *space; /* owned */
    gint best, next;      /* indices of the shortest step and the second shortest; -1: none */
    bool *pareto;         /* owned, of each trial: no simulated one that fits is better in step,
                             memory, GPUs and dollars a token */
    size_t tried;         /* simulated */
    bool stopped;         /* before the end */
} ScenPlansSearched;

/** Searches the plans that @scenario allows. NULL and @error: it has no plan or no search, or
 * brings what plans cannot be compared with. Free with scen_plans_searched_free(). */
ScenPlansSearched *scen_plan_search(const ScenScenario *scenario, const ScenSearchOptions *options,
                                    GError **error);

void scen_plans_searched_free(ScenPlansSearched *searched);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenPlansSearched, scen_plans_searched_free)

#endif

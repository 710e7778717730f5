/** The search over deployments: bounds, then simulations, then the answer. */
#ifndef SCEN_SEARCH_RUN_H
#define SCEN_SEARCH_RUN_H

#include "scen_deployment.h"
#include "sim_farm.h"

typedef struct ScenSearchOptions {
    const SimFarm *farm;      /* what simulates */
    bool exhaustive;          /* simulates whatever is not refused by its shape, to the end */
    bool (*stops)(void *ctx); /* whether to break off; NULL: never. Called from several threads */
    void (*progress)(void *ctx, size_t done, size_t most); /* NULL: nobody asks */
    void *ctx;
} ScenSearchOptions;

typedef struct ScenSearched {
    ScenDeployments *all; /* owned */
    gint best, next;      /* indices of the best and the second best; -1: there is none */
    bool *pareto;         /* owned, of each deployment: no simulated one that keeps the objectives
                             is better in money, TTFT p99, TPOT p99 and GPUs */
    size_t tried;         /* simulated */
    bool stopped;         /* before the end */
} ScenSearched;

/** Searches the deployments that @scenario (read from @path with @sets) allows. NULL and @error: it
 *  does not serve, has no price for an objective in dollars, or as scen_deployments_new(). */
ScenSearched *scen_search(const ScenScenario *scenario, const char *path, const char *const *sets,
                          const ScenSearchOptions *options, GError **error);

void scen_searched_free(ScenSearched *searched);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenSearched, scen_searched_free)

/** The deployment at @index; NULL for -1. */
const ScenDeployment *scen_searched_at(const ScenSearched *searched, gint index);

#endif

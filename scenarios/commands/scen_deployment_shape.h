/** Shapes of replicas: which sizes a family allows, and what is known of each before any run. */
#ifndef SCEN_DEPLOYMENT_SHAPE_H
#define SCEN_DEPLOYMENT_SHAPE_H

#include "scen_deployment.h"

/** Adds all shapes of family @family that the search of @scenario allows and that have at most
 * @max_gpus GPUs. */
void scen_shapes_add(ScenDeployments *all, guint family, const ScenScenario *scenario,
                     int64_t max_gpus);

/** @family with the limits of @shape, and @pools: those that do both or decode, and those that do
 *  prompts alone (replicas 0: none), @gpus in all. It borrows; g_free() it. NULL and @error: sizes
 *  that do not go together. */
ScenScenario *scen_shape_scenario(const ScenScenario *family, const ScenShape *shape,
                                  const StratPool pools[2], int64_t gpus, GError **error);

#endif

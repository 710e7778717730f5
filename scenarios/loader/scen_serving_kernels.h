/** The all-reduces of a serving engine on the GPU at hand. */
#ifndef SCEN_SERVING_KERNELS_H
#define SCEN_SERVING_KERNELS_H

#include "scen_bind.h"
#include "scen_serving_engine.h"

/** Fills @engine->reduce with the catalog's row for @gpu, if there is one; faults of that row are
 *  added to @binder's errors, @map is where the scenario is. */
void scen_serving_find_kernels(ScenBinder *binder, const ScenNode *map, const TopoGpu *gpu,
                               ScenServingEngine *engine);

#endif

/** Where the weights, the cache and the activations of an offloaded run live. */
#ifndef SCEN_SERVING_OFFLOAD_H
#define SCEN_SERVING_OFFLOAD_H

#include "scen_row_writer.h"

/** Writes `offload:` of the row of @w, which serves @model, if it is an offloaded run. Rows do not
 *  say their policy: it is taken from what the engine's authors published, else assumed. */
void scen_serving_offload_put(ScenRowWriter *w, const char *model);

/** The type that such a run keeps its weights in, where the row says another; NULL: it does not. */
const char *scen_serving_offload_weights(ScenRowWriter *w, const char *model);

#endif

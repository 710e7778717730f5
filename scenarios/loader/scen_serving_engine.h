/** A serving engine as its catalog row says it: what the strategies need, and what depends on the
 *  GPU that it runs on. */
#ifndef SCEN_SERVING_ENGINE_H
#define SCEN_SERVING_ENGINE_H

#include "kern_serve_fit.h"
#include "strat_engine.h"
#include "topo_cluster.h"
#include "topo_protocol_engine.h"
#include "topo_protocol_expert.h"

/** Limits that depend on the GPU; 0: the engine makes no difference. */
typedef struct ScenGpuLimits {
    double memory_bytes; /* of a GPU, from here on */
    const char *except;  /* not for GPUs with this in their name, NULL: for all */
    int64_t max_sequences;
    int64_t max_tokens;
} ScenGpuLimits;

typedef struct ScenServingEngine {
    StratEngine row;
    ScenGpuLimits small, large;
    const char *all_reduce; /* engine kernels of the catalog are called this-GPU; NULL: none */
    TopoEngineFit reduce;   /* those of the GPU; name NULL: the library's */
    TopoExpertFit expert_prompts; /* dispatch and combine; name NULL: the library's */
    TopoExpertFit expert_decodes;
    KernMoeFamily expert_family;
} ScenServingEngine;

/** Fills in the limits of @engine that are still 0 by the memory of @gpu. */
void scen_serving_engine_settle(ScenServingEngine *engine, const TopoGpu *gpu);

#endif

/** Where weights and cache of a model larger than its GPU have room. */
#ifndef STRAT_OFFLOAD_H
#define STRAT_OFFLOAD_H

#include "strat_serve_memory.h"

/** The share that is not on the GPU. */
static inline double strat_off_gpu(StratElsewhere share)
{
    return share.host + share.disk;
}

/** Bytes on one GPU of @pool for what is brought in for a layer and the next. */
double strat_offload_buffers_bytes(const ModelSpec *model, const StratDeployment *deployment,
                                   const StratPool *pool);

/** Lowers the blocks of @memory to what host memory and disks of @node hold of the cache beside the
 *  weights that live there. Why those do not fit, to be freed; NULL: they do. */
char *strat_offload_place(StratServeMemory *memory, const StratDeployment *deployment, size_t pool,
                          const TopoNode *node);

#endif

/** What of a GPU's memory serving takes, and how much of the KV cache fits into the rest. */
#ifndef STRAT_SERVE_MEMORY_H
#define STRAT_SERVE_MEMORY_H

#include "strat_deployment.h"

#include <glib.h>

/** Bytes of the fullest GPU of a replica. */
typedef struct StratServeMemory {
    double capacity_bytes;    /* that programs see */
    double taken_bytes;       /* of it, that the engine allows itself */
    double weights_bytes;     /* with those of a draft model */
    double offloaded_bytes;   /* of the weights, in host memory or on disks instead: not in
                                 weights_bytes */
    double activations_bytes; /* of the largest iteration, with buffers for what is brought in */
    double engine_bytes;      /* graphs and workspaces, as the engine's row says */
    double kv_bytes;          /* what is left for the cache; may be negative */
    double kv_token_bytes;    /* of one token of this GPU, wherever it lives */
    int64_t blocks;           /* of the whole replica: all its attention ranks together */
} StratServeMemory;

/** Memory of pool @pool of @deployment. @largest_tokens: of its largest iteration, 0: as many as
 *  the engine allows. */
StratServeMemory strat_serve_memory(const ModelSpec *model, const TopoGpu *gpu,
                                    const StratDeployment *deployment, size_t pool,
                                    int64_t largest_tokens);

/** Whether the longest sequence that the engine takes (max_length; a block, where it sets none)
 *  fits into the cache of one attention rank. @error: by how much it does not, and what would
 *  help. */
bool strat_serve_memory_check(const StratServeMemory *memory, const StratDeployment *deployment,
                              size_t pool, GError **error);

/** Bytes of weights of @model on the fullest GPU of @pool, whether they are on it or in host
 *  memory. */
double strat_serve_weights_bytes(const ModelSpec *model, const StratDeployment *deployment,
                                 const StratPool *pool);

/** Bytes that one token keeps in the cache of a replica, without copies of KV heads: what moves
 * from prefill to decode. */
double strat_kv_token_bytes(const ModelSpec *model, StratKvType kv);

#endif

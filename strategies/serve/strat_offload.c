/* Room for what lives off the GPU.
 *
 *   GPU     its shares of weights and cache, the activations of one GPU batch, and buffers: while a
 *           layer is computed the next one's weights come in, and the cache of the next GPU batch,
 *           unless the CPU attends (FlexGen: Sheng et al. 2023, arXiv 2303.06865, appendix A.2)
 *   host    its shares of weights and cache; unknown memory (0) holds everything
 *   disks   likewise; no disk (0) holds nothing
 *
 * The GPUs of a node share its memory and disks evenly. Left out: activations off the GPU, which
 * are small beside the cache, and the host's own needs. */
#include "strat_offload.h"

#include "strat_matrix.h"

#include <math.h>

double strat_offload_buffers_bytes(const ModelSpec *model, const StratDeployment *deployment,
                                   const StratPool *pool)
{
    const StratOffload *o = &deployment->offload;
    const StratEngine *engine = deployment->engine;
    double layers = (double)model->layers, bytes = 0.0;
    double layer =
        strat_serve_weights_bytes(model, deployment, pool) * (double)pool->pipeline / layers;
    if (strat_off_gpu(o->weights) > 0.0)
        bytes += engine->copies == STRAT_COPIES_IN_TURN ? layer : 2.0 * layer;
    if (strat_off_gpu(o->cache) > 0.0 && !o->host_attention) {
        double sequences =
            ceil((double)engine->max_sequences / (double)(pool->data * MAX(o->gpu_batches, 1)));
        double length = (double)MAX(engine->max_length, engine->block_tokens);
        bytes +=
            2.0 * sequences * length * strat_kv_layer_bytes(model, pool->tensor, deployment->kv);
    }
    return bytes;
}

/* Room of one tier for the cache of one GPU, in blocks of the replica; below 0: not even for the
 * weights. */
static double blocks_in(double room, double weights, double block)
{
    double left = room - weights;
    if (left < 0.0 || block <= 0.0)
        return left < 0.0 ? -1.0 : INFINITY;
    return floor(left / block);
}

char *strat_offload_place(StratServeMemory *memory, const StratDeployment *deployment, size_t pool,
                          const TopoNode *node)
{
    const StratPool *p = &deployment->pool[pool];
    const StratOffload *o = &deployment->offload;
    const int64_t gpus = MIN(node->gpus, p->replicas * strat_pool_gpus(p));
    double weights = memory->weights_bytes + memory->offloaded_bytes;
    double block = (double)deployment->engine->block_tokens * memory->kv_token_bytes;
    double host = node->host_memory_bytes > 0.0 ? node->host_memory_bytes : INFINITY;
    const struct {
        const char *name;
        double room, weights, cache;
    } tiers[] = {
        {"host memory", host,             o->weights.host, o->cache.host},
        {"disks",       node->disk_bytes, o->weights.disk, o->cache.disk},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(tiers); i++) {
        double bytes = tiers[i].weights * weights;
        if (bytes <= 0.0 && tiers[i].cache <= 0.0)
            continue;
        double blocks =
            blocks_in(tiers[i].room / (double)MAX(gpus, 1), bytes, tiers[i].cache * block);
        if (blocks < 0.0)
            return g_strdup_printf("%.1f GB of weights do not fit into the %.1f GB of %s of a node",
                                   bytes * (double)gpus * 1e-9, tiers[i].room * 1e-9,
                                   tiers[i].name);
        if (blocks * (double)p->data < (double)memory->blocks)
            memory->blocks = p->data * (int64_t)blocks;
    }
    return NULL;
}

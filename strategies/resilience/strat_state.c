/* What a checkpoint keeps is what a rank cannot compute anew: the working weights and the state of
 * the optimizer (fp32 weights and two moments), 2 + 12 bytes a parameter in bf16; no gradients and
 * no activations (BLOOM: 2.3 TB of 176 billion parameters, 329 GB of them bf16 weights).
 *
 * Ranks of a data group (data x context) hold the same weights. Under ZeRO each has a shard of the
 * optimizer's state, under ZeRO-3 of the weights too; otherwise that is the same on all of them. A
 * shard is the same in each copy, where the group holds several. What is the same is moved by
 * the first rank, as Megatron-DeepSpeed did, by each in equal parts, as PyTorch's distributed
 * checkpoints and Megatron-Core's fully parallel ones do, or by every rank, once each.
 *
 * Left out: the state of data loaders and random numbers, which is small; parts of unequal size,
 * because tensors are not cut. */
#include "strat_state.h"

#include "strat_layout.h"

#include <stdlib.h>

StratState strat_state_of(const StratPlan *plan, const StratMemory *memory)
{
    bool optimizer_is_own = plan->zero_stage > 0, weights_are_own = plan->zero_stage == 3;
    double weights = memory->weights_bytes + memory->elsewhere_weights_bytes;
    double optimizer = memory->optimizer_bytes + memory->elsewhere_optimizer_bytes;
    return (StratState){
        .alike_bytes = (weights_are_own ? 0.0 : weights) + (optimizer_is_own ? 0.0 : optimizer),
        .own_bytes = (weights_are_own ? weights : 0.0) + (optimizer_is_own ? optimizer : 0.0),
    };
}

double strat_state_bytes(const StratPlan *plan, const StratState *state, StratShare share,
                         int64_t rank)
{
    StratRank at = strat_rank_at(plan, rank);
    int64_t all = plan->data * plan->context, shards = strat_shard_ranks(plan);
    int64_t member = at.data * plan->context + at.context;
    double part = 1.0, own = 1.0;
    if (share == STRAT_SHARE_SPREAD) {
        part = 1.0 / (double)all;
        own = (double)shards / (double)all;
    } else if (share == STRAT_SHARE_FIRST) {
        part = member == 0 ? 1.0 : 0.0;
        own = member < shards ? 1.0 : 0.0;
    }
    return state->alike_bytes * part + state->own_bytes * own;
}

double *strat_state_gpus(const StratCosting *costing, const GArray *memory, StratShare share)
{
    const StratPlan *plan = costing->plan;
    const TopoCluster *cluster = costing->cluster;
    double *bytes = g_new0(double, cluster->node_count * cluster->node.gpus);
    for (int64_t rank = 0; rank < strat_rank_count(plan); rank++) {
        int64_t stage = strat_rank_at(plan, rank).stage;
        StratState state = strat_state_of(plan, &g_array_index(memory, StratMemory, stage));
        int64_t gpu = costing->gpu_of_rank ? costing->gpu_of_rank[rank] : rank;
        bytes[gpu] += strat_state_bytes(plan, &state, share, rank);
    }
    return bytes;
}

static int more_bytes_first(const void *a, const void *b)
{
    const StratStateNodes *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return (x->gpu_bytes < y->gpu_bytes) - (x->gpu_bytes > y->gpu_bytes);
}

GArray *strat_state_nodes(const StratCosting *costing, const GArray *memory, StratShare share)
{
    const TopoCluster *cluster = costing->cluster;
    g_autofree double *gpu_bytes = strat_state_gpus(costing, memory, share);
    g_autofree StratStateNodes *all = g_new0(StratStateNodes, cluster->node_count);
    for (int64_t n = 0; n < cluster->node_count; n++) {
        all[n].count = 1;
        for (int64_t g = 0; g < cluster->node.gpus; g++) {
            double bytes = gpu_bytes[n * cluster->node.gpus + g];
            all[n].bytes += bytes;
            all[n].gpu_bytes = MAX(all[n].gpu_bytes, bytes);
        }
    }
    qsort(all, (size_t)cluster->node_count, sizeof all[0], more_bytes_first);
    GArray *nodes = g_array_new(FALSE, TRUE, sizeof(StratStateNodes));
    for (int64_t n = 0; n < cluster->node_count; n++) {
        StratStateNodes *last =
            nodes->len > 0 ? &g_array_index(nodes, StratStateNodes, nodes->len - 1) : NULL;
        if (last && more_bytes_first(last, &all[n]) == 0)
            last->count++;
        else
            g_array_append_val(nodes, all[n]);
    }
    return nodes;
}

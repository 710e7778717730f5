/* Levers of memory, of P parameters on a rank of which A are adapters' and L in linear layers.
 *
 *   adapters   weights (P - A - L) 2 + L q + A w, gradients A g, states A s: q bytes of a frozen
 *              weight (model_adapters.c), w of one that learns
 *   teacher    its weights in 16 bits
 *   sparsity   a packed copy of L for each sparse direction: 2 * 9/16 bytes a weight (half of them,
 *              and two bits each)
 *   offload    states and gradients that the host updates are there, or on disk, and not on the
 *              GPU; gradients of zero_stage 0 and 1 are on both. Weights likewise. Of them the
 *              workspace has the units that are at hand
 *   tiles      of a layer's weights only one of so many parts is gathered at a time (ZeRO-Infinity,
 *              section 5.1.3); the parts take as long together
 *
 * A node's DRAM and disks are shared by its GPUs in equal parts.
 *
 * Left out: pinned buffers between disk and GPU, the host's own 16-bit copy while it updates. */
#include "strat_memory_levers.h"

#include "strat_distill.h"
#include "strat_layout.h"
#include "strat_stores.h"

double strat_memory_state_bytes(const StratPlan *plan, double width)
{
    bool wide = plan->precision == TOPO_DTYPE_FP32 || plan->precision == TOPO_DTYPE_TF32;
    double master = plan->footprint.master_bytes > 0 ? (double)plan->footprint.master_bytes : 4.0;
    if (plan->optimizer == STRAT_OPTIMIZER_NONE)
        return 0.0;
    return (wide || plan->fp32_parameters || plan->no_master ? 0.0 : master) +
           strat_optimizer_state_bytes(plan->optimizer, width);
}

/* Parameters of a stage: all, those that learn, those of linear layers; and its teacher's bytes. */
typedef struct Held {
    double all, trained, linear, teacher_bytes;
} Held;

static Held held_by(const StratCosting *costing, int64_t stage)
{
    const StratPlan *plan = costing->plan;
    ModelShard shard = strat_shard(plan);
    Held held = {0};
    for (int64_t k = 0; k < plan->virtual_stages; k++) {
        StratModelChunk chunk = strat_chunk_at(costing->model, plan, stage, k);
        held.all += strat_chunk_params(costing->model, plan, &chunk);
        held.trained += strat_chunk_trained_params(costing->model, plan, &chunk);
        held.linear += (double)chunk.layers * model_linear_params(costing->model, &shard);
        if (strat_distill_is_on(plan))
            held.teacher_bytes += strat_distill_weights_bytes(costing, &chunk);
    }
    return held;
}

static void freeze(const StratCosting *costing, const Held *held, StratMemory *memory)
{
    const StratPlan *plan = costing->plan;
    double shards = (double)strat_shard_ranks(plan);
    double kept = plan->fp32_parameters ? 4.0 : 2.0;
    double weights = 2.0 * (held->all - held->trained - held->linear) +
                     held->linear * model_frozen_bytes(&plan->adapters) + held->trained * kept;
    memory->weights_bytes = weights / (plan->zero_stage == 3 ? shards : 1.0);
    memory->gradients_bytes =
        held->trained * topo_dtype_bytes(plan->gradients) / (plan->zero_stage > 1 ? shards : 1.0);
    memory->optimizer_bytes = held->trained *
                              strat_memory_state_bytes(plan, (double)costing->model->hidden) /
                              (plan->zero_stage > 0 ? shards : 1.0);
}

/* Moves @bytes off the GPU to @store. */
static void put(StratMemory *memory, StratStore store, double bytes)
{
    if (store == STRAT_STORE_HOST)
        memory->host_bytes += bytes;
    else
        memory->disk_bytes += bytes;
}

static void offload(const StratCosting *costing, const Held *held, StratMemory *memory)
{
    const StratPlan *plan = costing->plan;
    StratStore optimizer = plan->offload.optimizer, parameters = plan->offload.parameters;
    double shards = plan->zero_stage > 0 ? (double)strat_shard_ranks(plan) : 1.0;
    if (optimizer != STRAT_STORE_DEVICE) {
        double gradients = held->trained / shards * topo_dtype_bytes(plan->gradients);
        put(memory, optimizer, memory->optimizer_bytes + gradients);
        memory->elsewhere_optimizer_bytes = memory->optimizer_bytes;
        memory->optimizer_bytes = 0.0;
        if (plan->zero_stage > 1)
            memory->gradients_bytes = 0.0;
    }
    if (parameters != STRAT_STORE_DEVICE) {
        put(memory, parameters, memory->weights_bytes);
        memory->elsewhere_weights_bytes = memory->weights_bytes;
        memory->weights_bytes = 0.0;
    }
}

void strat_memory_levers(const StratCosting *costing, int64_t stage, StratMemory *memory)
{
    const StratPlan *plan = costing->plan;
    const TopoNode *node = &costing->cluster->node;
    double sharers = (double)strat_stores_sharers(costing->cluster);
    bool any = plan->adapters.rank > 0 || strat_distill_is_on(plan) || plan->sparsity.gain > 0.0 ||
               strat_stores_any(&plan->offload);
    memory->host_capacity_bytes = node->host_memory_bytes / sharers;
    memory->disk_capacity_bytes = node->disk_bytes / sharers;
    if (!any)
        return;
    Held held = held_by(costing, stage);
    if (plan->adapters.rank > 0)
        freeze(costing, &held, memory);
    memory->weights_bytes += held.teacher_bytes;
    if (plan->sparsity.gain > 0.0)
        memory->weights_bytes +=
            held.linear * 2.0 * 9.0 / 16.0 * (plan->sparsity.backward ? 2.0 : 1.0);
    offload(costing, &held, memory);
}

/* Adds to @text that @bytes a GPU are more than @capacity; whether they are not. */
static bool holds(const char *what, guint stage, double bytes, double capacity, double sharers,
                  GString *text)
{
    if (bytes <= capacity)
        return true;
    if (text)
        g_string_append_printf(
            text,
            "does not fit: stage %u puts %.1f GB of each GPU %s, where %.0f GPUs "
            "of a node share %.1f GB",
            stage, bytes / 1e9, what, sharers, capacity * sharers / 1e9);
    return false;
}

bool strat_memory_elsewhere_fits(const StratCosting *costing, const GArray *stages, GString *text)
{
    double sharers = (double)strat_stores_sharers(costing->cluster);
    for (guint i = 0; i < stages->len; i++) {
        const StratMemory *m = &g_array_index(stages, StratMemory, i);
        if (m->host_bytes > 0.0 &&
            !holds("into host memory", i, m->host_bytes, m->host_capacity_bytes, sharers, text))
            return false;
        if (m->disk_bytes > 0.0 &&
            !holds("on disk", i, m->disk_bytes, m->disk_capacity_bytes, sharers, text))
            return false;
    }
    return true;
}

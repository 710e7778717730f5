/* What a stage keeps, and what its optimizer takes.
 *
 * Measured stage times are those of passes: the optimizer comes besides. Where a backward is cut in
 * two, the products' inputs and the gradients of their outputs stay until the second part: 32 of
 * the 34 s b h bytes of a layer without its scores (Qi 2024, section 2.3). */
#include "strat_cost.h"

#include "kern_pass.h"
#include "strat_expert.h"
#include "strat_layout.h"
#include "strat_repeat.h"

bool strat_costing_reads_fabric(const StratCosting *costing)
{
    return costing->net->shares_links || costing->has_fabric;
}

ModelShard strat_shard(const StratPlan *plan)
{
    int64_t side = strat_tensor_side(plan), rows = side > 0 ? side * strat_tensor_depth(plan) : 1;
    return (ModelShard){
        .micro_batch = plan->micro_batch / rows,
        .sequence = plan->sequence_length,
        .tensor = side > 0 ? side : plan->tensor,
        .context = plan->context,
        .context_heads = strat_context_heads(plan),
        .context_gathers = strat_context_row(plan)->gathers,
        .context_in_order = plan->context_parallel.order == STRAT_CONTEXT_CONTIGUOUS,
        .grid = side,
        .gathers_logits = plan->tensor_parallel.gathers_logits,
        .sequence_parallel = side > 0 || (plan->sequence_parallel && plan->tensor > 1),
        .fused_attention = plan->attention == STRAT_ATTENTION_FLASH,
        .fused_kernels = plan->fused_kernels,
        .dropout = plan->dropout,
        .expert = plan->expert,
        .expert_tensor = plan->expert_tensor,
    };
}

double strat_profiled_s(const KernDevice *device, const StratPlan *plan, double stage_s)
{
    double throttle = device->throttle_fraction > 0.0 ? device->throttle_fraction : 1.0;
    double share = (double)plan->pipeline / (double)strat_chunk_count(plan);
    return stage_s * share / throttle;
}

double strat_send_bytes(const StratCosting *costing)
{
    const StratPlan *plan = costing->plan;
    double tokens = (double)(plan->micro_batch * plan->sequence_length / plan->context);
    return 2.0 * tokens * (double)costing->model->hidden / (double)plan->tensor;
}

double strat_cost_optimizer_s(const StratCosting *costing, double parameters, double updated)
{
    const StratPlan *plan = costing->plan;
    if (plan->optimizer == STRAT_OPTIMIZER_NONE || strat_data_is_served(&plan->data_parallel))
        return 0.0;
    double weight = MAX(topo_dtype_bytes(plan->precision), 2.0);
    double gradient = topo_dtype_bytes(plan->gradients);
    /* All gradients: set to zero. Those it updates: copied to fp32, unscaled and checked, their
     * norm taken, clipped; then Adam reads gradient, weight and two moments and writes the last
     * three; the working weight is copied back. All weights are quantised, where they are. */
    double passes = (gradient + 4.0) + 8.0 + 4.0 + 8.0 + (16.0 + 12.0) + (4.0 + weight);
    const TopoGpu *gpu = &costing->cluster->node.gpu;
    const StratRecipe *recipe = strat_recipe_of(plan->quantise.recipe, plan->precision);
    double cast = recipe ? strat_recipe_cast_bytes(recipe, gpu) : 0.0;
    return kern_pass_s(&costing->device, parameters * (gradient + cast) + updated * passes,
                       12 + (recipe ? 1 : 0));
}

KernAttentionShape strat_attention_shape(const StratPlan *plan, const ModelOp *op)
{
    return (KernAttentionShape){
        .batch = op->batch,
        .kv_batch = op->kv_batch,
        .queries = op->m,
        .keys = op->n,
        .head_dim = op->k,
        .unmasked_fraction = op->causal_fraction,
        .dtype = plan->precision > TOPO_DTYPE_BF16 ? TOPO_DTYPE_BF16 : plan->precision,
        .kernels = plan->attention_kernels,
    };
}

/* 6 bytes a weight beyond the product itself, both when it is fused (fp32 read and written, where 2
 * bytes of output were counted) and when it is a pass of its own in 16 bits (dW and the sum read,
 * the sum written). The bias' gradient reads dY once more. */
double strat_cost_accumulate_s(const StratCosting *costing, const KernDevice *device,
                               const ModelOp *op)
{
    double weights = (double)(op->batch * op->n) * (double)op->k;
    bool bias = costing->model->linear_bias && op->part == MODEL_PART_LINEAR;
    double bytes = 6.0 * weights + (bias ? 2.0 * (double)(op->batch * op->m) * (double)op->n : 0.0);
    return kern_pass_s(device, bytes, bias ? 2 : 1);
}

static double saved_bytes(const ModelOps *ops, StratRecompute recompute)
{
    double bytes = 0.0;
    for (size_t i = 0; i < ops->count; i++) {
        bool dropped = recompute == STRAT_RECOMPUTE_SELECTIVE &&
                       ops->op[i].part == MODEL_PART_ATTENTION &&
                       ops->op[i].kind != MODEL_OP_ATTENTION;
        bytes += dropped ? 0.0 : ops->op[i].saved_bytes;
    }
    return bytes;
}

double strat_chunk_saved_bytes(const StratCosting *costing, const StratModelChunk *chunk)
{
    const StratPlan *plan = costing->plan;
    ModelShard shard = strat_shard(plan);
    ModelOps ops;
    double bytes = 0.0;
    double input = 2.0 * (double)(plan->micro_batch * plan->sequence_length / plan->context) *
                   (double)costing->model->hidden;
    if (shard.sequence_parallel)
        input /= (double)plan->tensor;
    for (int64_t layer = 0, layers; layer < chunk->layers; layer += layers) {
        bool spared = strat_chunk_spares(chunk, layer);
        StratRecompute recompute = spared ? STRAT_RECOMPUTE_NONE : plan->recompute;
        layers = strat_layer_run(chunk, layer);
        strat_layer_ops(costing, chunk, layer, &ops);
        if (recompute == STRAT_RECOMPUTE_PER_OP)
            bytes += strat_repeat_per_op_bytes(plan, costing->model, &ops, input) * (double)layers;
        else if (recompute != STRAT_RECOMPUTE_FULL)
            bytes += saved_bytes(&ops, recompute) * (double)layers;
    }
    if (plan->recompute == STRAT_RECOMPUTE_FULL) {
        int64_t group = strat_recompute_group(&plan->recompute_layers);
        bytes += input * (double)((chunk->layers - chunk->spared + group - 1) / group);
    }
    if (chunk->embedding) {
        model_ops_embedding(costing->model, &shard, &ops);
        bytes += saved_bytes(&ops, STRAT_RECOMPUTE_NONE);
    }
    if (chunk->head) {
        model_ops_head(costing->model, &shard, &ops);
        bytes += saved_bytes(&ops, STRAT_RECOMPUTE_NONE);
    }
    return bytes;
}

static double weight_bytes(const ModelOps *ops)
{
    double bytes = 0.0;
    for (size_t i = 0; i < ops->count; i++)
        if (ops->op[i].kind == MODEL_OP_GEMM)
            bytes += ops->op[i].saved_bytes +
                     2.0 * (double)(ops->op[i].batch * ops->op[i].m) * (double)ops->op[i].n;
    return bytes;
}

double strat_chunk_weight_bytes(const StratCosting *costing, const StratModelChunk *chunk)
{
    ModelShard shard = strat_shard(costing->plan);
    ModelOps ops;
    double bytes = 0.0;
    for (int64_t layer = 0, layers; layer < chunk->layers; layer += layers) {
        layers = strat_layer_run(chunk, layer);
        strat_layer_ops(costing, chunk, layer, &ops);
        bytes += weight_bytes(&ops) * (double)layers;
    }
    if (chunk->head) {
        model_ops_head(costing->model, &shard, &ops);
        bytes += weight_bytes(&ops);
    }
    return bytes;
}

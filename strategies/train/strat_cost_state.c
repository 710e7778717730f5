/* What a stage keeps, and what its optimizer takes.
 *
 * Measured stage times are those of passes: the optimizer comes besides. Where a backward is cut in
 * two, the products' inputs and the gradients of their outputs stay until the second part: 32 of
 * the 34 s b h bytes of a layer without its scores (Qi 2024, section 2.3). */
#include "strat_cost.h"

#include "kern_gemm.h"
#include "kern_pass.h"
#include "strat_expert.h"
#include "strat_layout.h"
#include "strat_repeat.h"

bool strat_costing_reads_fabric(const StratCosting *costing)
{
    return costing->net->shares_links || costing->has_fabric;
}

const StratCosting *strat_costing_of_kind(const StratCosting *costing, TopoKind kind,
                                          StratOwnCosting *room)
{
    if (kind == TOPO_KIND_FIRST)
        return costing;
    room->costing = *costing;
    room->costing.cluster = topo_cluster_of_kind(costing->cluster, kind, &room->cluster);
    room->costing.device = costing->mixed_device;
    return &room->costing;
}

static ModelExpertOrder expert_order(const TopoExpertFit *kernels)
{
    if (!kernels->name)
        return MODEL_ORDER_COPIES;
    return kernels->sorts ? MODEL_ORDER_KERNEL : MODEL_ORDER_TOKENS;
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
        .fused_attention = plan->attention != STRAT_ATTENTION_UNFUSED,
        .fused_kernels = plan->fused_kernels,
        .dropout = plan->dropout,
        .expert = plan->expert,
        .expert_tensor = plan->expert_tensor,
        .expert_order = expert_order(&plan->expert_kernels),
        .fused_experts = plan->expert_software.fused,
        .logit_bytes = strat_footprint_loss(&plan->footprint)->kept_bytes,
    };
}

bool strat_sends_whole(const StratPlan *plan)
{
    return plan->send_whole && !plan->sequence_parallel;
}

double strat_profiled_s(const KernDevice *device, const StratPlan *plan, double stage_s)
{
    double throttle = device->throttle_fraction > 0.0 ? device->throttle_fraction : 1.0;
    double share = (double)plan->pipeline / (double)strat_chunk_count(plan);
    return stage_s * share / throttle;
}

double strat_pass_bytes(const StratCosting *costing, double bytes)
{
    bool wide =
        costing->device.profile->host.threads > 0 && costing->plan->precision == TOPO_DTYPE_FP32;
    return wide ? 2.0 * bytes : bytes;
}

double strat_send_bytes(const StratCosting *costing)
{
    const StratPlan *plan = costing->plan;
    double tokens = (double)(plan->micro_batch * plan->sequence_length / plan->context);
    double whole = 2.0 * tokens * (double)costing->model->hidden;
    return strat_sends_whole(plan) ? whole : whole / (double)plan->tensor;
}

/* Products of the update's own, each matrix taken as one of the model's width. */
static double matrices_s(const StratCosting *costing, double updated)
{
    double products = strat_optimizer_row(costing->plan->optimizer)->products_of_matrix;
    int64_t h = costing->model->hidden;
    KernGemmShape square = {.batch = 1, .m = h, .n = h, .k = h, .dtype = TOPO_DTYPE_BF16};
    if (products <= 0.0)
        return 0.0;
    return updated / ((double)h * (double)h) * products * kern_gemm_s(&costing->device, &square);
}

/* New weights are pruned and packed: read once, and written as nine sixteenths of their bytes for
 * each direction that is sparse. */
static double sparse_s(const StratCosting *costing, double updated)
{
    const StratSparsity *sparsity = &costing->plan->sparsity;
    double packed = 2.0 * 9.0 / 16.0 * (sparsity->backward ? 2.0 : 1.0);
    return sparsity->gain > 0.0 ? kern_pass_s(&costing->device, updated * (2.0 + packed), 2) : 0.0;
}

double strat_cost_optimizer_s(const StratCosting *costing, double parameters, double updated)
{
    const StratPlan *plan = costing->plan;
    bool elsewhere =
        plan->offload.optimizer != STRAT_STORE_DEVICE || strat_data_is_served(&plan->data_parallel);
    if (plan->optimizer == STRAT_OPTIMIZER_NONE || elsewhere)
        return 0.0;
    double weight = MAX(topo_dtype_bytes(plan->precision), 2.0);
    double gradient = topo_dtype_bytes(plan->gradients);
    /* All gradients: set to zero. Those it updates: copied to fp32, unscaled and checked, their
     * norm taken, clipped; then the update proper (strat_optimizer.c); the working weight is copied
     * back. Where that is all there is, it is read and written in its own type and not copied. All
     * weights are quantised, where they are. */
    double update = strat_optimizer_update_bytes(plan->optimizer);
    double passes = (gradient + 4.0) + 8.0 + 4.0 + 8.0 +
                    (plan->no_master ? update - 8.0 + 2.0 * weight : update + (4.0 + weight));
    const TopoGpu *gpu = &costing->cluster->node.gpu;
    const StratRecipe *recipe = strat_recipe_of(plan->quantise.recipe, plan->precision);
    double cast = recipe ? strat_recipe_cast_bytes(recipe, gpu, 0) : 0.0;
    return kern_pass_s(&costing->device, parameters * (gradient + cast) + updated * passes,
                       12 + (recipe ? 1 : 0)) +
           matrices_s(costing, updated) + sparse_s(costing, updated);
}

/* Where inputs are kept gathered, more than a rank's share of the sequence. */
static double op_saved_bytes(const ModelOp *op, const StratPlan *plan)
{
    bool gathered = plan->footprint.gathered_inputs && op->kind == MODEL_OP_COMM;
    return gathered && op->saved_bytes > 0.0 ? op->forward_bytes : op->saved_bytes;
}

static double saved_bytes(const ModelOps *ops, const StratPlan *plan, StratRecompute recompute)
{
    double bytes = 0.0;
    for (size_t i = 0; i < ops->count; i++) {
        bool dropped = recompute == STRAT_RECOMPUTE_SELECTIVE &&
                       ops->op[i].part == MODEL_PART_ATTENTION &&
                       ops->op[i].kind != MODEL_OP_ATTENTION;
        bytes += dropped ? 0.0 : op_saved_bytes(&ops->op[i], plan);
    }
    return bytes;
}

/* What the layers of @chunk keep, wherever that is. */
static double layers_bytes(const StratCosting *costing, const StratModelChunk *chunk)
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
            bytes += saved_bytes(&ops, plan, recompute) * (double)layers;
    }
    if (plan->recompute == STRAT_RECOMPUTE_FULL) {
        int64_t group = strat_recompute_group(&plan->recompute_layers);
        bytes += input * (double)((chunk->layers - chunk->spared + group - 1) / group);
    }
    return bytes;
}

static double offloaded(const StratCosting *costing)
{
    return strat_stores_activations(&costing->plan->offload, costing->model->layers);
}

double strat_chunk_host_bytes(const StratCosting *costing, const StratModelChunk *chunk)
{
    double share = offloaded(costing);
    return share > 0.0 ? share * layers_bytes(costing, chunk) : 0.0;
}

double strat_layer_offload_s(const StratCosting *costing, const StratModelChunk *chunk,
                             int64_t layer, const GArray *spans, guint first)
{
    const StratPlan *plan = costing->plan;
    bool experts = strat_layer_has_experts(chunk, layer), spared = strat_chunk_spares(chunk, layer);
    StratModelChunk one = {.layers = 1,
                           .moe_layers = experts,
                           .spared = spared,
                           .spared_moe = experts && spared,
                           .wide_first = strat_layer_recipe(plan, chunk, layer) == NULL};
    if (offloaded(costing) <= 0.0)
        return 0.0;
    double bytes = strat_chunk_host_bytes(costing, &one) /
                   (double)strat_recompute_group(&plan->recompute_layers);
    double seconds = strat_stores_move_s(costing->cluster, STRAT_STORE_HOST, bytes, true);
    for (guint i = first; i < spans->len; i++)
        seconds -= g_array_index(spans, StratSpan, i).seconds;
    return MAX(seconds, 0.0);
}

double strat_chunk_saved_bytes(const StratCosting *costing, const StratModelChunk *chunk)
{
    const StratPlan *plan = costing->plan;
    ModelShard shard = strat_shard(plan);
    ModelOps ops;
    double bytes = layers_bytes(costing, chunk), share = offloaded(costing);
    if (share > 0.0)
        bytes *= 1.0 - share;
    if (chunk->embedding) {
        model_ops_embedding(costing->model, &shard, &ops);
        bytes += saved_bytes(&ops, plan, STRAT_RECOMPUTE_NONE);
    }
    if (chunk->head) {
        model_ops_head(costing->model, &shard, &ops);
        bytes += saved_bytes(&ops, plan, STRAT_RECOMPUTE_NONE);
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

/* From operations to time, one rank, one microbatch.
 *
 * Forward: the operations in order. Backward: in reverse, where a product Y = X W becomes
 * dX = dY W' and dW = X' dY. Around a column-parallel product the tensor group works too: dX is
 * reduced while dW is computed, and under sequence parallelism X is gathered again while dX is
 * computed (Korthikanti 2022, section 4.2.2); what of that is hidden: strat_tensor_overlap.c.
 *
 * A backward may be priced in two parts: that of the input has all but the weights' gradients,
 * whose gathers and products are the other; then nothing hides the reduction of dX. Recomputation
 * repeats the forward of a layer, or a part of it (strat_repeat.c), before the backward.
 *
 * Context groups: strat_context.c; grids of tensor ranks: strat_tensor.c; tokens to experts and
 * back: strat_expert.c, with overlap.expert under the layer's own compute or the paired chunk's. */
#include "strat_cost.h"

#include "kern_attention.h"
#include "kern_gemm.h"
#include "kern_pass.h"
#include "strat_context.h"
#include "strat_distill.h"
#include "strat_expert.h"
#include "strat_grade.h"
#include "strat_layout.h"
#include "strat_product.h"
#include "strat_repeat.h"
#include "strat_tensor.h"
#include "strat_tensor_overlap.h"
#include "strat_work.h"

#include <math.h>

/* Both passes over the operations share this. */
typedef struct Walk {
    const StratCosting *costing;
    const StratModelChunk *chunk;
    GArray *spans;
    KernDevice device;         /* the rank's */
    const ModelOp *op;         /* at hand */
    const StratRecipe *recipe; /* of the layer at hand; NULL: 16 bits or more */
    bool recomputing, fused;
    bool hides_exchange;
    double exchange_s; /* of the layer at hand, to and from experts, that may hide under it; or of
                          all so far, under the other chunk of a pair */
    unsigned parts;    /* of a backward: StratBackward */
} Walk;

static Walk walk_of(const StratCosting *costing, const StratModelChunk *chunk, GArray *spans)
{
    Walk walk = {.costing = costing, .chunk = chunk, .spans = spans, .device = costing->device};
    walk.fused = costing->plan->expert_software.fused;
    if (chunk->clock_fraction > 0.0 && chunk->clock_fraction < 1.0)
        walk.device = kern_device_throttled(&costing->device, chunk->clock_fraction);
    bool pairs = strat_plan_schedule(costing->plan)->kinds & 1U << STRAT_TASK_PAIRED_FORWARD;
    walk.hides_exchange = costing->plan->overlap_expert && (!pairs || chunk->beside_s > 0.0);
    return walk;
}

/* A span of @seconds; where the host cannot run ahead, its kernel waits for the launch first. */
static void emit(Walk *walk, double seconds, StratBucket bucket, const char *label)
{
    if (seconds <= 0.0)
        return;
    if (walk->costing->plan->kernel_gap_s > 0.0 && bucket != STRAT_BUCKET_HOST &&
        bucket != STRAT_BUCKET_OFFLOAD) {
        StratSpan gap = {.seconds = walk->costing->plan->kernel_gap_s,
                         .bucket = STRAT_BUCKET_HOST,
                         .label = "kernel launch"};
        g_array_append_val(walk->spans, gap);
    }
    bool comm = strat_bucket_is_comm(bucket);
    StratSpan span = {.seconds = seconds,
                      .bucket = walk->recomputing && !comm ? STRAT_BUCKET_RECOMPUTE : bucket,
                      .label = label};
    if (walk->costing->graded) {
        strat_grade(walk->costing, walk->chunk, walk->op, bucket, &span);
        strat_work(walk->costing, walk->op, walk->recipe, walk->parts && !walk->recomputing, &span);
    }
    g_array_append_val(walk->spans, span);
}

static double comm_s(const Walk *walk, ModelComm comm, double bytes)
{
    return strat_tensor_comm_s(walk->costing, walk->chunk, comm, bytes);
}

static double exposed(const Walk *walk, double comm, double product, bool overlapped)
{
    return strat_tensor_exposed_s(walk->costing->plan, comm, product, overlapped);
}

static double attention_s(const Walk *walk, const ModelOp *op, bool backward)
{
    KernAttentionShape shape = strat_attention_shape(walk->costing->plan, op);
    return backward ? kern_attention_backward_s(&walk->device, &shape)
                    : kern_attention_forward_s(&walk->device, &shape);
}

/* What the context group moves, a ring beside the attention after it; or a row of a grid. */
static void group_comm(Walk *walk, const ModelOps *ops, size_t i, bool backward)
{
    const ModelOp *op = &ops->op[i];
    double beside = 0.0;
    if (op->kind == MODEL_OP_ROW) {
        emit(walk, strat_tensor_row_s(walk->costing, walk->chunk, op, backward),
             STRAT_BUCKET_TENSOR_COMM, op->label);
        return;
    }
    if (op->kind == MODEL_OP_RING)
        beside = attention_s(walk, &ops->op[i + 1], backward);
    emit(walk, strat_context_s(walk->costing, walk->chunk, op, backward, beside),
         STRAT_BUCKET_CONTEXT_COMM, op->label);
}

/* Below 16 bits an operand of @elements is cast, perhaps in shards before it is @gathered. */
static void cast(Walk *walk, const ModelOp *op, double elements, bool gathered)
{
    const StratRecipe *recipe = walk->recipe;
    if (!recipe || op->part != MODEL_PART_LINEAR || (op->routed && walk->fused))
        return;
    int64_t shards = gathered ? walk->costing->plan->tensor : 0;
    double bytes = strat_recipe_cast_bytes(recipe, walk->device.gpu, shards) * elements;
    emit(walk, kern_pass_s(&walk->device, bytes, strat_recipe_cast_kernels(recipe)),
         STRAT_BUCKET_ELEMENTWISE, "cast");
}

/* Weights that no optimizer casts are, for each use, along one of their two sides. */
static void cast_weights(Walk *walk, const ModelOp *op)
{
    if (walk->recipe && walk->recipe->casts_weights)
        cast(walk, op, 0.5 * (double)(op->batch * op->n) * (double)op->k, false);
}

/* A product of a grid of tensor ranks: forward, or @parts of its backward. */
static void grid_product(Walk *walk, const ModelOp *op, unsigned parts)
{
    ModelOp block = *op;
    StratGridTimes times =
        strat_tensor_product(walk->costing, walk->chunk, &walk->device, op,
                             strat_op_dtype(walk->costing->plan, walk->recipe, op), parts);
    block.k /= op->steps;
    cast(walk, op, (double)op->m * (double)(parts == 0 ? block.k : op->n), false);
    emit(walk, times.panels_s, STRAT_BUCKET_TENSOR_COMM, "panels");
    emit(walk, times.product_s, strat_bucket_of_part(op->part), op->label);
    if (parts & STRAT_BACKWARD_WEIGHT)
        emit(walk, strat_accumulate_s(&walk->device, &block, walk->costing->model->linear_bias),
             STRAT_BUCKET_ELEMENTWISE, "accumulate gradient");
}

/* A gather feeds the product after it, a reduce drains the one before it. */
static void forward_comm(Walk *walk, const ModelOps *ops, size_t i)
{
    const ModelOp *op = &ops->op[i];
    double comm = comm_s(walk, op->forward_comm, op->forward_bytes);
    const ModelOp *near = NULL;
    if (i + 1 < ops->count && ops->op[i + 1].kind == MODEL_OP_GEMM)
        near = &ops->op[i + 1];
    else if (i > 0 && ops->op[i - 1].kind == MODEL_OP_GEMM)
        near = &ops->op[i - 1];
    if (comm > 0.0 && near && near->batch == 1 && walk->costing->plan->overlap_tensor)
        comm = strat_tensor_chunked_s(walk->costing, walk->chunk, &walk->device, op, false, near,
                                      strat_op_dtype(walk->costing->plan, walk->recipe, near));
    emit(walk, comm, STRAT_BUCKET_TENSOR_COMM, op->label);
}

/* Tokens to their experts or back, later under compute or at once. */
static void exchange(Walk *walk, const ModelOp *op, bool outward)
{
    double comm = strat_expert_exchange_s(walk->costing, walk->chunk, op, outward);
    if (walk->hides_exchange)
        walk->exchange_s += comm;
    else
        emit(walk, comm, STRAT_BUCKET_EXPERT_COMM, op->label);
}

static void forward_op(Walk *walk, const ModelOps *ops, size_t i)
{
    const ModelOp *op = walk->op = &ops->op[i];
    switch (op->kind) {
    case MODEL_OP_GEMM:
    case MODEL_OP_BATCHED_GEMM:
        if (op->steps > 0) {
            grid_product(walk, op, 0);
            break;
        }
        cast(walk, op, (double)(op->batch * op->m) * (double)op->k,
             op[-1].forward_comm == MODEL_COMM_ALL_GATHER);
        cast_weights(walk, op);
        emit(walk,
             strat_linear_s(&walk->device, walk->recipe, op, walk->fused, op->m, op->n, op->k,
                            strat_op_dtype(walk->costing->plan, walk->recipe, op)) /
                 strat_sparse_gain(walk->costing->plan, op, false),
             strat_bucket_of_part(op->part), op->label);
        break;
    case MODEL_OP_ATTENTION:
        emit(walk, attention_s(walk, op, false), STRAT_BUCKET_ATTENTION, op->label);
        break;
    case MODEL_OP_PASS:
        emit(walk,
             kern_pass_labelled_s(&walk->device, op->label, false,
                                  strat_pass_bytes(walk->costing, op->forward_bytes),
                                  op->forward_kernels),
             strat_bucket_of_part(op->part), op->label);
        break;
    case MODEL_OP_COMM:
        forward_comm(walk, ops, i);
        break;
    case MODEL_OP_RING:
    case MODEL_OP_KEYS:
    case MODEL_OP_HEADS:
    case MODEL_OP_ROW:
        group_comm(walk, ops, i, false);
        break;
    case MODEL_OP_DISPATCH:
    case MODEL_OP_COMBINE:
        exchange(walk, op, op->kind == MODEL_OP_DISPATCH);
        break;
    }
}

/* Backward of Y = X W; @gather is the operation that prepared X when the tensor group did. */
static void backward_product(Walk *walk, const ModelOp *op, const ModelOp *gather)
{
    const StratPlan *plan = walk->costing->plan;
    bool overlapped = plan->overlap_tensor || plan->overlap_tensor_backward;
    TopoDtype dtype = strat_op_dtype(walk->costing->plan, walk->recipe, op);
    double input =
        strat_linear_s(&walk->device, walk->recipe, op, walk->fused, op->m, op->k, op->n, dtype) /
        strat_sparse_gain(plan, op, true);
    double weight = op->frozen ? 0.0
                               : strat_linear_s(&walk->device, walk->recipe, op, walk->fused, op->k,
                                                op->n, op->m, dtype);
    double again = 0.0, reduce = 0.0;
    if (gather) {
        again = gather->regather ? comm_s(walk, MODEL_COMM_ALL_GATHER, gather->forward_bytes) : 0.0;
        reduce = comm_s(walk, gather->backward_comm, gather->backward_bytes);
    }
    bool both = walk->parts == STRAT_BACKWARD_WHOLE;
    if (walk->parts & STRAT_BACKWARD_INPUT) {
        cast(walk, op, (double)(op->batch * op->m) * (double)op->n,
             op[1].backward_comm == MODEL_COMM_ALL_GATHER);
        cast_weights(walk, op);
    }
    if (walk->parts & STRAT_BACKWARD_WEIGHT)
        emit(walk, exposed(walk, again, both ? input : weight, overlapped),
             STRAT_BUCKET_TENSOR_COMM, "gather for weights");
    if (walk->parts & STRAT_BACKWARD_INPUT) {
        emit(walk, input, strat_bucket_of_part(op->part), op->label);
        emit(walk, exposed(walk, reduce, weight, overlapped && both), STRAT_BUCKET_TENSOR_COMM,
             "reduce gradient");
    }
    if (walk->parts & STRAT_BACKWARD_WEIGHT && !op->frozen) {
        emit(walk, weight, strat_bucket_of_part(op->part), op->label);
        emit(walk, strat_accumulate_s(&walk->device, op, walk->costing->model->linear_bias),
             STRAT_BUCKET_ELEMENTWISE, "accumulate gradient");
    }
}

static void backward_op(Walk *walk, const ModelOps *ops, size_t i)
{
    const ModelOp *op = walk->op = &ops->op[i];
    const ModelOp *before = i > 0 ? &ops->op[i - 1] : NULL;
    const StratPlan *plan = walk->costing->plan;
    double comm;
    /* Of the rest only the embedding's backward is a gradient of weights. */
    unsigned part = op->part == MODEL_PART_EMBEDDING ? STRAT_BACKWARD_WEIGHT : STRAT_BACKWARD_INPUT;
    if (op->kind != MODEL_OP_GEMM && !(walk->parts & part))
        return;
    switch (op->kind) {
    case MODEL_OP_GEMM:
        if (op->steps > 0)
            grid_product(walk, op, walk->parts);
        else
            backward_product(walk, op, before && before->kind == MODEL_OP_COMM ? before : NULL);
        break;
    case MODEL_OP_BATCHED_GEMM:
        emit(walk,
             strat_linear_s(&walk->device, NULL, op, true, op->m, op->k, op->n,
                            strat_op_dtype(walk->costing->plan, walk->recipe, op)) +
                 strat_linear_s(&walk->device, NULL, op, true, op->k, op->n, op->m,
                                strat_op_dtype(walk->costing->plan, walk->recipe, op)),
             STRAT_BUCKET_ATTENTION, op->label);
        break;
    case MODEL_OP_ATTENTION:
        emit(walk, attention_s(walk, op, true), STRAT_BUCKET_ATTENTION, op->label);
        break;
    case MODEL_OP_PASS:
        emit(walk,
             kern_pass_labelled_s(&walk->device, op->label, true,
                                  strat_pass_bytes(walk->costing, op->backward_bytes),
                                  op->backward_kernels),
             strat_bucket_of_part(op->part), op->label);
        break;
    case MODEL_OP_COMM:
        if (i + 1 < ops->count && ops->op[i + 1].kind == MODEL_OP_GEMM)
            break; /* a gather: priced with its product */
        comm = comm_s(walk, op->backward_comm, op->backward_bytes);
        if (comm > 0.0 && plan->overlap_tensor && before && before->kind == MODEL_OP_GEMM &&
            before->batch == 1)
            comm =
                strat_tensor_chunked_s(walk->costing, walk->chunk, &walk->device, op, true, before,
                                       strat_op_dtype(walk->costing->plan, walk->recipe, before));
        emit(walk, comm, STRAT_BUCKET_TENSOR_COMM, op->label);
        break;
    case MODEL_OP_RING:
    case MODEL_OP_KEYS:
    case MODEL_OP_HEADS:
    case MODEL_OP_ROW:
        group_comm(walk, ops, i, true);
        break;
    case MODEL_OP_DISPATCH:
    case MODEL_OP_COMBINE:
        exchange(walk, op, op->kind == MODEL_OP_COMBINE);
        break;
    }
}

static void end_exchange(Walk *walk, double compute)
{
    emit(walk, exposed(walk, walk->exchange_s, compute, true), STRAT_BUCKET_EXPERT_COMM,
         "exchange with experts");
    walk->exchange_s = 0.0;
}

/* What of the exchanges since @first, and of layer @layer's copy to or from the host, outlasts the
 * layer. */
static void end_layer(Walk *walk, guint first, int64_t layer)
{
    if (walk->chunk->beside_s <= 0.0)
        end_exchange(walk, strat_expert_beside_s(walk->spans, first));
    emit(walk, strat_layer_offload_s(walk->costing, walk->chunk, layer, walk->spans, first),
         STRAT_BUCKET_OFFLOAD, "activations to or from the host");
}

static void wait_for_host(Walk *walk, const ModelOps *ops, guint first)
{
    emit(walk, strat_expert_host_wait_s(walk->costing->plan, ops, walk->spans, first, walk->parts),
         STRAT_BUCKET_HOST, "launches of experts");
}

static void forward_ops(Walk *walk, const ModelOps *ops)
{
    for (size_t i = 0; i < ops->count; i++)
        forward_op(walk, ops, i);
}

static void backward_ops(Walk *walk, const ModelOps *ops)
{
    for (size_t i = ops->count; i-- > 0;)
        backward_op(walk, ops, i);
}

static void recompute_op(Walk *walk, const ModelOps *ops, size_t i)
{
    walk->recomputing = true;
    forward_op(walk, ops, i);
    walk->recomputing = false;
}

/* Repeats what the plan did not keep. */
static void recompute_ops(Walk *walk, const ModelOps *ops)
{
    ModelOps again;
    bool repeated[MODEL_OPS_MAX];
    strat_repeat_ops(walk->costing->plan, walk->costing->model, ops, &again, repeated);
    walk->recomputing = true;
    for (size_t i = 0; i < again.count; i++) {
        if (repeated[i])
            forward_op(walk, &again, i);
    }
    walk->recomputing = false;
}

/* Backward of layer @layer; its attention core is repeated just before its own backward. */
static void backward_layer(Walk *walk, const ModelOps *ops, int64_t layer)
{
    bool repeats = walk->parts & STRAT_BACKWARD_INPUT && !strat_chunk_spares(walk->chunk, layer);
    StratRecompute recompute = repeats ? walk->costing->plan->recompute : STRAT_RECOMPUTE_NONE;
    bool whole = recompute == STRAT_RECOMPUTE_FULL || recompute == STRAT_RECOMPUTE_PER_OP;
    if (whole)
        recompute_ops(walk, ops);
    bool core_done = recompute != STRAT_RECOMPUTE_SELECTIVE;
    for (size_t i = ops->count; i-- > 0;) {
        if (!core_done && ops->op[i].part == MODEL_PART_ATTENTION) {
            recompute_ops(walk, ops);
            core_done = true;
        }
        if (ops->op[i].again && walk->parts & STRAT_BACKWARD_INPUT && !whole)
            recompute_op(walk, ops, i);
        backward_op(walk, ops, i);
    }
}

/* What arrives in shards, one over each rank's own NIC, is gathered over the scale-up network
 * (Narayanan 2021 SC, section 4.1); sharded sequences stay as they are. */
static void receive(Walk *walk)
{
    ModelShard shard = strat_shard(walk->costing->plan);
    double tokens = (double)(shard.micro_batch * shard.sequence / shard.context);
    if (!shard.sequence_parallel && !strat_sends_whole(walk->costing->plan))
        emit(walk,
             comm_s(walk, MODEL_COMM_ALL_GATHER,
                    2.0 * tokens * (double)walk->costing->model->hidden),
             STRAT_BUCKET_PIPELINE_COMM, "gather received");
}

/* A stage that exchanges with its neighbours before it goes on synchronises device and host, and
 * waits for the host to launch again. */
static void stall(Walk *walk)
{
    const StratPlan *plan = walk->costing->plan;
    if (plan->pipeline > 1 && !plan->overlap_pipeline)
        emit(walk, plan->host_stall_s, STRAT_BUCKET_HOST, "host synchronisation");
}

void strat_cost_forward(const StratCosting *costing, const StratModelChunk *chunk, GArray *spans)
{
    ModelShard shard = strat_shard(costing->plan);
    Walk walk = walk_of(costing, chunk, spans);
    ModelOps ops;
    if (chunk->starts_forward)
        stall(&walk);
    if (costing->plan->profiled.forward_s > 0.0) { /* measured times replace all of this */
        emit(&walk,
             strat_profiled_s(&walk.device, costing->plan, costing->plan->profiled.forward_s),
             STRAT_BUCKET_GEMM, "forward");
        return;
    }
    if (chunk->receives_forward)
        receive(&walk);
    if (chunk->embedding) {
        model_ops_embedding(costing->model, &shard, &ops);
        forward_ops(&walk, &ops);
    }
    for (int64_t layer = 0; layer < chunk->layers; layer++) {
        guint first = spans->len;
        walk.recipe = strat_layer_recipe(costing->plan, chunk, layer);
        strat_layer_ops(costing, chunk, layer, &ops);
        forward_ops(&walk, &ops);
        end_layer(&walk, first, layer);
        wait_for_host(&walk, &ops, first);
    }
    walk.recipe = NULL;
    if (chunk->head) {
        model_ops_head(costing->model, &shard, &ops);
        forward_ops(&walk, &ops);
    }
    end_exchange(&walk, chunk->beside_s);
    if (strat_distill_is_on(costing->plan))
        strat_distill_forward(costing, chunk, spans);
}

/* What comes before the backward of @chunk: its input, or measured times instead of all of it. */
static bool begin_backward(Walk *walk)
{
    const StratPlan *plan = walk->costing->plan;
    bool input = walk->parts & STRAT_BACKWARD_INPUT;
    if (input && walk->chunk->starts_backward)
        stall(walk);
    if (plan->profiled.forward_s > 0.0) {
        double seconds = input ? plan->profiled.backward_input_s : 0.0;
        if (walk->parts & STRAT_BACKWARD_WEIGHT)
            seconds += plan->profiled.backward_weight_s;
        emit(walk, strat_profiled_s(&walk->device, plan, seconds), STRAT_BUCKET_GEMM, "backward");
        return false;
    }
    if (input && walk->chunk->receives_backward)
        receive(walk);
    return true;
}

void strat_cost_backward(const StratCosting *costing, const StratModelChunk *chunk,
                         StratBackward parts, GArray *spans)
{
    ModelShard shard = strat_shard(costing->plan);
    Walk walk = walk_of(costing, chunk, spans);
    ModelOps ops;
    walk.parts = parts;
    if (!begin_backward(&walk))
        return;
    if (chunk->head) {
        model_ops_head(costing->model, &shard, &ops);
        backward_ops(&walk, &ops);
    }
    for (int64_t layer = chunk->layers; layer-- > 0;) {
        guint first = spans->len;
        walk.recipe = strat_layer_recipe(costing->plan, chunk, layer);
        strat_layer_ops(costing, chunk, layer, &ops);
        backward_layer(&walk, &ops, layer);
        end_layer(&walk, first, layer);
        wait_for_host(&walk, &ops, first);
    }
    walk.recipe = NULL;
    if (chunk->embedding) {
        model_ops_embedding(costing->model, &shard, &ops);
        backward_ops(&walk, &ops);
    }
    end_exchange(&walk, chunk->beside_s);
}

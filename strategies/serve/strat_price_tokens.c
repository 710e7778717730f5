/* What depends on the number of tokens of an iteration alone, computed once for each number, and
 * the head, which has the rows that sample.
 *
 * Experts of a tensor group see all tokens and compute their own choices. Where ranks hold
 * different tokens (attention DP) a dispatch brings each rank the rows of its experts and no
 * others: the fullest rank is priced, with as many rows as assignments.
 *
 * Passes over memory, a layer, elements of 2 bytes: two norms that read and write the residual and
 * write their output; rotary positions in place; the activation; norms of heads where there are
 * any. Unfused engines (2022) add the residual, the biases and the scaling in passes of their own:
 * about twice the kernels (Aminabadi 2022, DeepSpeed-Inference, section III.A). */
#include "strat_price_private.h"

#include "kern_moe.h"
#include "kern_pass.h"

#include <math.h>

/* Kernels of one layer of experts beside the grouped products: gate, top-k, sort, two products,
 * activation, sum (vLLM's fused_moe). */
enum { MOE_KERNELS = 7, ATTENTION_KERNELS = 2, HEAD_KERNELS = 6 };

/* Static batches may have millions of rows, few of them alike: those are not kept. */
enum { KEPT_ROWS = 65536 };

static double products_s(const StratPrice *price, const StratMatrices *list, int64_t rows,
                         StratMode mode)
{
    StratWeights weights = price->spec.deployment->weights;
    double sum = 0.0;
    for (size_t i = 0; i < list->count; i++)
        sum += strat_price_product_s(price, &list->at[i], weights, rows, mode);
    return sum;
}

static KernMoeType moe_type(StratWeights weights)
{
    static const KernMoeType types[STRAT_WEIGHTS_COUNT] = {
        [STRAT_WEIGHTS_BF16] = KERN_MOE_BF16,
        [STRAT_WEIGHTS_FP32] = KERN_MOE_BF16,
        [STRAT_WEIGHTS_FP8] = KERN_MOE_FP8,
        [STRAT_WEIGHTS_INT8] = KERN_MOE_FP8,
        [STRAT_WEIGHTS_FP8_BLOCK] = KERN_MOE_FP8_BLOCK,
        [STRAT_WEIGHTS_INT4] = KERN_MOE_INT4,
        [STRAT_WEIGHTS_MXFP4] = KERN_MOE_MXFP4,
        [STRAT_WEIGHTS_NVFP4] = KERN_MOE_NVFP4,
    };
    return types[weights];
}

/* Each chosen expert as two products of one row, side by side. */
static double gathered_s(const StratPrice *price, int64_t rows, StratMode mode)
{
    const ModelSpec *model = price->spec.model;
    int64_t inner = model->expert_ffn / strat_expert_cut(&price->pool);
    int64_t chosen = rows * model->experts_per_token;
    /* side by side: as one product of so many times the columns */
    StratMatrix up = {.n = chosen * (model->gated_mlp ? 2 : 1) * inner, .k = model->hidden};
    StratMatrix down = {.n = chosen * model->hidden, .k = inner};
    StratWeights weights = price->spec.deployment->weights;
    return strat_price_product_s(price, &up, weights, 1, mode) +
           strat_price_product_s(price, &down, weights, 1, mode);
}

/* What dispatch leaves on the fullest rank of @shape: its share of the assignments, each a row of
 * its own, and its own experts, whose products run side by side; an activation between them. */
static double dispatched_s(const StratPrice *price, const KernMoeShape *shape, StratMode mode)
{
    const KernMoeFit plain = {0};
    const KernDevice *device = strat_price_device(price, mode);
    const KernMoeFit *fit = kern_moe_fit(device->profile, shape);
    KernMoeLoad load = kern_moe_load(fit ? fit : &plain, shape);
    int64_t experts = MAX(1, (int64_t)ceil(load.touched));
    int64_t rows = MAX(1, (int64_t)ceil(load.assignments / (double)experts));
    int64_t inner = shape->inter / shape->tensor, outputs = (shape->ungated ? 1 : 2) * inner;
    StratMatrix up = {.n = outputs, .k = shape->hidden}, down = {.n = shape->hidden, .k = inner};
    StratWeights weights = price->spec.deployment->weights;
    double moved = 2.0 * (double)(experts * rows) * (double)(outputs + inner);
    return strat_price_products_s(price, &up, weights, rows, experts, mode) +
           strat_price_products_s(price, &down, weights, rows, experts, mode) +
           kern_pass_s(device, moved, 1);
}

static double experts_s(const StratPrice *price, int64_t rows, StratMode mode)
{
    const ModelSpec *model = price->spec.model;
    if (price->spec.deployment->engine->gathers_experts && price->pool.expert == 1 &&
        rows * model->experts_per_token <= model->experts)
        return gathered_s(price, rows, mode);
    const StratDeployment *deployment = price->spec.deployment;
    bool shared_out = price->pool.expert > 1;
    KernMoeShape shape = {
        .tokens = shared_out ? rows * price->pool.data : rows,
        .hidden = model->hidden,
        .inter = model->expert_ffn,
        .topk = model->experts_per_token,
        .experts = model->experts + (shared_out ? deployment->redundant_experts : 0),
        .tensor = strat_expert_cut(&price->pool),
        .expert = price->pool.expert,
        .power = deployment->expert_power,
        .type = moe_type(deployment->weights),
        .ungated = !model->gated_mlp,
        .family = price->spec.expert_family,
    };
    if (shared_out && price->pool.data > 1)
        return dispatched_s(price, &shape, mode);
    return kern_moe_s(strat_price_device(price, mode), &shape);
}

/* By the engine's profile: an expert is touched with the chance 1 - (1 - k / E)^tokens. */
static double profiled_experts_s(const StratPrice *price, int64_t rows)
{
    const ModelSpec *model = price->spec.model;
    double tokens = (double)(price->pool.expert > 1 ? rows * price->pool.data : rows);
    double missed = 1.0 - (double)model->experts_per_token / (double)model->experts;
    double held = (double)model->experts / (double)price->pool.expert;
    double touched = held * (1.0 - pow(missed, tokens));
    return strat_profile_experts_s(price->spec.profile, touched, tokens);
}

/* Bytes of a layer's passes for one token, and how many kernels they are. */
static double pass_bytes(const StratPrice *price, bool experts, int *kernels)
{
    const ModelSpec *model = price->spec.model;
    double tensor = (double)price->pool.tensor, hidden = (double)model->hidden;
    double heads = (double)model->heads / tensor * (double)model->head_dim;
    double kv = (double)(strat_kv_heads(model, price->pool.tensor) * model->head_dim);
    if (model->kv_lora_rank > 0) {
        heads = (double)model->heads / tensor * (double)model->rope_head_dim;
        kv = (double)(model->kv_lora_rank + model->rope_head_dim);
    }
    double inner = (double)model->ffn / tensor;
    if (experts)
        inner = (double)(model->shared_experts * model->expert_ffn) / tensor;
    bool fused = price->spec.deployment->engine->fused_kernels;
    double elements = 2.0 * 4.0 * hidden + (model->gated_mlp ? 3.0 : 2.0) * inner;
    *kernels = 2 + (inner > 0.0 ? 1 : 0);
    if (model->position == MODEL_POSITION_ROTARY || model->kv_lora_rank > 0) {
        elements += 2.0 * (heads + kv);
        *kernels += 1;
    }
    if (model->qk_norm || model->kv_lora_rank > 0) {
        elements += 2.0 * (heads + kv);
        *kernels += fused ? 1 : 2;
    }
    if (!fused) {
        elements += 2.0 * 3.0 * hidden + 2.0 * (heads + 2.0 * kv + hidden + inner);
        *kernels *= 2;
    }
    return 2.0 * elements;
}

/* Collectives, and kernels to launch. */
static void add_around(const StratPrice *price, bool experts, double layers, int64_t rows,
                       StratMode mode, StratTokenCost *cost)
{
    const StratMatrices *list = experts ? &price->sparse : &price->dense;
    int kernels;
    pass_bytes(price, experts, &kernels);
    double reduces = price->pool.tensor > 1 ? 2.0 : 0.0;
    cost->tensor_s += layers * reduces * strat_price_reduce_s(price, rows, mode.captured);
    cost->kernels += layers * ((double)list->count + kernels + reduces + ATTENTION_KERNELS);
    if (!experts)
        return;
    double dispatch, combine;
    strat_price_experts_s(price, rows, !mode.prompts, &dispatch, &combine);
    cost->dispatch_s += layers * dispatch;
    cost->combine_s += layers * combine;
    cost->kernels += layers * MOE_KERNELS;
}

static void add_layers(const StratPrice *price, bool experts, int64_t rows, StratMode mode,
                       StratTokenCost *cost)
{
    double layers = (double)(experts ? price->expert_layers : price->dense_layers);
    if (layers <= 0.0)
        return;
    add_around(price, experts, layers, rows, mode, cost);
    if (price->spec.profile) {
        cost->experts_s += experts ? layers * profiled_experts_s(price, rows) : 0.0;
        return;
    }
    int kernels;
    double bytes = pass_bytes(price, experts, &kernels) * (double)rows;
    const StratMatrices *list = experts ? &price->sparse : &price->dense;
    cost->linear_s += layers * products_s(price, list, rows, mode);
    cost->passes_s += layers * kern_pass_s(strat_price_device(price, mode), bytes, kernels);
    cost->passes_s += layers * strat_price_unpack_s(price, list, mode);
    if (experts)
        cost->experts_s += layers * experts_s(price, rows, mode);
}

static StratTokenCost compute_tokens(const StratPrice *price, int64_t rows, StratMode mode)
{
    StratTokenCost cost = {.known = true};
    if (price->spec.profile)
        strat_profile_tokens(price->spec.profile, price->spec.model, (double)rows, &cost.linear_s,
                             &cost.passes_s);
    add_layers(price, false, rows, mode, &cost);
    add_layers(price, true, rows, mode, &cost);
    const ModelSpec *model = price->spec.model;
    if (model->vocab > 0) {
        double bytes = 2.0 * 2.0 * (double)rows * (double)model->hidden;
        if (!price->spec.profile)
            cost.passes_s += kern_pass_s(strat_price_device(price, mode), bytes, 1);
        cost.tensor_s += strat_price_reduce_s(price, rows, mode.captured);
        cost.kernels += 1.0 + HEAD_KERNELS;
    }
    double sends = (double)(price->pool.pipeline - 1);
    cost.send_s = sends > 0.0 ? sends * strat_price_send_s(price, rows) : 0.0;
    return cost;
}

/* By the number of rows; computed at the first question. */
StratTokenCost strat_price_tokens(const StratPrice *price, int64_t rows, StratMode mode)
{
    if (rows > KEPT_ROWS)
        return compute_tokens(price, rows, mode);
    GArray *table = price->tokens[mode.captured + 2 * mode.prompts];
    if ((guint)rows >= table->len)
        g_array_set_size(table, (guint)rows + 1);
    StratTokenCost *cost = &g_array_index(table, StratTokenCost, rows);
    if (!cost->known)
        *cost = compute_tokens(price, rows, mode);
    return *cost;
}

/* The last norm, the logits and a sampler that reads them in fp32 (vLLM: cast, scale, argmax or
 * draw). */
static double head_s(const StratPrice *price, int64_t rows, StratMode mode)
{
    const ModelSpec *model = price->spec.model;
    const KernDevice *device = strat_price_device(price, mode);
    if (price->spec.profile)
        return strat_profile_head_s(price->spec.profile, (double)rows) +
               strat_price_gather_s(price, rows);
    StratMatrix matrix = {
        .n = strat_price_share(model->vocab, price->pool.tensor), .k = model->hidden, .wide = true};
    double vocab = (double)rows * (double)model->vocab;
    double norm = kern_pass_s(device, 2.0 * 3.0 * (double)rows * (double)model->hidden, 1);
    double sample = kern_pass_s(device, (2.0 + 4.0 + 4.0) * vocab, 2);
    bool full = price->spec.deployment->weights == STRAT_WEIGHTS_FP32;
    StratWeights weights = full ? STRAT_WEIGHTS_FP32 : STRAT_WEIGHTS_BF16;
    return norm + strat_price_product_s(price, &matrix, weights, rows, mode) +
           strat_price_gather_s(price, rows) + sample;
}

double strat_price_head_s(const StratPrice *price, int64_t outputs, StratMode mode)
{
    if (outputs == 0 || price->spec.model->vocab == 0)
        return 0.0;
    int64_t rows = strat_price_share(outputs, price->pool.data);
    GArray *table = price->head[mode.captured + 2 * mode.prompts];
    if ((guint)rows >= table->len)
        g_array_set_size(table, (guint)rows + 1);
    double *seconds = &g_array_index(table, double, rows); /* 0: not asked yet */
    if (*seconds <= 0.0)
        *seconds = head_s(price, rows, mode);
    return *seconds;
}

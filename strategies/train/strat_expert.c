/* Experts of a training plan.
 *
 * A stage's T C D ranks hold X E ranks' worth of experts (X = expert_tensor, E = expert) several
 * times over: the ranks of an expert group have different tokens and different experts.
 *
 * Load of the busiest rank over the mean, l:
 *   given        expert_imbalance, what a histogram of the ranks' rows has as maximum over mean
 *   histogram    the rows of each expert, written out; ranks hold neighbours, as Megatron's do
 *   zipf         expert j (from 1) is wanted as j^-z, at most by every token once: p_j = min(1 / k,
 *                j^-z / sum); experts are dealt out to ranks in turn, most wanted first, so
 *                l = E (p_1 + p_(1+E) + ...) / (sum of all p)
 *   capacity     l <= capacity factor; what is above is dropped (Lepikhin 2020, GShard)
 * All ranks of the group wait for that one.
 *
 * Dispatch and combine, once each forward and once each backward (the gradient of a dispatch is a
 * combine, and the other way round):
 *   library      an all-to-all of one copy an expert, k T l rows (Megatron-Core's dispatcher)
 *   kernels      of DeepEP, which send a token once to each domain that it visits, at most
 *                expert_nodes of them (topo_protocol_expert.c; DeepSeek-V3, arXiv
 * 2412.19437, 2.1.2) Rows are 16 bits; what such kernels dispatch in an fp8 plan is fp8 with a
 * scale of 4 bytes for 128 elements, both ways outward (ibid., section 3.3.3). A group that the
 * kernels cannot serve (it fills its domains unevenly) takes the library.
 *
 * On networks that share links the bytes are laid beside the block as an all-to-all
 * (strat_compile_beside.c): of such kernels the one that takes as much out of each domain. */
#include "strat_expert.h"

#include "strat_layout.h"
#include "strat_stages.h"
#include "topo_price.h"

#include <math.h>

#define I64 "%" G_GINT64_FORMAT

static double zipf_load(const ModelSpec *model, int64_t ranks, double exponent)
{
    double sum = 0.0, all = 0.0, busiest = 0.0;
    for (int64_t j = 1; j <= model->experts; j++)
        sum += pow((double)j, -exponent);
    for (int64_t j = 1; j <= model->experts; j++) {
        double share =
            fmin(1.0 / (double)model->experts_per_token, pow((double)j, -exponent) / sum);
        all += share;
        busiest += (j - 1) % ranks == 0 ? share : 0.0;
    }
    return (double)ranks * busiest / all;
}

static double histogram_load(const ModelSpec *model, int64_t ranks, const char *rows)
{
    int64_t most = 0, before = 0, until = 0;
    for (int64_t r = 1; r <= ranks; r++) {
        strat_stages_at(rows, model->experts * r / ranks, &until);
        most = MAX(most, until - before);
        before = until;
    }
    return (double)ranks * (double)most / (double)until;
}

bool strat_expert_reads_histogram(const ModelSpec *model, const char *rows)
{
    int64_t experts = 0, sum = 0;
    return strat_stages_read(rows, &experts, &sum, NULL) && experts == model->experts && sum > 0;
}

double strat_expert_load(const ModelSpec *model, const StratPlan *plan)
{
    double load = 1.0;
    if (plan->expert <= 1)
        return load;
    if (plan->expert_imbalance > 0.0)
        load = plan->expert_imbalance;
    else if (plan->expert_histogram)
        load = histogram_load(model, plan->expert, plan->expert_histogram);
    else if (plan->expert_zipf > 0.0)
        load = zipf_load(model, plan->expert, plan->expert_zipf);
    return plan->expert_capacity > 0.0 ? fmin(load, plan->expert_capacity) : load;
}

bool strat_layer_has_experts(const StratModelChunk *chunk, int64_t layer)
{
    return layer >= chunk->layers - chunk->moe_layers;
}

static bool is_wide(const StratModelChunk *chunk, int64_t layer)
{
    return layer < chunk->wide_first || layer >= chunk->layers - chunk->wide_last;
}

const StratRecipe *strat_layer_recipe(const StratPlan *plan, const StratModelChunk *chunk,
                                      int64_t layer)
{
    return is_wide(chunk, layer) ? NULL : strat_recipe_of(plan->quantise.recipe, plan->precision);
}

int64_t strat_layer_run(const StratModelChunk *chunk, int64_t layer)
{
    int64_t end = layer + 1;
    while (end < chunk->layers && is_wide(chunk, end) == is_wide(chunk, layer) &&
           strat_chunk_spares(chunk, end) == strat_chunk_spares(chunk, layer) &&
           strat_layer_has_experts(chunk, end) == strat_layer_has_experts(chunk, layer))
        end++;
    return end - layer;
}

void strat_layer_ops(const StratCosting *costing, const StratModelChunk *chunk, int64_t layer,
                     ModelOps *ops)
{
    bool experts = strat_layer_has_experts(chunk, layer);
    const StratRecipe *recipe = strat_layer_recipe(costing->plan, chunk, layer);
    ModelShard shard = strat_shard(costing->plan);
    if (experts)
        shard.expert_load = strat_expert_load(costing->model, costing->plan);
    model_ops_layer(costing->model, &shard, experts, ops);
    model_ops_adapt(costing->model, &shard, &costing->plan->adapters, ops);
    if (recipe)
        strat_recipe_apply(recipe, ops);
    strat_recompute_parts_apply(&costing->plan->recompute_parts, recipe, ops);
}

/* By the plan's kernels; false where they cannot. */
static bool kernels_s(const StratCosting *costing, const TopoTransfer *transfer, double *seconds)
{
    const TopoExpertFit *fit = &costing->plan->expert_kernels;
    const TopoNode *node = &costing->cluster->node;
    if (!fit->name)
        return false;
    TopoCollectiveCall call = topo_price_call(costing->cluster, transfer);
    double share = (double)transfer->ranks_per_domain / (double)node->gpus;
    double weakest = transfer->nic_fraction > 0.0 ? transfer->nic_fraction : 1.0;
    TopoCollectiveRates rates = {.inside_bytes_per_s = node->scale_up_bytes_per_s,
                                 .domain_bytes_per_s =
                                     share * weakest * (double)node->nics * node->nic_bytes_per_s};
    return topo_protocol_expert_s(fit, &call, &rates, seconds, NULL);
}

/* The exchange of @op, rows of the busiest rank; @routing is filled in for kernels. */
static TopoTransfer exchange_of(const StratCosting *costing, const StratModelChunk *chunk,
                                const ModelOp *op, bool outward, TopoRouting *routing)
{
    const StratPlan *plan = costing->plan;
    const ModelSpec *model = costing->model;
    double load = strat_expert_load(model, plan), row_bytes = 2.0 * (double)model->hidden;
    *routing = (TopoRouting){
        .tokens = load * op->forward_bytes / row_bytes / (double)model->experts_per_token,
        .token_bytes = row_bytes,
        .experts = (uint32_t)model->experts,
        .topk = (uint32_t)model->experts_per_token,
        .domain_limit = (uint32_t)plan->expert_nodes,
    };
    if (outward && plan->precision == TOPO_DTYPE_FP8)
        routing->token_bytes = (double)model->hidden * (1.0 + 4.0 / 128.0);
    return (TopoTransfer){.op = outward ? TOPO_OP_DISPATCH : TOPO_OP_COMBINE,
                          .ranks = plan->expert,
                          .ranks_per_domain = chunk->expert_per_domain,
                          .bytes = routing->tokens * routing->token_bytes,
                          .nic_fraction = chunk->expert_nic_fraction,
                          .routing = routing};
}

double strat_expert_exchange_s(const StratCosting *costing, const StratModelChunk *chunk,
                               const ModelOp *op, bool outward)
{
    TopoRouting routing;
    double seconds;
    if (costing->plan->expert <= 1)
        return 0.0;
    TopoTransfer transfer = exchange_of(costing, chunk, op, outward, &routing);
    if (kernels_s(costing, &transfer, &seconds))
        return seconds;
    transfer.op = TOPO_OP_ALL_TO_ALL;
    transfer.bytes = strat_expert_load(costing->model, costing->plan) * op->forward_bytes;
    transfer.routing = NULL;
    return costing->net->seconds(costing->cluster, &transfer);
}

double strat_expert_exchange_bytes(const StratCosting *costing, const StratModelChunk *chunk,
                                   const ModelOp *op, bool outward)
{
    const StratPlan *plan = costing->plan;
    TopoRouting routing;
    TopoCollectiveCost cost;
    double ranks = (double)plan->expert, near = (double)chunk->expert_per_domain;
    if (plan->expert <= 1 || near >= ranks)
        return 0.0;
    TopoTransfer transfer = exchange_of(costing, chunk, op, outward, &routing);
    TopoCollectiveCall call = topo_price_call(costing->cluster, &transfer);
    const char *name = plan->expert_kernels.name ? plan->expert_kernels.algorithm : NULL;
    const TopoAlgorithm *algorithm = name ? topo_collective_by_name(name, NULL) : NULL;
    if (!algorithm || !topo_collective_cost(algorithm, &call, &cost, NULL))
        return strat_expert_load(costing->model, plan) * op->forward_bytes;
    return cost.domain_out_bytes * ranks / (near * (ranks - near));
}

double strat_expert_beside_s(const GArray *spans, guint first)
{
    double seconds = 0.0;
    for (guint i = first; i < spans->len; i++) {
        const StratSpan *span = &g_array_index(spans, StratSpan, i);
        bool waits = strat_bucket_is_comm(span->bucket) || span->bucket == STRAT_BUCKET_HOST;
        seconds += waits ? 0.0 : span->seconds;
    }
    return seconds;
}

double strat_expert_host_wait_s(const StratPlan *plan, const ModelOps *ops, const GArray *spans,
                                guint first, unsigned parts)
{
    double local = 0.0, seconds = 0.0;
    for (size_t i = 0; i < ops->count; i++)
        local = ops->op[i].routed ? (double)ops->op[i].batch : local;
    if (local <= 0.0)
        return 0.0;
    for (guint i = first; i < spans->len; i++)
        seconds += g_array_index(spans, StratSpan, i).seconds;
    double host = strat_expert_host_s(&plan->expert_software, local, plan->overlap_expert, parts);
    bool half = parts == STRAT_BACKWARD_INPUT || parts == STRAT_BACKWARD_WEIGHT;
    return fmax(0.0, (half ? host / 2.0 : host) - seconds);
}

static bool refuse(char **reason, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(char **reason, const char *format, ...)
{
    if (!reason)
        return false;
    va_list arguments;
    va_start(arguments, format);
    *reason = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return false;
}

bool strat_expert_fits(const ModelSpec *model, const StratPlan *plan, char **reason)
{
    int64_t ranks = MAX(plan->expert, 1), cut = MAX(plan->expert_tensor, 1);
    int64_t stage = plan->tensor * plan->context * plan->data;
    if (model->experts == 0)
        return plan->expert == 0 ||
               refuse(reason, "expert " I64 ": the model has no experts", plan->expert);
    if (model->experts % ranks != 0)
        return refuse(reason,
                      I64 " experts do not split over expert " I64 ": each rank holds whole ones",
                      model->experts, ranks);
    if (cut != 1 && cut != plan->tensor)
        return refuse(reason,
                      "expert_tensor " I64 " is neither 1 nor tensor " I64
                      ": an expert is cut by the tensor group or not at all",
                      cut, plan->tensor);
    if (model->expert_ffn % cut != 0)
        return refuse(reason, "expert_tensor " I64 " does not divide expert_ffn " I64, cut,
                      model->expert_ffn);
    if (stage % (ranks * cut) != 0)
        return refuse(reason,
                      "expert " I64 " x expert_tensor " I64 " does not divide tensor " I64
                      " x context " I64 " x data " I64 " = " I64
                      ": the ranks of a stage hold all experts a whole number of times",
                      ranks, cut, plan->tensor, plan->context, plan->data, stage);
    if (plan->tensor > 1 && !plan->sequence_parallel)
        return refuse(reason,
                      "experts with tensor " I64 " need sequence_parallel: else the tensor group "
                      "would send each token " I64 " times",
                      plan->tensor, plan->tensor);
    return true;
}

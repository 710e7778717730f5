/* Communication of an iteration.
 *
 *   tensor    after the attention's and the MLP's last product the residual rows are summed: two
 *             all-reduces of tokens * hidden * 2 bytes a layer, one after the embedding, and the
 *             logits are gathered (Shoeybi 2019). By the engine's own kernels where the GPU has
 *             their figures (topo_protocol_engine.c), else by the collective library.
 *   experts   tokens go to the ranks of their experts and back: DeepEP's kernels where a fit is
 *             given (topo_protocol_expert.c), else the library's all-to-all. Dispatch carries fp8
 *             with a scale of 4 bytes for 128 elements where the weights are fp8 (DeepEP), nvfp4
 *             where they are that (SGLang on GB200, part II, 2025: dispatch after quantisation),
 *             else 16 bits; combine 16 bits. Only where ranks hold different tokens (attention
 *             DP): a tensor group has them all on each rank, and its all-reduce sums the experts'
 *             outputs as well. The port of the fullest expert rank carries its imbalance more
 *   pipeline  each rank of a tensor group hands its share of the rows on
 *
 * Left out: contention of groups with each other, all-reduces fused with norms. */
#include "strat_price_private.h"

#include "topo_price.h"

#include <math.h>

static int64_t in_domain(const StratPrice *price, int64_t ranks)
{
    return MIN(ranks, price->spec.cluster->node.scale_up_gpus);
}

static double library_s(const StratPrice *price, const TopoTransfer *transfer)
{
    return topo_net_alpha_beta_s(price->spec.cluster, transfer);
}

double strat_price_reduce_s(const StratPrice *price, int64_t tokens, bool captured)
{
    int64_t ranks = price->pool.tensor;
    if (ranks <= 1)
        return 0.0;
    const TopoCluster *cluster = price->spec.cluster;
    TopoTransfer transfer = {.op = TOPO_OP_ALL_REDUCE,
                             .ranks = ranks,
                             .ranks_per_domain = in_domain(price, ranks),
                             .bytes = 2.0 * (double)tokens * (double)price->spec.model->hidden};
    if (price->spec.reduce && ranks == transfer.ranks_per_domain) {
        TopoCollectiveCall call = topo_price_call(cluster, &transfer);
        TopoProtocolWires wires = {.inside = &cluster->node.scale_up_protocols,
                                   .inside_bytes_per_s = cluster->node.scale_up_bytes_per_s};
        TopoEngineChoice choice;
        if (topo_protocol_engine(price->spec.reduce, &call, &wires, captured, &choice, NULL))
            return choice.seconds;
    }
    return library_s(price, &transfer);
}

double strat_price_gather_s(const StratPrice *price, int64_t rows)
{
    int64_t ranks = price->pool.tensor;
    if (ranks <= 1)
        return 0.0;
    TopoTransfer transfer = {.op = TOPO_OP_ALL_GATHER,
                             .ranks = ranks,
                             .ranks_per_domain = in_domain(price, ranks),
                             .bytes = 2.0 * (double)rows * (double)price->spec.model->vocab};
    return library_s(price, &transfer);
}

static double route_s(const StratPrice *price, const TopoExpertFit *fit, TopoCollectiveOp op,
                      const TopoRouting *routing)
{
    const TopoCluster *cluster = price->spec.cluster;
    TopoTransfer transfer = {.op = op,
                             .ranks = price->pool.expert,
                             .ranks_per_domain = in_domain(price, price->pool.expert),
                             .bytes = routing->tokens * routing->token_bytes,
                             .routing = routing};
    double seconds;
    if (fit) {
        TopoCollectiveCall call = topo_price_call(cluster, &transfer);
        double share = (double)transfer.ranks_per_domain / (double)cluster->node.gpus;
        TopoCollectiveRates rates = {.inside_bytes_per_s = cluster->node.scale_up_bytes_per_s,
                                     .domain_bytes_per_s = share * (double)cluster->node.nics *
                                                           cluster->node.nic_bytes_per_s};
        if (topo_protocol_expert_s(fit, &call, &rates, &seconds, NULL))
            return seconds;
    }
    transfer.op = TOPO_OP_ALL_TO_ALL; /* the library knows nothing of experts: a copy for each */
    transfer.bytes *= (double)MIN((int64_t)routing->topk, price->pool.expert);
    transfer.routing = NULL;
    return library_s(price, &transfer);
}

/* Of an activation on its way to the experts, with its share of a scale. */
static double dispatched_bytes(StratWeights weights)
{
    switch (weights) {
    case STRAT_WEIGHTS_FP8:
    case STRAT_WEIGHTS_FP8_BLOCK:
        return 1.0 + 4.0 / 128.0;
    case STRAT_WEIGHTS_NVFP4:
    case STRAT_WEIGHTS_NVFP4_EXPERTS:
        return 0.5 + 1.0 / 16.0;
    default:
        return 2.0;
    }
}

void strat_price_experts_s(const StratPrice *price, int64_t tokens, bool decodes,
                           double *dispatch_s, double *combine_s)
{
    const ModelSpec *model = price->spec.model;
    *dispatch_s = *combine_s = 0.0;
    if (price->pool.expert <= 1 || price->pool.data <= 1)
        return;
    double hidden = (double)model->hidden;
    int64_t experts = model->experts + price->spec.deployment->redundant_experts;
    TopoRouting routing = {
        .tokens = strat_price_imbalance(price) * (double)tokens / (double)price->pool.tensor,
        .token_bytes = hidden * dispatched_bytes(price->spec.deployment->weights),
        .experts = (uint32_t)(experts / price->pool.expert * price->pool.expert),
        .topk = (uint32_t)model->experts_per_token,
    };
    const TopoExpertFit *fit = decodes ? price->spec.expert_decodes : price->spec.expert_prompts;
    *dispatch_s = route_s(price, fit, TOPO_OP_DISPATCH, &routing);
    routing.token_bytes = 2.0 * hidden;
    *combine_s = route_s(price, fit, TOPO_OP_COMBINE, &routing);
}

double strat_price_send_s(const StratPrice *price, int64_t tokens)
{
    if (price->pool.pipeline <= 1)
        return 0.0;
    const TopoCluster *cluster = price->spec.cluster;
    bool near = price->pool.tensor * price->pool.data * 2 <= cluster->node.scale_up_gpus;
    TopoTransfer send = {.op = TOPO_OP_SEND,
                         .ranks = 2,
                         .ranks_per_domain = near ? 2 : 1,
                         .bytes = 2.0 * (double)tokens * (double)price->spec.model->hidden /
                                  (double)price->pool.tensor};
    return library_s(price, &send);
}

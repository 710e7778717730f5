/* Attention of a rank whose sequences a context group shares.
 *
 * A ring of keys and values takes c - 1 steps beside c steps of attention, under which it hides
 * (Liu 2023, Ring Attention, section 3). Where each rank holds a chunk from the sequence's
 * beginning and one from its end, all have the same share of a causal mask (Llama 3, arXiv
 * 2407.21783, section 3.3.2). Where ranks hold consecutive tokens, the last has c - 1 whole blocks
 * and half of its own, and the others wait for it:
 *
 *   (c - 1/2) / c  of its scores, over the 1/2 of the mean: (2 c - 1) / c times as many
 *
 * Left out: partial results that are merged after each step. */
#include "strat_context.h"

#include <math.h>

/* Attention stays in 16 bits when the linear layers go below. */
static TopoDtype core_dtype(TopoDtype dtype)
{
    return dtype > TOPO_DTYPE_BF16 ? TOPO_DTYPE_BF16 : dtype;
}

KernAttentionShape strat_context_shape(const StratPlan *plan, const ModelOp *op)
{
    double c = (double)plan->context, own = op->causal_fraction;
    bool uneven = plan->context_in_order && own < 1.0;
    return (KernAttentionShape){.batch = op->batch,
                                .kv_batch = op->kv_batch,
                                .queries = op->m,
                                .keys = op->n,
                                .head_dim = op->k,
                                .unmasked_fraction = uneven ? (c - 1.0 + own) / c : own,
                                .dtype = core_dtype(plan->precision),
                                .kernels = plan->attention_kernels};
}

double strat_context_exposed_s(const StratCosting *costing, const StratModelChunk *chunk,
                               double bytes, double attention_s)
{
    double steps = (double)costing->plan->context - 1.0;
    TopoTransfer send = {.op = TOPO_OP_SEND,
                         .ranks = 2,
                         .ranks_per_domain = chunk->context_per_domain > 1 ? 2 : 1,
                         .bytes = bytes,
                         .nic_fraction = chunk->context_nic_fraction};
    double step = costing->net->seconds(costing->cluster, &send);
    return steps * fmax(0.0, step - attention_s / (steps + 1.0));
}

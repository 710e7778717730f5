/* What stands behind the price of a span: which kind of cost it is, and how that was come by.
 *
 * Traffic of a group that leaves its scale-up domain is of the NICs' kind, because they are the
 * slower wire. A backward's products have the evidence of the forward's: they are transposes of the
 * same sizes. A wire without fitted rows has borrowed protocols. */
#include "strat_grade.h"

#include "strat_product.h"

static KernEvidence gemm_evidence(const StratCosting *costing, const ModelOp *op)
{
    TopoDtype dtype = costing->plan->precision;
    if (op->part != MODEL_PART_LINEAR && dtype > TOPO_DTYPE_BF16)
        dtype = TOPO_DTYPE_BF16;
    KernGemmShape shape = {.batch = op->batch, .m = op->m, .n = op->n, .k = op->k, .dtype = dtype};
    return kern_gemm_evidence(&costing->device, &shape);
}

static KernEvidence attention_evidence(const StratCosting *costing, const ModelOp *op)
{
    KernAttentionShape shape = strat_attention_shape(costing->plan, op);
    return kern_attention_evidence(&costing->device, &shape);
}

KernEvidence strat_passes_evidence(const StratCosting *costing)
{
    return costing->device.profile->grade == KERN_GRADE_DATASHEET ? KERN_EVIDENCE_DATASHEET
                                                                  : KERN_EVIDENCE_FITTED;
}

KernEvidence strat_wire_evidence(const TopoProtocolFits *wire)
{
    return wire->op[TOPO_PROTOCOL_ALL_REDUCE].rows > 0 ? KERN_EVIDENCE_FITTED
                                                       : KERN_EVIDENCE_DATASHEET;
}

static void grade_traffic(const StratCosting *costing, bool inside, StratSpan *span)
{
    const TopoNode *node = &costing->cluster->node;
    const TopoProtocolFits *wire = inside ? &node->scale_up_protocols : &node->scale_out_protocols;
    span->kind = inside ? STRAT_KIND_SCALE_UP : STRAT_KIND_SCALE_OUT;
    span->evidence = strat_wire_evidence(wire);
}

void strat_grade(const StratCosting *costing, const StratModelChunk *chunk, const ModelOp *op,
                 StratBucket account, StratSpan *span)
{
    span->kind = STRAT_KIND_PASSES;
    span->evidence = strat_passes_evidence(costing);
    if (account == STRAT_BUCKET_TENSOR_COMM)
        grade_traffic(costing, chunk->tensor_per_domain >= costing->plan->tensor, span);
    else if (account == STRAT_BUCKET_CONTEXT_COMM)
        grade_traffic(costing, chunk->context_per_domain >= costing->plan->context, span);
    else if (account == STRAT_BUCKET_EXPERT_COMM)
        grade_traffic(costing, chunk->expert_per_domain >= costing->plan->expert, span);
    else if (account == STRAT_BUCKET_ELEMENTWISE || !op)
        return;
    else if (op->kind == MODEL_OP_GEMM || op->kind == MODEL_OP_BATCHED_GEMM) {
        span->kind = STRAT_KIND_PRODUCTS;
        span->evidence = gemm_evidence(costing, op);
    } else if (op->kind == MODEL_OP_ATTENTION) {
        span->kind = STRAT_KIND_ATTENTION;
        span->evidence = attention_evidence(costing, op);
    }
}

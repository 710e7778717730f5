/* FLOPs of an operation, and the bytes that it must move between HBM and the chip once.
 *
 *   product C[m,n] = A[m,k] B[k,n]   flop 2 b m n k
 *                                    bytes b ((m k + k n) e + m n max(e, 2)), e bytes an element
 *   its backward, two products       the same flop each; bytes of dX = dY W' and dW = X' dY, a half
 *                                    of both each (of dX alone where weights are frozen)
 *   attention on the chip            flop of kern_attention.c, the backward 2.5 times the forward;
 *                                    bytes of Q, K, V, O, and backward of these, dO and dQ, dK, dV
 *                                    (Dao 2023, arXiv 2307.08691, algorithms 1 and 2)
 *   scores and context not fused,    as products; their backward is priced as one span of two
 *   products of a grid of ranks
 *   a pass over memory               no flop counted; its bytes, as it is priced
 *
 * The bytes are those that kern_gemm.c prices. Left out: operands read twice because they do not fit
 * the cache, casts, and the accumulation of gradients, which are spans of their own. */
#include "strat_work.h"

#include "strat_product.h"

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static void add_product(const ModelOp *op, double element, bool backward, StratSpan *span)
{
    double b = (double)op->batch, m = (double)op->m, n = (double)op->n, k = (double)op->k;
    double out = larger(element, 2.0);
    double input = b * ((m * n + n * k) * element + m * k * out);
    double weight = b * ((m * n + m * k) * element + n * k * out);
    span->flop = 2.0 * b * m * n * k;
    if (!backward)
        span->bytes = b * ((m * k + k * n) * element + m * n * out);
    else
        span->bytes = op->frozen ? input : 0.5 * (input + weight);
    if (backward && (op->kind == MODEL_OP_BATCHED_GEMM || op->steps > 0)) {
        span->flop *= 2.0;
        span->bytes = input + weight;
    }
}

static void add_attention(const StratPlan *plan, const ModelOp *op, bool backward, StratSpan *span)
{
    KernAttentionShape shape = strat_attention_shape(plan, op);
    double heads = (double)op->batch, caches = op->kv_batch > 0 ? (double)op->kv_batch : heads;
    double queries = heads * (double)op->m * (double)op->k;
    double keys = caches * (double)op->n * (double)op->k;
    double each = backward ? 4.0 : 2.0; /* Q, O, dO, dQ and K, V, dK, dV; or Q, O and K, V */
    span->flop = kern_attention_forward_flop(&shape) * (backward ? 2.5 : 1.0);
    span->bytes = each * (queries + keys) * topo_dtype_bytes(shape.dtype);
}

void strat_work(const StratCosting *costing, const ModelOp *op, const StratRecipe *recipe,
                bool backward, StratSpan *span)
{
    span->flop = span->bytes = 0.0;
    if (!op || span->label != op->label || strat_bucket_is_comm(span->bucket))
        return;
    if (op->kind == MODEL_OP_GEMM || op->kind == MODEL_OP_BATCHED_GEMM)
        add_product(op, topo_dtype_bytes(strat_op_dtype(costing->plan, recipe, op)), backward,
                    span);
    else if (op->kind == MODEL_OP_ATTENTION)
        add_attention(costing->plan, op, backward, span);
    else if (op->kind == MODEL_OP_PASS)
        span->bytes = strat_pass_bytes(costing, backward ? op->backward_bytes : op->forward_bytes);
}

/* What of a tensor group's traffic is bare.
 *
 *   overlap.tensor_backward  comm beside a product adds max(slowdown * comm, comm - product):
 *                            the collective's kernels take SMs and bandwidth from the product
 *   overlap.tensor           as well where one depends on the other: both are cut into chunks and
 *                            pipelined, the first chunk is bare and the smaller products lose
 *                            efficiency (Wang 2023, "Overlap Communication with Dependent
 *                            Computation via Decomposition", section 4)
 *
 * With n chunks, C(b) seconds of the collective and P(m) of the product:
 *
 *   adds  n P(m / n) - P(m) + first + max(slowdown * rest, rest - n P(m / n))
 *
 * By default n is the t ranks of the group, first = C(b) / t and rest = (t - 1) C(b) / t: the
 * chunks are the steps of one ring, as Transformer Engine's user buffers split the gather before a
 * product (ring exchange) and PyTorch's asynchronous tensor parallelism does. With
 * tensor_parallel.chunks they are n collectives, first = C(b / n) and rest = (n - 1) C(b / n), each
 * with its own latency and launch: Transformer Engine's pipelined split of the reduction after a
 * product, 4 by default. Waves that do not fill the device cost more as m / n shrinks: P knows.
 *
 * Left out: contention between the collectives themselves; kernels that wait tile by tile instead
 * of chunk by chunk (Flux, Chang 2024, arXiv 2406.06858), which lose no waves. */
#include "strat_tensor_overlap.h"

#include "kern_gemm.h"

#include <math.h>

double strat_tensor_comm_s(const StratCosting *costing, const StratModelChunk *chunk,
                           ModelComm comm, double bytes)
{
    static const TopoCollectiveOp kinds[] = {
        [MODEL_COMM_ALL_REDUCE] = TOPO_OP_ALL_REDUCE,
        [MODEL_COMM_ALL_GATHER] = TOPO_OP_ALL_GATHER,
        [MODEL_COMM_REDUCE_SCATTER] = TOPO_OP_REDUCE_SCATTER,
    };
    if (comm == MODEL_COMM_NONE)
        return 0.0;
    TopoTransfer transfer = {.op = kinds[comm],
                             .ranks = costing->plan->tensor,
                             .ranks_per_domain = chunk->tensor_per_domain,
                             .bytes = bytes,
                             .nic_fraction = chunk->tensor_nic_fraction};
    return costing->net->seconds(costing->cluster, &transfer);
}

double strat_tensor_exposed_s(const StratPlan *plan, double comm_s, double product_s,
                              bool overlapped)
{
    return overlapped ? fmax(plan->comm_slowdown * comm_s, comm_s - product_s) : comm_s;
}

double strat_tensor_chunked_s(const StratCosting *costing, const StratModelChunk *chunk,
                              const KernDevice *device, const ModelOp *op, bool backward,
                              const ModelOp *product, TopoDtype dtype)
{
    ModelComm comm = backward ? op->backward_comm : op->forward_comm;
    double bytes = backward ? op->backward_bytes : op->forward_bytes;
    int64_t asked = costing->plan->tensor_parallel.chunks;
    int64_t chunks = asked > 0 ? asked : costing->plan->tensor;
    double share = 1.0 / (double)chunks, all = strat_tensor_comm_s(costing, chunk, comm, bytes);
    double first = all * share, rest = all * (1.0 - share);
    KernGemmShape shape = {.batch = 1, .m = product->m, .dtype = dtype}, piece;
    shape.n = backward ? product->k : product->n;
    shape.k = backward ? product->n : product->k;
    piece = shape;
    piece.m = MAX(piece.m / chunks, 1);
    double whole = kern_gemm_s(device, &shape);
    double cut = (double)chunks * kern_gemm_s(device, &piece);
    if (asked > 0) {
        first = strat_tensor_comm_s(costing, chunk, comm, bytes * share);
        rest = first * (double)(chunks - 1);
    }
    return fmax(0.0, cut - whole) + first + strat_tensor_exposed_s(costing->plan, rest, cut, true);
}

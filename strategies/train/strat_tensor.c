/* Grids of tensor ranks and what they move.
 *
 * t = q^2 d ranks, rank = column + q (row + q depth) within the tensor group, so that rows are
 * neighbours and the first to share a scale-up domain. A product Y = X W of T x n' x k' takes q
 * steps (model_ops_grid.c), each with
 *
 *   X   T/(q d) x k'/q elements, broadcast along a row
 *   W   k'/q x n'/q elements, broadcast along a column
 *
 * and its backward twice that: dX = dY W' broadcasts W and sums dX along rows, dW = X' dY
 * broadcasts X and sums dW along columns (Xu 2021, Optimus, section 3.1, algorithms 1 to 3); over
 * d grids dW is summed once more (Wang 2021, Tesseract, section 3.1). A sum to one rank is the
 * mirror image of a broadcast and priced as one.
 *
 * Without overlap.tensor broadcasts are bare, as in Optimus. With it the next step's panels travel
 * under this step's product (Colossal-AI, parallel_2d/_operation.py, broadcasts into two buffers in
 * turn): the first step's are bare.
 *
 * Left out: a column's broadcast over several NICs as a tree over nodes (the library's ring is
 * priced), and panels held in memory. */
#include "strat_tensor.h"

#include "kern_gemm.h"
#include "strat_cost.h"

#include <math.h>

#define I64 "%" G_GINT64_FORMAT

static const StratTensorRow rows[] = {
    [STRAT_TENSOR_1D] = {.name = "1d",
                         .source = "Shoeybi 2019, Megatron-LM (arXiv 1909.08053) section 3"},
    [STRAT_TENSOR_2D] = {              .name = "2d",
                         .source = "Xu 2021, Optimus (arXiv 2104.05343) section 3; Colossal-AI "
                                   "(arXiv 2110.14883)",                                                .has_grid = true},
    [STRAT_TENSOR_2_5D] = { .name = "2.5d",
                         .source = "Wang 2021, Tesseract (arXiv 2105.14500) section 3; "
                                     "Colossal-AI (arXiv 2110.14883)",                                                .has_grid = true,
                         .has_depth = true},
};

const StratTensorRow *strat_tensor_all(size_t *count)
{
    *count = G_N_ELEMENTS(rows);
    return rows;
}

int64_t strat_tensor_depth(const StratPlan *plan)
{
    return rows[plan->tensor_parallel.kind].has_depth ? MAX(plan->tensor_parallel.depth, 1) : 1;
}

int64_t strat_tensor_side(const StratPlan *plan)
{
    int64_t side = 0, grid = plan->tensor / strat_tensor_depth(plan);
    if (!rows[plan->tensor_parallel.kind].has_grid)
        return 0;
    while (side * side < grid)
        side++;
    return side;
}

/* Every matrix is cut along both sides, norms count as if they were. */
double strat_tensor_layer_params(const ModelSpec *model, const StratPlan *plan, bool experts)
{
    double side = (double)strat_tensor_side(plan);
    if (side <= 0.0)
        return model_layer_shard_params(model, plan->tensor, experts);
    return model_layer_shard_params(model, 1, experts) / (side * side);
}

double strat_tensor_vocab_params(const ModelSpec *model, const StratPlan *plan)
{
    int64_t side = strat_tensor_side(plan);
    if (side == 0)
        return model_vocab_shard_params(model, plan->tensor);
    return model_vocab_shard_params(model, side) / (double)side;
}

static bool refuse(char **reason, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(char **reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    *reason = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return false;
}

/* What a grid cannot be with. */
static bool grid_fits(const ModelSpec *model, const StratPlan *plan, char **reason)
{
    const StratTensorRow *row = &rows[plan->tensor_parallel.kind];
    if (plan->sequence_parallel)
        return refuse(reason,
                      "%s already cuts norms and dropouts over all tensor ranks: leave "
                      "sequence_parallel out",
                      row->name);
    if (plan->context > 1)
        return refuse(reason,
                      "%s with context " I64 ": nobody has published it, and the grid "
                      "already cuts the batch",
                      row->name, plan->context);
    if (plan->tensor_parallel.gathers_logits)
        return refuse(reason, "%s keeps logits cut along both sides: vocabulary cannot be gathered",
                      row->name);
    if (plan->overlap_tensor_backward || plan->tensor_parallel.chunks > 0)
        return refuse(reason,
                      "%s moves a panel a step: overlap.tensor_backward and "
                      "tensor_parallel.chunks are for 1d",
                      row->name);
    if (model->experts > 0 || model->kv_lora_rank > 0)
        return refuse(reason, "%s is modelled for dense layers with ordinary attention", row->name);
    return true;
}

static bool divides_all(const ModelSpec *model, int64_t side, char **reason)
{
    const struct {
        const char *what;
        int64_t size;
    } sizes[] = {
        {"heads",    model->heads   },
        {"kv_heads", model->kv_heads},
        {"hidden",   model->hidden  },
        {"ffn",      model->ffn     },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
        if (sizes[i].size % side != 0)
            return refuse(reason, "a grid of " I64 " x " I64 " ranks does not divide %s " I64, side,
                          side, sizes[i].what, sizes[i].size);
    return true;
}

bool strat_tensor_fits(const ModelSpec *model, const StratPlan *plan, char **reason)
{
    const StratTensorRow *row = &rows[plan->tensor_parallel.kind];
    int64_t depth = plan->tensor_parallel.depth, side = strat_tensor_side(plan);
    if (depth > 1 && !row->has_depth)
        return refuse(reason, "tensor_parallel.depth " I64 " is for kind 2.5d, not %s", depth,
                      row->name);
    if (plan->tensor_parallel.chunks > 0 && !plan->overlap_tensor)
        return refuse(reason, "tensor_parallel.chunks needs overlap.tensor: nothing is cut into "
                              "chunks without it");
    if (!row->has_grid)
        return true;
    if (plan->tensor % strat_tensor_depth(plan) != 0 || side < 2 ||
        side * side * strat_tensor_depth(plan) != plan->tensor)
        return refuse(reason,
                      "tensor " I64 " is no %s grid: it must be q x q x depth, q of 2 or "
                      "more, with depth " I64,
                      plan->tensor, row->name, strat_tensor_depth(plan));
    if (strat_tensor_depth(plan) > side)
        return refuse(reason,
                      "depth " I64 " of grids of " I64 " x " I64 ": Tesseract has at most "
                      "as many as a side",
                      strat_tensor_depth(plan), side, side);
    if (plan->micro_batch % (side * strat_tensor_depth(plan)) != 0)
        return refuse(reason,
                      "micro_batch " I64 " is not a multiple of " I64 ": rows of the grid "
                      "share its sequences out",
                      plan->micro_batch, side * strat_tensor_depth(plan));
    return divides_all(model, side, reason) && grid_fits(model, plan, reason);
}

/* Ranks of a group of @count, one every @stride of the tensor group, that share a domain. */
static int64_t sharing(const StratModelChunk *chunk, int64_t count, int64_t stride)
{
    return CLAMP(chunk->tensor_per_domain / stride, 1, count);
}

static double group_s(const StratCosting *costing, const StratModelChunk *chunk,
                      TopoCollectiveOp op, int64_t count, int64_t stride, double bytes)
{
    TopoTransfer transfer = {.op = op,
                             .ranks = count,
                             .ranks_per_domain = sharing(chunk, count, stride),
                             .bytes = bytes,
                             .nic_fraction = chunk->tensor_nic_fraction};
    return count > 1 ? costing->net->seconds(costing->cluster, &transfer) : 0.0;
}

/* What of @steps panels is bare beside the @steps products of @product_s each. */
static double bare_s(const StratPlan *plan, double panel_s, double product_s, int64_t steps)
{
    double later = (double)(steps - 1);
    if (!plan->overlap_tensor)
        return (double)steps * panel_s;
    return panel_s + later * fmax(plan->comm_slowdown * panel_s, panel_s - product_s);
}

static double step_s(const KernDevice *device, int64_t m, int64_t n, int64_t k, TopoDtype dtype)
{
    KernGemmShape shape = {.batch = 1, .m = m, .n = n, .k = k, .dtype = dtype};
    return kern_gemm_s(device, &shape);
}

StratGridTimes strat_tensor_product(const StratCosting *costing, const StratModelChunk *chunk,
                                    const KernDevice *device, const ModelOp *op, TopoDtype dtype,
                                    unsigned parts)
{
    int64_t side = op->steps, depth = strat_tensor_depth(costing->plan), width = op->k / side;
    double x = 2.0 * (double)op->m * (double)width, w = 2.0 * (double)width * (double)op->n;
    double panel = group_s(costing, chunk, TOPO_OP_BROADCAST, side, 1, x) +
                   group_s(costing, chunk, TOPO_OP_BROADCAST, side, side, w);
    const struct {
        bool runs;
        int64_t m, n, k; /* of one step */
    } products[] = {
        {parts == 0,                           op->m, op->n, width},
        {(parts & STRAT_BACKWARD_INPUT) != 0,  op->m, width, op->n},
        {(parts & STRAT_BACKWARD_WEIGHT) != 0, width, op->n, op->m},
    };
    StratGridTimes times = {0.0, 0.0};
    for (size_t i = 0; i < G_N_ELEMENTS(products); i++) {
        if (!products[i].runs)
            continue;
        double step = step_s(device, products[i].m, products[i].n, products[i].k, dtype);
        times.product_s += (double)side * step;
        times.panels_s += bare_s(costing->plan, panel, step, side);
    }
    if (parts & STRAT_BACKWARD_WEIGHT)
        times.panels_s += group_s(costing, chunk, TOPO_OP_ALL_REDUCE, depth, side * side, w);
    return times;
}

double strat_tensor_row_s(const StratCosting *costing, const StratModelChunk *chunk,
                          const ModelOp *op, bool backward)
{
    double bytes = backward ? op->backward_bytes : op->forward_bytes;
    int64_t side = strat_tensor_side(costing->plan);
    return bytes > 0.0 ? group_s(costing, chunk, TOPO_OP_ALL_REDUCE, side, 1, bytes) : 0.0;
}

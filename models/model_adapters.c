/* Adapters of low rank.
 *
 * A frozen Y = X W of n outputs and k inputs gets Y += (X A) B with A of k x r and B of r x n (Hu
 * 2021, arXiv 2106.09685, section 4.1). Fused layers have an A for each of their parts: query, key
 * and value, gate and up. Only A and B learn: the frozen product has a gradient of its input alone,
 * and without an adapter its input need not be kept. On a tensor group the whole side of each
 * column- or row-parallel layer stays whole.
 *
 * NF4 weights (Dettmers 2023, arXiv 2305.14314, section 3) take 4 bits and an fp32 maximum for 64
 * of them, 0.5 + 4/64 bytes; quantised doubly, an 8-bit one and an fp32 for 256 of those,
 * 0.5 + 1/64 + 4/(64 * 256). They are written out in 16 bits before each product, forward and
 * backward: a pass of its own.
 *
 * Left out: adapters' dropout; layers of experts and of latent attention. */
#include "model_adapters.h"

#include "model_ops_private.h"

#include <glib.h>
#include <string.h>

static const double ACT = MODEL_ACTIVATION_BYTES;

double model_frozen_bytes(const ModelAdapters *adapters)
{
    if (!adapters->nf4)
        return 2.0;
    return 0.5 + (adapters->double_quantisation ? 1.0 / 64.0 + 4.0 / (64.0 * 256.0) : 4.0 / 64.0);
}

/* How many adapters @op has, and how many of its outputs they reach. */
static int64_t parts_of(const ModelSpec *spec, const ModelShard *shard,
                        const ModelAdapters *adapters, const ModelOp *op, int64_t *outputs)
{
    *outputs = op->n;
    if (g_str_equal(op->label, "qkv")) {
        if (adapters->on != MODEL_ADAPTED_QUERY_VALUE)
            return 3;
        *outputs -= model_kv_heads_shard(spec, shard->tensor) * spec->head_dim;
        return 2;
    }
    if (g_str_equal(op->label, "attention projection"))
        return adapters->on == MODEL_ADAPTED_QUERY_VALUE ? 0 : 1;
    if (adapters->on != MODEL_ADAPTED_ALL)
        return 0;
    return g_str_equal(op->label, "mlp up") && spec->gated_mlp ? 2 : 1;
}

static bool is_linear(const ModelOp *op)
{
    return op->kind == MODEL_OP_GEMM && op->part == MODEL_PART_LINEAR;
}

/* X A, times B, and the sum with the frozen layer's output. */
static void add_adapter(const ModelAdapters *adapters, const ModelOp *op, int64_t parts,
                        int64_t outputs, ModelOps *ops)
{
    int64_t inner = parts * adapters->rank;
    model_op_add_gemm(ops, "adapter down", MODEL_PART_LINEAR, op->m, inner, op->k, 0);
    model_op_add_gemm(ops, "adapter up", MODEL_PART_LINEAR, op->m, outputs, adapters->rank,
                      (double)op->m * (double)inner * ACT);
    ModelOp sum = {.label = "adapter sum",
                   .kind = MODEL_OP_PASS,
                   .part = MODEL_PART_ELEMENTWISE,
                   .forward_bytes = 3.0 * ACT * (double)op->m * (double)outputs,
                   .backward_bytes = 3.0 * ACT * (double)op->m * (double)op->k,
                   .forward_kernels = 1,
                   .backward_kernels = 1};
    model_op_add(ops, sum);
}

static void add_dequantised(const ModelAdapters *adapters, const ModelOp *op, ModelOps *ops)
{
    double bytes = (2.0 + model_frozen_bytes(adapters)) * (double)op->n * (double)op->k;
    if (adapters->nf4)
        model_op_add(ops, (ModelOp){.label = "dequantise",
                                    .kind = MODEL_OP_PASS,
                                    .part = MODEL_PART_ELEMENTWISE,
                                    .forward_bytes = bytes,
                                    .backward_bytes = bytes,
                                    .forward_kernels = 1,
                                    .backward_kernels = 1});
}

void model_ops_adapt(const ModelSpec *spec, const ModelShard *shard, const ModelAdapters *adapters,
                     ModelOps *ops)
{
    ModelOps plain = *ops;
    if (adapters->rank == 0)
        return;
    ops->count = 0;
    for (size_t i = 0; i < plain.count; i++) {
        ModelOp op = plain.op[i];
        int64_t outputs,
            parts = is_linear(&op) ? parts_of(spec, shard, adapters, &op, &outputs) : 0;
        bool feeds = i + 1 < plain.count && is_linear(&plain.op[i + 1]);
        bool gathered = i > 0 && plain.op[i - 1].kind == MODEL_OP_COMM;
        if (op.kind == MODEL_OP_COMM && feeds) {
            int64_t unused;
            if (parts_of(spec, shard, adapters, &plain.op[i + 1], &unused) == 0) {
                op.saved_bytes = 0.0;
                op.regather = false;
            }
            add_dequantised(adapters, &plain.op[i + 1], ops);
        }
        if (!is_linear(&op)) {
            model_op_add(ops, op);
            continue;
        }
        op.frozen = true;
        op.saved_bytes = parts > 0 ? op.saved_bytes : 0.0;
        if (!gathered)
            add_dequantised(adapters, &op, ops);
        /* A gather stays before its product, and a product before its reduction. */
        if (parts > 0 && !gathered)
            add_adapter(adapters, &op, parts, outputs, ops);
        model_op_add(ops, op);
        if (parts > 0 && gathered)
            add_adapter(adapters, &op, parts, outputs, ops);
    }
}

double model_adapter_params(const ModelSpec *spec, const ModelShard *shard,
                            const ModelAdapters *adapters)
{
    ModelOps ops;
    double params = 0.0;
    model_ops_layer(spec, shard, false, &ops);
    for (size_t i = 0; i < ops.count && adapters->rank > 0; i++) {
        if (!is_linear(&ops.op[i]))
            continue;
        int64_t outputs, parts = parts_of(spec, shard, adapters, &ops.op[i], &outputs);
        if (parts > 0)
            params += (double)adapters->rank * (double)(parts * ops.op[i].k + outputs);
    }
    return params;
}

double model_linear_params(const ModelSpec *spec, const ModelShard *shard)
{
    ModelOps ops;
    double params = 0.0;
    model_ops_layer(spec, shard, false, &ops);
    for (size_t i = 0; i < ops.count; i++)
        params += is_linear(&ops.op[i]) ? (double)ops.op[i].n * (double)ops.op[i].k : 0.0;
    return params;
}

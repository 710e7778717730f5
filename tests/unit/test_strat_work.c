/* Work and bytes of single operations, by hand. */
#include "strat_work.h"

#include <criterion/criterion.h>

static StratSpan work_of(const ModelOp *op, const StratRecipe *recipe, bool backward)
{
    const StratPlan plan = {.precision = recipe ? recipe->dtype : TOPO_DTYPE_FP16};
    const TopoGpu gpu = {.name = "gpu"};
    const StratCosting costing = {.plan = &plan, .device = {.gpu = &gpu}};
    StratSpan span = {.bucket = STRAT_BUCKET_GEMM, .label = op->label};
    strat_work(&costing, op, recipe, backward, &span);
    return span;
}

/* Two products of 3 x 7 times 7 x 5: 2 * 2 * 3 * 7 * 5 FLOPs; (21 + 35 + 15) elements each. */
Test(strat_work, of_a_product)
{
    const ModelOp op = {.label = "qkv",
                        .kind = MODEL_OP_GEMM,
                        .part = MODEL_PART_LINEAR,
                        .batch = 2,
                        .m = 3,
                        .n = 5,
                        .k = 7};
    StratSpan forward = work_of(&op, NULL, false), backward = work_of(&op, NULL, true);
    cr_expect_eq(forward.flop, 420.0);
    cr_expect_eq(forward.bytes, 2.0 * 71.0 * 2.0);
    cr_expect_eq(backward.flop, 420.0);
    cr_expect_eq(backward.bytes, forward.bytes);
}

/* Operands of one byte, outputs of two. Forward: 21 + 35 and 2 x 15. The gradients' mean: dX has 15 + 35
 * and 2 x 21, dW 15 + 21 and 2 x 35; a frozen weight has dX alone. */
Test(strat_work, of_a_product_in_eight_bits)
{
    const StratRecipe recipe = {.dtype = TOPO_DTYPE_FP8};
    ModelOp op = {.label = "qkv",
                  .kind = MODEL_OP_GEMM,
                  .part = MODEL_PART_LINEAR,
                  .batch = 1,
                  .m = 3,
                  .n = 5,
                  .k = 7};
    cr_expect_eq(work_of(&op, &recipe, false).bytes, 86.0);
    cr_expect_eq(work_of(&op, &recipe, true).bytes, 0.5 * (92.0 + 106.0));
    op.frozen = true;
    cr_expect_eq(work_of(&op, &recipe, true).bytes, 92.0);
}

/* Eight query heads and two caches, 16 queries, 16 keys, 4 wide, half of it masked away. */
Test(strat_work, of_fused_attention)
{
    const ModelOp op = {.label = "attention",
                        .kind = MODEL_OP_ATTENTION,
                        .part = MODEL_PART_ATTENTION,
                        .batch = 8,
                        .kv_batch = 2,
                        .m = 16,
                        .n = 16,
                        .k = 4,
                        .causal_fraction = 0.5};
    StratSpan forward = work_of(&op, NULL, false), backward = work_of(&op, NULL, true);
    cr_expect_eq(forward.flop, 4.0 * 8 * 16 * 16 * 4 * 0.5);
    cr_expect_eq(forward.bytes, 2.0 * (512 + 128) * 2);
    cr_expect_eq(backward.flop, 2.5 * forward.flop);
    cr_expect_eq(backward.bytes, 2.0 * forward.bytes);
}

Test(strat_work, of_what_is_beside_an_operation)
{
    const ModelOp op = {.label = "qkv",
                        .kind = MODEL_OP_GEMM,
                        .part = MODEL_PART_LINEAR,
                        .batch = 1,
                        .m = 3,
                        .n = 5,
                        .k = 7};
    const StratPlan plan = {.precision = TOPO_DTYPE_FP16};
    const StratCosting costing = {.plan = &plan};
    StratSpan cast = {.bucket = STRAT_BUCKET_ELEMENTWISE, .label = "cast"};
    StratSpan comm = {.bucket = STRAT_BUCKET_TENSOR_COMM, .label = op.label};
    strat_work(&costing, &op, NULL, false, &cast);
    strat_work(&costing, &op, NULL, false, &comm);
    cr_expect_eq(cast.flop + cast.bytes + comm.flop + comm.bytes, 0.0);
}

/* What a software holds beside the states: its loss, and the buckets of its sharding.
 *
 * A logit (one token, one word of the vocabulary) is held, in bytes:
 *
 *   in-place   2 as computed + 4 in fp32; exponential, softmax and gradient overwrite the copy,
 *              which alone stays; the backward casts it to 2 beside it. Kept 4, at most 6
 *              (Megatron-LM, core/tensor_parallel/cross_entropy.py)
 *   torch      kept is the log-softmax in fp32, 4; the backward adds the gradient to it, 4, and to
 *              the logits, 4: 12 (ATen, nll_loss_backward and _log_softmax_backward_data). Cut over
 *              the tensor group, zeros, exponential, sum and product are separate tensors: 16
 *              (torch/distributed/tensor/parallel/loss.py)
 *   torch-16   the same with 2 for each 4, and the logits themselves, which their caller holds
 *   fused      the gradient overwrites the 16-bit logits (flash-attn,
 *              ops/triton/cross_entropy.py, inplace_backward)
 *
 * DeepSpeed's ZeRO-3 gathers the weights of a module when it runs, not of a layer, some elements
 * ahead, and reduces gradients by buckets (its documentation: stage3_prefetch_bucket_size,
 * reduce_bucket_size, defaults). */
#include "strat_footprint.h"

static const StratLoss losses[STRAT_LOSSES] = {
    [STRAT_LOSS_IN_PLACE] = {.name = "in-place",
                             .source = "Megatron-LM core/tensor_parallel/cross_entropy.py",
                             .kept_bytes = 4.0,
                             .peak_bytes = 6.0,
                             .peak_sharded_bytes = 6.0 },
    [STRAT_LOSS_TORCH] = {.name = "torch",
                             .source = "torchtitan train.py (2024): cross_entropy(pred.float())",
                             .kept_bytes = 4.0,
                             .peak_bytes = 12.0,
                             .peak_sharded_bytes = 16.0},
    [STRAT_LOSS_TORCH_16] = {.name = "torch-16",
                             .source = "fms-fsdp train_utils.py: CrossEntropyLoss of bf16 logits",
                             .kept_bytes = 4.0,
                             .peak_bytes = 8.0,
                             .peak_sharded_bytes = 10.0},
    [STRAT_LOSS_FUSED] = {.name = "fused",
                             .source = "flash-attn ops/triton/cross_entropy.py, inplace_backward",
                             .kept_bytes = 2.0,
                             .peak_bytes = 2.0,
                             .peak_sharded_bytes = 2.0 },
};

const StratLoss *strat_footprint_loss(const StratFootprint *footprint)
{
    return &losses[footprint->loss];
}

double strat_footprint_prefetched(void)
{
    return 5e7;
}

double strat_footprint_bucket(void)
{
    return 5e8;
}

/* A product of activations in 16 bits with a matrix as the deployment stores it.
 *
 *   fp8, nvfp4      activations are converted, the product runs in that type; with block scales
 *                   where the weights have them
 *   int8, int4      the product runs in 16 bits, weights are widened on the way into the SMs; so
 *                   are fp8 and nvfp4 on GPUs without such tensor cores (vLLM: Marlin kernels)
 *   2:4 pruned      half the steps of k, and an index of 2 bits for each weight that is left
 *                   (Mishra 2021, arXiv 2104.08378, section 2), on GPUs that multiply bf16: their
 *                   tensor cores are the ones that skip zeros (Ampere and later)
 *
 * all by the forms of kern_gemm.c. */
#include "strat_price_private.h"

#include "kern_gemm.h"

/* How weights are multiplied where the GPU has their type, and where not. */
static const struct {
    TopoDtype dtype;
    KernGemmWeights weights, widened;
} ways[STRAT_WEIGHTS_COUNT] = {
    [STRAT_WEIGHTS_BF16] = {TOPO_DTYPE_BF16, KERN_WEIGHTS_PLAIN,        KERN_WEIGHTS_PLAIN},
    [STRAT_WEIGHTS_FP32] = {TOPO_DTYPE_FP32, KERN_WEIGHTS_PLAIN,        KERN_WEIGHTS_PLAIN},
    [STRAT_WEIGHTS_FP8] = {TOPO_DTYPE_FP8,  KERN_WEIGHTS_PLAIN,        KERN_WEIGHTS_INT8 },
    [STRAT_WEIGHTS_FP8_BLOCK] = {TOPO_DTYPE_FP8,  KERN_WEIGHTS_BLOCK_SCALED, KERN_WEIGHTS_INT8 },
    [STRAT_WEIGHTS_INT8] = {TOPO_DTYPE_BF16, KERN_WEIGHTS_INT8,         KERN_WEIGHTS_INT8 },
    [STRAT_WEIGHTS_INT4] = {TOPO_DTYPE_BF16, KERN_WEIGHTS_INT4,         KERN_WEIGHTS_INT4 },
    [STRAT_WEIGHTS_MXFP4] = {TOPO_DTYPE_BF16, KERN_WEIGHTS_INT4,         KERN_WEIGHTS_INT4 },
    [STRAT_WEIGHTS_NVFP4] = {TOPO_DTYPE_FP4,  KERN_WEIGHTS_PLAIN,        KERN_WEIGHTS_INT4 },
};

double strat_price_product_s(const StratPrice *price, const StratMatrix *matrix,
                             StratWeights weights, int64_t rows, StratMode mode)
{
    if (strat_weights_experts_only(weights))
        weights = STRAT_WEIGHTS_BF16;
    return strat_price_products_s(price, matrix, weights, rows, 1, mode);
}

double strat_price_products_s(const StratPrice *price, const StratMatrix *matrix,
                              StratWeights weights, int64_t rows, int64_t count, StratMode mode)
{
    const KernDevice *device = strat_price_device(price, mode);
    if ((matrix->wide && weights != STRAT_WEIGHTS_FP32) ||
        (weights == STRAT_WEIGHTS_INT4 && strat_price_unpacks(price)))
        weights = STRAT_WEIGHTS_BF16;
    TopoDtype dtype = ways[weights].dtype;
    bool native = dtype != TOPO_DTYPE_BF16 && device->gpu->peak_flop_per_s[dtype] > 0.0;
    KernGemmShape shape = {.batch = count,
                           .m = rows,
                           .n = matrix->n,
                           .k = matrix->k,
                           .dtype = native ? dtype : price->wide,
                           .quantised = native && dtype != TOPO_DTYPE_FP32,
                           .weights = native || dtype == TOPO_DTYPE_BF16 ? ways[weights].weights
                                                                         : ways[weights].widened,
                           .captured = mode.captured};
    double index = 0.0;
    if (price->spec.deployment->sparse_2_4 && !matrix->wide &&
        device->gpu->peak_flop_per_s[TOPO_DTYPE_BF16] > 0.0) {
        index = 0.25 * 0.5 * (double)count * (double)matrix->n * (double)matrix->k;
        shape.k = (matrix->k + 1) / 2;
    }
    return kern_gemm_s(device, &shape) + index / device->gpu->memory_bytes_per_s;
}

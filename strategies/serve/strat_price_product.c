/* A product of activations in 16 bits with a matrix as the deployment stores it.
 *
 *   fp8             activations are converted, the product runs in fp8 (kern_gemm.c)
 *   weight-only     int8, int4, mxfp4: the product runs in 16 bits, but the matrix is read in its
 *                   own bytes: where the read of the matrix bounds it, that much is saved
 *   2:4 pruned      half the steps of k, and an index of 2 bits for each weight that is left
 *                   (Mishra 2021, arXiv 2104.08378, section 2), on GPUs that multiply bf16: their
 *                   tensor cores are the ones that skip zeros (Ampere and later)
 */
#include "strat_price_private.h"

#include "kern_gemm.h"
#include "kern_pass.h"

#include <math.h>

/* Products on weights that are widened on the way into the SMs. @bytes of one weight. */
static double widened_s(const KernDevice *device, const KernGemmShape *shape, double bytes)
{
    const KernGemmFit *fit = &device->profile->gemm[shape->dtype];
    double fraction = fit->rows > 0 ? fit->memory_fraction : 1.0;
    double elements = (double)shape->n * (double)shape->k;
    double saved = elements * (2.0 - bytes) / (device->gpu->memory_bytes_per_s * fraction);
    double read = elements * bytes / (device->gpu->memory_bytes_per_s * fraction);
    double peak = device->gpu->peak_flop_per_s[shape->dtype] * device->clock_fraction;
    double math = peak > 0.0 ? kern_gemm_flop(shape) / peak : 0.0;
    double plain = kern_gemm_s(device, shape);
    return fmax(fmax(plain - saved, math), fmin(plain, read));
}

static double dense_s(const StratPrice *price, StratMode mode, KernGemmShape *shape,
                      StratWeights weights)
{
    const KernDevice *device = strat_price_device(price, mode);
    switch (weights) {
    case STRAT_WEIGHTS_FP32:
        shape->dtype = TOPO_DTYPE_FP32;
        break;
    case STRAT_WEIGHTS_FP8:
    case STRAT_WEIGHTS_FP8_BLOCK:
        shape->dtype = TOPO_DTYPE_FP8;
        break;
    case STRAT_WEIGHTS_NVFP4:
        shape->dtype = TOPO_DTYPE_FP4;
        break;
    default:
        break;
    }
    if (shape->dtype != price->wide && device->gpu->peak_flop_per_s[shape->dtype] > 0.0) {
        shape->quantised = shape->dtype != TOPO_DTYPE_FP32;
        return kern_gemm_s(device, shape);
    }
    shape->dtype = price->wide;
    return weights == STRAT_WEIGHTS_BF16 ? kern_gemm_s(device, shape)
                                         : widened_s(device, shape, strat_weights_bytes(weights));
}

double strat_price_product_s(const StratPrice *price, const StratMatrix *matrix,
                             StratWeights weights, int64_t rows, StratMode mode)
{
    const KernDevice *device = strat_price_device(price, mode);
    bool wide = matrix->wide || strat_weights_experts_only(weights);
    KernGemmShape shape = {
        .batch = 1, .m = rows, .n = matrix->n, .k = matrix->k, .dtype = price->wide};
    double index = 0.0;
    if (price->spec.deployment->sparse_2_4 && !matrix->wide &&
        device->gpu->peak_flop_per_s[TOPO_DTYPE_BF16] > 0.0) {
        index = 0.25 * 0.5 * (double)matrix->n * (double)matrix->k;
        shape.k = (matrix->k + 1) / 2;
    }
    double seconds = dense_s(price, mode, &shape, wide ? STRAT_WEIGHTS_BF16 : weights);
    return seconds + index / device->gpu->memory_bytes_per_s;
}

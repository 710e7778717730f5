/* A matrix product on a CPU, as the libraries after GotoBLAS compute it.
 *
 * C[m,n] = A[m,k] B[k,n] is cut into blocks that fit the caches. Blocks of A and B are copied into
 * packed buffers, and a kernel that keeps a few rows of C in registers runs over them at a steady
 * rate. The parts follow one another, so their times add:
 *
 *   time = batch * (call + 2 m n k / rate + a m k + b k n + c m n)
 *
 * with a, b and c seconds per element read, packed or written; b = b0 (n / 1024)^e, because packing
 * walks n columns side by side, and the more of them, the more pages and cache sets it needs at
 * once. The rate is reached where all sides are large; with few rows (decode) b k n decides, that
 * is, the memory that holds the weights. The register kernel works on ROWS rows: what m leaves
 * beyond a multiple costs a full one, and more by the fraction `edge`. One row is a matrix-vector
 * product, time = batch * (call' + b' k n).
 *
 * Weights narrower than those that were measured (bf16, int8, int4 where only fp32 was) are widened
 * on their way into the registers and take fewer bytes of memory: of the time that an element takes
 * to arrive from there, b' of a product with one row, their share of the bytes is left,
 *
 *   b' -> max(b' bytes / 4, 2 / rate)       b -> b - b' (1 - bytes / 4)
 *
 * That tokens of one sequence take as long as their bytes is what others measure: llama.cpp on an
 * i5-6500 with 20.0 GB/s of memory takes 254 ms for the 4.2 GB of a 7B model in 4 bits, 501 ms for
 * the 9.0 GB of a 13B model in 5 bits (ggml-org/llama.cpp issue 34, May 2023): 83 and 90 % of it.
 *
 * Source: Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS
 * 34(3), 2008, section 4 (packing) and 5. Left out: transposition, steps at the borders of cache
 * blocks, unequal speed of threads. */
#include "kern_host_gemm.h"

#include <math.h>

static const double COLUMNS = 1024.0; /* at which right_s is stated */
enum { ROWS = 4 }; /* of C in registers: Haswell and Zen kernels of OpenBLAS for fp32 */

double kern_host_gemm_form_s(const KernHostGemmFit *fit, const KernGemmShape *s)
{
    double batch = (double)s->batch, n = (double)s->n, k = (double)s->k;
    if (s->m == 1)
        return batch * (fit->vector_call_s + fit->vector_right_s * n * k);
    double m = (double)((s->m + ROWS - 1) / ROWS * ROWS);
    double right = fit->right_s * pow(n / COLUMNS, fit->right_exponent);
    double edge = s->m % ROWS != 0 ? 1.0 + fit->edge_fraction : 1.0;
    return batch * (fit->call_s + edge * (2.0 * m * n * k / fit->flop_per_s + fit->left_s * m * k +
                                          right * k * n + fit->output_s * m * n));
}

/* The fit of fp32 with weights of @bytes each. */
static KernHostGemmFit narrowed(const KernHostGemmFit *fit, double bytes)
{
    KernHostGemmFit narrow = *fit;
    double share = fmin(bytes / 4.0, 1.0);
    narrow.vector_right_s =
        fmin(fit->vector_right_s, fmax(share * fit->vector_right_s, 2.0 / fit->flop_per_s));
    narrow.right_s = fmax(0.0, fit->right_s - (1.0 - share) * fit->vector_right_s);
    return narrow;
}

double kern_host_gemm_s(const KernHostFit *host, const KernGemmShape *shape)
{
    const KernHostGemmFit *fits = shape->batch > 1 ? host->activations : host->weights;
    bool plain = shape->weights == KERN_WEIGHTS_PLAIN;
    if (plain && fits[shape->dtype].rows > 0)
        return kern_host_gemm_form_s(&fits[shape->dtype], shape);
    if (shape->batch > 1)
        return kern_host_gemm_form_s(&fits[TOPO_DTYPE_FP32], shape);
    KernHostGemmFit narrow = narrowed(&fits[TOPO_DTYPE_FP32], kern_gemm_weight_bytes(shape));
    return kern_host_gemm_form_s(&narrow, shape);
}

/** Fits the coefficients of the cost forms to measurements. */
#ifndef KERN_FIT_H
#define KERN_FIT_H

#include "kern_attention.h"
#include "kern_gemm.h"

#include <stddef.h>

/** A measured product or attention call. */
typedef struct KernGemmRow {
    KernGemmShape shape;
    double seconds;
} KernGemmRow;

typedef struct KernAttentionRow {
    KernAttentionShape shape;
    double seconds;
} KernAttentionRow;

/** Distribution of |predicted / measured - 1| over a set of rows. */
typedef struct KernFitError {
    size_t rows;
    double median_fraction;
    double p90_fraction;
    double bias_fraction; /* median of predicted / measured - 1 */
} KernFitError;

/** Whether the large errors of collectives count a tensor of @bytes: 64 kB to 1 GB, binary. */
bool kern_fit_is_large(double bytes);

/** The distribution of @count logarithms of predicted / measured, which it overwrites. */
KernFitError kern_fit_error(double *log_ratios, size_t count);

/** Fits @fit to @rows of one type measured on @gpu, minimising the mean of |log(predicted /
 *  measured)|, every row with the same weight; what @fit held is lost, but for what hides behind
 *  the host in rows with block scales (launch, step, prologue, memory, conversion): that stays, to
 *  be the GPU's of plain fp8; of a fit without rows it is a guess. fp8 rows with conversion may
 * come from an engine's own kernels: those that explain them best are found too. Deterministic. */
KernFitError kern_fit_gemm(const TopoGpu *gpu, const KernGemmRow *rows, size_t count,
                           KernGemmFit *fit);

/** Log of predicted / measured of each of @rows into @log_ratios, by coefficients fitted to rows of
 *  other shapes: shapes are dealt into @folds (at least 2) by a hash, and each is left out once.
 * The searches start from @whole, a fit to all rows or the like, and keep its kernels. */
void kern_fit_gemm_held_out(const TopoGpu *gpu, const KernGemmRow *rows, size_t count, size_t folds,
                            const KernGemmFit *whole, double *log_ratios);

/** Likewise for the forward of fused attention; backward_fraction is left alone. */
KernFitError kern_fit_attention(const TopoGpu *gpu, const KernAttentionRow *rows, size_t count,
                                KernAttentionFit *fit);

/** The error of the coefficients @fit on @rows, fitted or not. */
KernFitError kern_fit_gemm_error(const TopoGpu *gpu, const KernGemmRow *rows, size_t count,
                                 const KernGemmFit *fit);
KernFitError kern_fit_attention_error(const TopoGpu *gpu, const KernAttentionRow *rows,
                                      size_t count, const KernAttentionFit *fit);

#endif

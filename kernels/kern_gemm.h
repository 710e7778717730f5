/** Seconds of a dense matrix product. */
#ifndef KERN_GEMM_H
#define KERN_GEMM_H

#include "kern_profile.h"

/** @batch products C[m,n] = A[m,k] B[k,n]. */
typedef struct KernGemmShape {
    int64_t batch;
    int64_t m;
    int64_t n;
    int64_t k;
    TopoDtype dtype; /* of A and B */
    bool quantised;  /* A arrives in 16 bits and is converted to @dtype first */
} KernGemmShape;

/** Floating-point operations: 2 b m n k. */
double kern_gemm_flop(const KernGemmShape *shape);

/** Seconds on @device by the fitted form; pure. A type without a fit is priced by the fit of fp16
 *  or bf16, scaled by the ratio of the peaks. */
double kern_gemm_s(const KernDevice *device, const KernGemmShape *shape);

/** As kern_gemm_s() with explicit coefficients (what the fit iterates on). */
double kern_gemm_form_s(const KernDevice *device, const KernGemmFit *fit,
                        const KernGemmShape *shape);

#endif

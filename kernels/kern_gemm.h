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
    TopoDtype dtype;         /* of A and, unless @weights differ, of B */
    bool quantised;          /* A arrives in 16 bits and is converted to @dtype first */
    KernGemmWeights weights; /* block scales need fp8, integers 16 bits */
    bool captured;           /* in a CUDA graph: the host takes no time; tables ignore it */
} KernGemmShape;

/** The type that @shape is fitted by, and its name as profiles have it: "bf16", "int4_wo". */
KernGemmType kern_gemm_type(const KernGemmShape *shape);
const char *kern_gemm_type_name(KernGemmType type);

/** Bytes of one weight, its scales included where they count. */
double kern_gemm_weight_bytes(const KernGemmShape *shape);

/** Floating-point operations: 2 b m n k. */
double kern_gemm_flop(const KernGemmShape *shape);

/** The coefficients that price products of @type: its own, else those of the nearest type that has
 *  any (which say how fast integers are widened). Rates are those of the datasheet. */
const KernGemmFit *kern_gemm_fit(const KernProfile *profile, KernGemmType type);

/** Seconds on @device by the fitted form; pure. */
double kern_gemm_s(const KernDevice *device, const KernGemmShape *shape);

/** As kern_gemm_s() with explicit coefficients (what the fit iterates on). */
double kern_gemm_form_s(const KernDevice *device, const KernGemmFit *fit,
                        const KernGemmShape *shape);

#endif

/** Seconds of a dense matrix product on a CPU. */
#ifndef KERN_HOST_GEMM_H
#define KERN_HOST_GEMM_H

#include "kern_gemm.h"

/** Seconds of @shape by the coefficients @fit. Pure. */
double kern_host_gemm_form_s(const KernHostGemmFit *fit, const KernGemmShape *shape);

/** Seconds of @shape on the CPU @host: batches are products of activations, single products read
 *  weights. A type that was not measured is priced as fp32. Pure. */
double kern_host_gemm_s(const KernHostFit *host, const KernGemmShape *shape);

#endif

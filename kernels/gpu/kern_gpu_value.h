/** Reads tensors of the GPU's types on the CPU, and computes on them what the kernels should. */
#ifndef KERN_GPU_VALUE_H
#define KERN_GPU_VALUE_H

#include "kern_gpu_shape.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Value of element @index of @tensor; tf32 is stored as fp32. */
double kern_gpu_value(KernGpuType type, const void *tensor, int64_t index);

/** Values of the results of a product of @type: fp8 gives bf16, int8 gives int32. */
double kern_gpu_result_value(KernGpuType type, const void *tensor, int64_t index);

/** Row @row of A[m,k] times row @column of W[n,k]. */
double kern_gpu_reference_gemm(const KernGpuShape *shape, const void *a, const void *w, int64_t row,
                               int64_t column);

/** Softmax of row @row of the bf16 @tensor[m,n] at @column. */
double kern_gpu_reference_softmax(const KernGpuShape *shape, const void *tensor, int64_t row,
                                  int64_t column);

/** x / sqrt(mean of squares + 1e-6) weight, likewise. */
double kern_gpu_reference_rmsnorm(const KernGpuShape *shape, const void *tensor, const void *weight,
                                  int64_t row, int64_t column);

/** Element @dimension of the attention of query @head of sequence @sequence over the bf16 caches
 *  @keys and @values[batch, kv_heads, context, head_dim]; @queries[batch, heads, head_dim]. */
double kern_gpu_reference_decode(const KernGpuShape *shape, const void *queries, const void *keys,
                                 const void *values, int64_t sequence, int64_t head,
                                 int64_t dimension);

#ifdef __cplusplus
}
#endif

#endif

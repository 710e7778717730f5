/** What the GPU measurement kit measures: one operation on tensors of one type and size. This
 * folder needs nothing but the C library and the CUDA toolkit, so that it can be copied to a GPU
 * node. */
#ifndef KERN_GPU_SHAPE_H
#define KERN_GPU_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum KernGpuOp {
    KERN_GPU_GEMM,             /* D[m,n] = A[m,k] W[n,k]^T, @batch times; cuBLASLt */
    KERN_GPU_COPY,             /* m x n elements */
    KERN_GPU_ADD,              /* c = a + 3 b, m x n elements */
    KERN_GPU_SOFTMAX,          /* over each of m rows of n */
    KERN_GPU_RMSNORM,          /* likewise, with a weight of n */
    KERN_GPU_ATTENTION_DECODE, /* one query token a sequence over @context cached keys and values */
    KERN_GPU_ATTENTION_UNFUSED, /* product, softmax, product over m = @context tokens, no mask */
    KERN_GPU_OP_COUNT
} KernGpuOp;

/** Element type of the inputs. */
typedef enum KernGpuType {
    KERN_GPU_FP32,
    KERN_GPU_TF32,
    KERN_GPU_FP16,
    KERN_GPU_BF16,
    KERN_GPU_FP8, /* e4m3 */
    KERN_GPU_INT8,
    KERN_GPU_TYPE_COUNT
} KernGpuType;

/** Sizes that an operation does not have are 0. */
typedef struct KernGpuShape {
    KernGpuOp op;
    KernGpuType type;
    int64_t batch;
    int64_t m;
    int64_t n;
    int64_t k;
    int64_t heads;
    int64_t kv_heads;
    int64_t head_dim;
    int64_t context;
} KernGpuShape;

/** Names as the CSV and the options spell them; static. */
const char *kern_gpu_op_name(KernGpuOp op);
const char *kern_gpu_type_name(KernGpuType type);

/** Bytes of one input element, and of one element of a product's result: fp8 gives bf16, int8
 *  gives int32, the others their own type. */
int64_t kern_gpu_type_bytes(KernGpuType type);
int64_t kern_gpu_result_bytes(KernGpuType type);

/** The compute capability from which on the type has tensor-core products, 10 major + minor. */
int kern_gpu_type_capability(KernGpuType type);

/** Bytes that the operation must move: each input read once, each output written once, and for
 *  unfused attention the scores written and read twice. */
int64_t kern_gpu_moved_bytes(const KernGpuShape *shape);

/** In how many pieces decode attention cuts the keys of a sequence on a GPU of @sms: enough for
 *  four blocks an SM, but no piece under 256 keys. */
int64_t kern_gpu_decode_splits(const KernGpuShape *shape, int sms);

/** Bytes of device memory that the tensors of @shape take on a GPU of @sms, alignment included. */
int64_t kern_gpu_held_bytes(const KernGpuShape *shape, int sms);

/** Rounds up to the alignment of every tensor, 256 bytes. */
int64_t kern_gpu_aligned(int64_t bytes);

#ifdef __cplusplus
}
#endif

#endif

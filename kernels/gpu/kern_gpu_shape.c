/* Sizes of the operations that the GPU measurement kit measures.
 *
 * moved bytes = what an ideal kernel reads and writes, the numerator of a bandwidth:
 *   gemm      batch (m k + n k) input + batch m n result
 *   copy, softmax   2 m n;   add   3 m n;   rmsnorm   2 m n + n
 *   decode    2 batch kv_heads context head_dim (keys and values) + 2 batch heads head_dim
 *   unfused   4 batch heads m head_dim (q, k, v, out) + 4 batch heads m m (the scores, written by
 * the product, read and written by the softmax, read by the second product) held bytes = what the
 * tensors occupy at once, which decides whether a shape fits. */
#include "kern_gpu_shape.h"

enum { ALIGNMENT_BYTES = 256, BLOCKS_PER_SM = 4, KEYS_PER_SPLIT = 256 };

static const char *const op_names[KERN_GPU_OP_COUNT] = {
    [KERN_GPU_GEMM] = "gemm",
    [KERN_GPU_COPY] = "copy",
    [KERN_GPU_ADD] = "add",
    [KERN_GPU_SOFTMAX] = "softmax",
    [KERN_GPU_RMSNORM] = "rmsnorm",
    [KERN_GPU_ATTENTION_DECODE] = "attention_decode",
    [KERN_GPU_ATTENTION_UNFUSED] = "attention_unfused",
};

/* Capabilities: CUDA C++ Programming Guide, "Compute Capabilities". */
static const struct {
    const char *name;
    int bytes;
    int result_bytes;
    int capability;
} types[KERN_GPU_TYPE_COUNT] = {
    [KERN_GPU_FP32] = {"fp32", 4, 4, 0 },
      [KERN_GPU_TF32] = {"tf32", 4, 4, 80},
    [KERN_GPU_FP16] = {"fp16", 2, 2, 70},
      [KERN_GPU_BF16] = {"bf16", 2, 2, 80},
    [KERN_GPU_FP8] = {"fp8",  1, 2, 89},
      [KERN_GPU_INT8] = {"int8", 1, 4, 75},
};

const char *kern_gpu_op_name(KernGpuOp op)
{
    return op_names[op];
}

const char *kern_gpu_type_name(KernGpuType type)
{
    return types[type].name;
}

int64_t kern_gpu_type_bytes(KernGpuType type)
{
    return types[type].bytes;
}

int64_t kern_gpu_result_bytes(KernGpuType type)
{
    return types[type].result_bytes;
}

int kern_gpu_type_capability(KernGpuType type)
{
    return types[type].capability;
}

int64_t kern_gpu_aligned(int64_t bytes)
{
    return (bytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
}

int64_t kern_gpu_moved_bytes(const KernGpuShape *shape)
{
    const KernGpuShape *s = shape;
    int64_t size = kern_gpu_type_bytes(s->type);
    int64_t scores = s->batch * s->heads * s->m * s->context;
    switch (s->op) {
    case KERN_GPU_GEMM:
        return s->batch *
               ((s->m + s->n) * s->k * size + s->m * s->n * kern_gpu_result_bytes(s->type));
    case KERN_GPU_COPY:
    case KERN_GPU_SOFTMAX:
        return 2 * s->m * s->n * size;
    case KERN_GPU_ADD:
        return 3 * s->m * s->n * size;
    case KERN_GPU_RMSNORM:
        return (2 * s->m + 1) * s->n * size;
    case KERN_GPU_ATTENTION_DECODE:
        return 2 * s->batch * s->head_dim * (s->kv_heads * s->context + s->heads) * size;
    case KERN_GPU_ATTENTION_UNFUSED:
        return 4 * (s->batch * s->heads * s->m * s->head_dim + scores) * size;
    case KERN_GPU_OP_COUNT:
        break;
    }
    return 0;
}

int64_t kern_gpu_decode_splits(const KernGpuShape *shape, int sms)
{
    int64_t pairs = shape->batch * shape->kv_heads;
    int64_t wanted = (BLOCKS_PER_SM * (int64_t)sms + pairs - 1) / pairs;
    int64_t most = (shape->context + KEYS_PER_SPLIT - 1) / KEYS_PER_SPLIT;
    if (wanted > most)
        wanted = most;
    return wanted > 1 ? wanted : 1;
}

int64_t kern_gpu_held_bytes(const KernGpuShape *shape, int sms)
{
    const KernGpuShape *s = shape;
    int64_t size = kern_gpu_type_bytes(s->type);
    int64_t held = kern_gpu_moved_bytes(s);
    if (s->op == KERN_GPU_ATTENTION_UNFUSED)
        held -= 3 * s->batch * s->heads * s->m * s->context * size;
    if (s->op == KERN_GPU_ATTENTION_DECODE)
        held += s->batch * s->heads * kern_gpu_decode_splits(s, sms) * (s->head_dim + 2) *
                (int64_t)sizeof(float);
    return kern_gpu_aligned(held) + 8 * ALIGNMENT_BYTES;
}

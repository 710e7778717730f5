/* Each operation's tensors, and how it is timed.
 *
 * Unfused attention is what a framework without a fused kernel runs: scores = q k^T /
 * sqrt(head_dim) over all pairs of tokens (no causal saving), softmax in place, times the values;
 * three kernels in a row, timed as one. A fused prefill kernel of our own would be far from the
 * libraries' (FlashAttention, cuDNN) and its figures misleading, so there is none: take prefill
 * attention from their tables. */
#include "kern_gpu_ops.cuh"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Elements of each tensor; 0: the operation has no such tensor. */
struct Extents {
    int64_t inputs[3];
    int64_t output;
    int64_t scratch_bytes;
};

static Extents extents_of(const KernGpuShape *shape, int sms)
{
    const KernGpuShape *s = shape;
    Extents e = {};
    if (s->op == KERN_GPU_GEMM) {
        e.inputs[0] = s->batch * s->m * s->k;
        e.inputs[1] = s->batch * s->n * s->k;
        e.output = s->batch * s->m * s->n;
    } else if (s->op == KERN_GPU_ATTENTION_DECODE || s->op == KERN_GPU_ATTENTION_UNFUSED) {
        e.inputs[0] = e.output = s->batch * s->heads * s->m * s->head_dim;
        e.inputs[1] = e.inputs[2] = s->batch * s->kv_heads * s->context * s->head_dim;
        e.scratch_bytes =
            s->op == KERN_GPU_ATTENTION_UNFUSED
                ? s->batch * s->heads * s->m * s->context * kern_gpu_type_bytes(s->type)
                : s->batch * s->heads * kern_gpu_decode_splits(s, sms) * (s->head_dim + 2) *
                      (int64_t)sizeof(float);
    } else {
        e.inputs[0] = e.output = s->m * s->n;
        e.inputs[1] = s->op == KERN_GPU_ADD ? s->m * s->n : s->op == KERN_GPU_RMSNORM ? s->n : 0;
    }
    return e;
}

/* Cuts @bytes off the arena; NULL for none. */
static void *cut(unsigned char **rest, int64_t bytes)
{
    void *tensor = *rest;
    *rest += kern_gpu_aligned(bytes);
    return bytes > 0 ? tensor : NULL;
}

bool kern_gpu_tensors_lay(KernGpuLab *lab, const KernGpuShape *shape, KernGpuTensors *tensors)
{
    if (!kern_gpu_lab_reserve(lab, (size_t)kern_gpu_held_bytes(shape, lab->sms)))
        return false;
    Extents extents = extents_of(shape, lab->sms);
    unsigned char *rest = lab->arena;
    for (int i = 0; i < 3; i++) {
        tensors->inputs[i] = cut(&rest, extents.inputs[i] * kern_gpu_type_bytes(shape->type));
        if (extents.inputs[i] > 0 &&
            !kern_gpu_lab_fill(lab, tensors->inputs[i], shape->type, extents.inputs[i]))
            return false;
    }
    tensors->output = cut(&rest, extents.output * kern_gpu_result_bytes(shape->type));
    tensors->scratch = cut(&rest, extents.scratch_bytes);
    return true;
}

/* The three kernels of unfused attention. */
struct Unfused {
    KernGpuMatmul scores;
    KernGpuWork softmax;
    KernGpuMatmul values;
};

static bool unfused_call(KernGpuLab *lab, const void *context)
{
    const Unfused *unfused = (const Unfused *)context;
    return kern_gpu_matmul_call(lab, &unfused->scores) &&
           kern_gpu_pass_call(lab, &unfused->softmax) &&
           kern_gpu_matmul_call(lab, &unfused->values);
}

static bool unfused_prepare(KernGpuLab *lab, const KernGpuShape *shape,
                            const KernGpuTensors *tensors, Unfused *unfused)
{
    int64_t pairs = shape->batch * shape->heads;
    KernGpuShape product = {};
    product.type = shape->type;
    product.batch = pairs;
    product.m = shape->m;
    product.n = shape->context;
    product.k = shape->head_dim;
    float scale = 1.0f / sqrtf((float)shape->head_dim);
    memset(unfused, 0, sizeof *unfused);
    if (!kern_gpu_matmul_prepare(lab, &product, tensors->inputs[0], tensors->inputs[1],
                                 tensors->scratch, scale, false, &unfused->scores))
        return false;
    product.n = shape->head_dim;
    product.k = shape->context;
    unfused->softmax.shape.op = KERN_GPU_SOFTMAX;
    unfused->softmax.shape.type = shape->type;
    unfused->softmax.shape.m = pairs * shape->m;
    unfused->softmax.shape.n = shape->context;
    unfused->softmax.tensors.inputs[0] = tensors->scratch;
    unfused->softmax.tensors.output = tensors->scratch;
    return kern_gpu_matmul_prepare(lab, &product, tensors->scratch, tensors->inputs[2],
                                   tensors->output, 1.0f, true, &unfused->values);
}

/* An operation made ready: what to call, on what. */
struct Ready {
    KernGpuCall call;
    const void *context;
    KernGpuMatmul matmul;
    KernGpuWork work;
    Unfused unfused;
};

static void ready_clear(Ready *ready)
{
    kern_gpu_matmul_clear(&ready->matmul);
    kern_gpu_matmul_clear(&ready->unfused.scores);
    kern_gpu_matmul_clear(&ready->unfused.values);
}

static bool ready_init(KernGpuLab *lab, const KernGpuShape *shape, const KernGpuTensors *tensors,
                       Ready *ready)
{
    memset(ready, 0, sizeof *ready);
    if (shape->op == KERN_GPU_GEMM) {
        ready->call = kern_gpu_matmul_call;
        ready->context = &ready->matmul;
        return kern_gpu_matmul_prepare(lab, shape, tensors->inputs[0], tensors->inputs[1],
                                       tensors->output, 1.0f, false, &ready->matmul);
    }
    if (shape->op == KERN_GPU_ATTENTION_UNFUSED) {
        ready->call = unfused_call;
        ready->context = &ready->unfused;
        return unfused_prepare(lab, shape, tensors, &ready->unfused);
    }
    ready->call =
        shape->op == KERN_GPU_ATTENTION_DECODE ? kern_gpu_decode_call : kern_gpu_pass_call;
    ready->context = &ready->work;
    ready->work.shape = *shape;
    ready->work.tensors = *tensors;
    return true;
}

bool kern_gpu_ops_time(KernGpuLab *lab, const KernGpuShape *shape, const KernGpuTensors *tensors,
                       KernGpuSummary *latency, char *software, size_t size)
{
    Ready ready;
    bool uses_blas = shape->op == KERN_GPU_GEMM || shape->op == KERN_GPU_ATTENTION_UNFUSED;
    bool well = ready_init(lab, shape, tensors, &ready) &&
                (shape->op != KERN_GPU_GEMM || kern_gpu_matmul_tune(lab, &ready.matmul)) &&
                kern_gpu_lab_time(lab, ready.call, ready.context, false, latency);
    ready_clear(&ready);
    if (uses_blas)
        snprintf(software, size, "cublaslt-%zu", cublasLtGetVersion());
    else
        snprintf(software, size, "orrery-gpu-kit-1");
    return well;
}

bool kern_gpu_ops_run(KernGpuLab *lab, const KernGpuShape *shape, const KernGpuTensors *tensors)
{
    Ready ready;
    bool well = ready_init(lab, shape, tensors, &ready) && ready.call(lab, ready.context);
    if (well) {
        cudaError_t status = cudaStreamSynchronize(lab->stream);
        if (status != cudaSuccess)
            well = kern_gpu_lab_fail(lab, __FILE__, __LINE__, "run", cudaGetErrorString(status));
    }
    ready_clear(&ready);
    return well;
}

/* The kernels against the CPU. Odd numbers of tokens and keys make the last, partial pieces count.
 * The result's memory is filled with noise before, so an element that no kernel wrote is found.
 *
 * An element may differ by @tolerance times the scale of the results, the root of their mean square
 * over the samples: half a unit in the last place of bf16 is 2^-9 of a value, of tf32 inputs 2^-11
 * each. */
#include "kern_gpu_check.cuh"

#include "kern_gpu_csv.h"
#include "kern_gpu_ops.cuh"
#include "kern_gpu_value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 400, SAMPLE_STRIDE = 7919 };

struct Case {
    KernGpuOp op;
    KernGpuType type;
    int64_t batch, m, n, k, heads, kv_heads, head_dim, context;
    double tolerance;
};

static const Case cases[] = {
    {KERN_GPU_GEMM,              KERN_GPU_FP32, 1, 37, 96,   160, 0, 0, 0,   0,    1e-4},
    {KERN_GPU_GEMM,              KERN_GPU_TF32, 1, 37, 96,   160, 0, 0, 0,   0,    4e-3},
    {KERN_GPU_GEMM,              KERN_GPU_FP16, 1, 37, 96,   160, 0, 0, 0,   0,    4e-3},
    {KERN_GPU_GEMM,              KERN_GPU_BF16, 1, 37, 96,   160, 0, 0, 0,   0,    2e-2},
    {KERN_GPU_GEMM,              KERN_GPU_BF16, 3, 48, 64,   32,  0, 0, 0,   0,    2e-2},
    {KERN_GPU_GEMM,              KERN_GPU_FP8,  1, 37, 96,   160, 0, 0, 0,   0,    4e-2},
    {KERN_GPU_GEMM,              KERN_GPU_INT8, 1, 37, 96,   160, 0, 0, 0,   0,    1e-9},
    {KERN_GPU_COPY,              KERN_GPU_BF16, 0, 3,  4104, 0,   0, 0, 0,   0,    1e-9},
    {KERN_GPU_ADD,               KERN_GPU_BF16, 0, 3,  4104, 0,   0, 0, 0,   0,    2e-2},
    {KERN_GPU_SOFTMAX,           KERN_GPU_BF16, 0, 5,  4104, 0,   0, 0, 0,   0,    1e-2},
    {KERN_GPU_RMSNORM,           KERN_GPU_BF16, 0, 5,  4104, 0,   0, 0, 0,   0,    2e-2},
    {KERN_GPU_ATTENTION_DECODE,  KERN_GPU_BF16, 2, 1,  0,    0,   8, 2, 128, 1001, 2e-2},
    {KERN_GPU_ATTENTION_DECODE,  KERN_GPU_BF16, 2, 1,  0,    0,   8, 1, 128, 77,   2e-2},
    {KERN_GPU_ATTENTION_DECODE,  KERN_GPU_BF16, 1, 1,  0,    0,   4, 4, 128, 1,    2e-2},
    {KERN_GPU_ATTENTION_DECODE,  KERN_GPU_BF16, 3, 1,  0,    0,   8, 2, 64,  513,  2e-2},
    {KERN_GPU_ATTENTION_UNFUSED, KERN_GPU_BF16, 2, 64, 0,    0,   2, 2, 128, 64,   3e-2},
};

static KernGpuShape shape_of(const Case *c)
{
    KernGpuShape shape = {c->op, c->type,  c->batch,    c->m,        c->n,
                          c->k,  c->heads, c->kv_heads, c->head_dim, c->context};
    return shape;
}

/* The tensors of a case, brought to the CPU: arena offsets are those on the GPU. */
struct Copied {
    const void *inputs[3];
    const void *output;
    unsigned char *arena;
};

static bool bring(KernGpuLab *lab, const KernGpuTensors *tensors, size_t bytes, Copied *copied)
{
    copied->arena = (unsigned char *)malloc(bytes);
    if (copied->arena == NULL)
        return kern_gpu_lab_fail(lab, __FILE__, __LINE__, "malloc", "out of memory");
    for (int i = 0; i < 3; i++)
        copied->inputs[i] =
            tensors->inputs[i] == NULL
                ? NULL
                : copied->arena + ((unsigned char *)tensors->inputs[i] - lab->arena);
    copied->output = copied->arena + ((unsigned char *)tensors->output - lab->arena);
    KERN_GPU_TRY(lab, cudaMemcpy(copied->arena, lab->arena, bytes, cudaMemcpyDeviceToHost));
    return true;
}

static int64_t elements_of(const KernGpuShape *shape)
{
    if (shape->op == KERN_GPU_GEMM)
        return shape->batch * shape->m * shape->n;
    if (shape->heads > 0)
        return shape->batch * shape->heads * shape->m * shape->head_dim;
    return shape->m * shape->n;
}

/* Product @batch of the shape, with its matrices' places. */
static double expected_gemm(const KernGpuShape *shape, const Copied *c, int64_t element)
{
    int64_t size = kern_gpu_type_bytes(shape->type), batch = element / (shape->m * shape->n);
    int64_t within = element % (shape->m * shape->n);
    return kern_gpu_reference_gemm(
        shape, (const unsigned char *)c->inputs[0] + batch * shape->m * shape->k * size,
        (const unsigned char *)c->inputs[1] + batch * shape->n * shape->k * size, within / shape->n,
        within % shape->n);
}

/* Attention over all tokens is decode attention of each of them: token @t of head h as a query. */
static double expected_attention(const KernGpuShape *shape, const Copied *c, int64_t element)
{
    int64_t head = element / (shape->m * shape->head_dim);
    int64_t token = element / shape->head_dim % shape->m;
    const unsigned char *queries = (const unsigned char *)c->inputs[0];
    KernGpuShape decode = *shape;
    if (shape->m > 1) { /* every head's keys are its own: one sequence of one head a pair */
        decode.batch = shape->batch * shape->heads;
        decode.heads = decode.kv_heads = 1;
        queries += (head * shape->m + token - head) * shape->head_dim * 2;
        return kern_gpu_reference_decode(&decode, queries, c->inputs[1], c->inputs[2], head, 0,
                                         element % shape->head_dim);
    }
    return kern_gpu_reference_decode(&decode, queries, c->inputs[1], c->inputs[2],
                                     head / shape->heads, head % shape->heads,
                                     element % shape->head_dim);
}

static double expected(const KernGpuShape *shape, const Copied *c, int64_t element)
{
    int64_t row = shape->n > 0 ? element / shape->n : 0, column = element - row * shape->n;
    switch (shape->op) {
    case KERN_GPU_GEMM:
        return expected_gemm(shape, c, element);
    case KERN_GPU_COPY:
        return kern_gpu_value(shape->type, c->inputs[0], element);
    case KERN_GPU_ADD:
        return kern_gpu_value(shape->type, c->inputs[0], element) +
               3.0 * kern_gpu_value(shape->type, c->inputs[1], element);
    case KERN_GPU_SOFTMAX:
        return kern_gpu_reference_softmax(shape, c->inputs[0], row, column);
    case KERN_GPU_RMSNORM:
        return kern_gpu_reference_rmsnorm(shape, c->inputs[0], c->inputs[1], row, column);
    default:
        return expected_attention(shape, c, element);
    }
}

/* The largest error of the samples over the scale of what was expected; NaN where a result is. */
static double error_of(const KernGpuShape *shape, const Copied *copied)
{
    int64_t elements = elements_of(shape);
    double worst = 0.0, squares = 0.0;
    for (int64_t i = 0; i < SAMPLES; i++) {
        int64_t element = i * SAMPLE_STRIDE % elements;
        double want = expected(shape, copied, element);
        double got = kern_gpu_result_value(shape->type, copied->output, element);
        if (isnan(got))
            return got;
        squares += want * want;
        worst = fmax(worst, fabs(got - want));
    }
    return worst / sqrt(squares / SAMPLES);
}

static bool check_case(KernGpuLab *lab, const Case *c, FILE *out)
{
    char text[160];
    KernGpuShape shape = shape_of(c);
    KernGpuTensors tensors;
    Copied copied = {};
    kern_gpu_csv_describe(&shape, text, sizeof text);
    if (kern_gpu_type_capability(shape.type) > lab->capability) {
        fprintf(out, "skipped  %s: this GPU has no %s\n", text, kern_gpu_type_name(shape.type));
        return true;
    }
    size_t bytes = (size_t)kern_gpu_held_bytes(&shape, lab->sms);
    bool well = kern_gpu_tensors_lay(lab, &shape, &tensors) &&
                kern_gpu_lab_fill(lab, tensors.output, KERN_GPU_INT8,
                                  elements_of(&shape) * kern_gpu_result_bytes(shape.type)) &&
                kern_gpu_ops_run(lab, &shape, &tensors) && bring(lab, &tensors, bytes, &copied);
    double error = well ? error_of(&shape, &copied) : NAN;
    free(copied.arena);
    if (!well)
        fprintf(out, "FAILED   %s: %s\n", text, lab->error);
    else
        fprintf(out, "%s  %s: error %.2g of scale, %.2g allowed\n",
                error <= c->tolerance ? "agrees " : "DIFFERS", text, error, c->tolerance);
    return error <= c->tolerance;
}

bool kern_gpu_check(KernGpuLab *lab, FILE *out)
{
    bool well = true;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        well = check_case(lab, &cases[i], out) && well;
    return well;
}

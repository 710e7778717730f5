/* The same operations as the kernels, in double precision and without any thought of speed, one
 * output element at a time: what `orrery-gpu-measure --check` compares a GPU's results with. Its
 * own readings of the number formats keep it independent of the toolkit: IEEE 754 binary16;
 * bfloat16, the upper half of binary32; e4m3 of Micikevicius et al. 2022 (arXiv 2209.05433), bias
 * 7, no infinity, NaN where all bits but the sign are set. */
#include "kern_gpu_value.h"

#include <math.h>
#include <string.h>

static const double norm_epsilon = 1e-6;

static double float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

/* A small float without infinities: sign, @exponent_bits, @mantissa_bits. */
static double small_float(uint32_t bits, int exponent_bits, int mantissa_bits)
{
    int bias = (1 << (exponent_bits - 1)) - 1;
    int exponent = (int)(bits >> mantissa_bits) & ((1 << exponent_bits) - 1);
    double fraction = (double)(bits & ((1u << mantissa_bits) - 1)) / (double)(1 << mantissa_bits);
    double magnitude =
        exponent == 0 ? ldexp(fraction, 1 - bias) : ldexp(1.0 + fraction, exponent - bias);
    return (bits >> (exponent_bits + mantissa_bits)) & 1u ? -magnitude : magnitude;
}

static double half_value(uint16_t bits)
{
    if ((bits & 0x7c00u) == 0x7c00u)
        return (bits & 0x3ffu) != 0 ? NAN : (bits & 0x8000u) != 0 ? -INFINITY : INFINITY;
    return small_float(bits, 5, 10);
}

double kern_gpu_value(KernGpuType type, const void *tensor, int64_t index)
{
    const unsigned char *at = (const unsigned char *)tensor + index * kern_gpu_type_bytes(type);
    uint32_t word = 0;
    memcpy(&word, at, (size_t)kern_gpu_type_bytes(type));
    switch (type) {
    case KERN_GPU_FP16:
        return half_value((uint16_t)word);
    case KERN_GPU_BF16:
        return float_of_bits(word << 16);
    case KERN_GPU_FP8:
        return (word & 0x7fu) == 0x7fu ? NAN : small_float(word, 4, 3);
    case KERN_GPU_INT8:
        return word < 128 ? (double)word : (double)word - 256.0;
    default:
        return float_of_bits(word);
    }
}

double kern_gpu_result_value(KernGpuType type, const void *tensor, int64_t index)
{
    if (type == KERN_GPU_FP8)
        return kern_gpu_value(KERN_GPU_BF16, tensor, index);
    if (type != KERN_GPU_INT8)
        return kern_gpu_value(type, tensor, index);
    int32_t value;
    memcpy(&value, (const unsigned char *)tensor + index * (int64_t)sizeof value, sizeof value);
    return (double)value;
}

double kern_gpu_reference_gemm(const KernGpuShape *shape, const void *a, const void *w, int64_t row,
                               int64_t column)
{
    double sum = 0.0;
    for (int64_t i = 0; i < shape->k; i++)
        sum += kern_gpu_value(shape->type, a, row * shape->k + i) *
               kern_gpu_value(shape->type, w, column * shape->k + i);
    return sum;
}

double kern_gpu_reference_softmax(const KernGpuShape *shape, const void *tensor, int64_t row,
                                  int64_t column)
{
    int64_t start = row * shape->n;
    double sum = 0.0;
    double here = kern_gpu_value(KERN_GPU_BF16, tensor, start + column);
    for (int64_t i = 0; i < shape->n; i++)
        sum += exp(kern_gpu_value(KERN_GPU_BF16, tensor, start + i) - here);
    return 1.0 / sum;
}

double kern_gpu_reference_rmsnorm(const KernGpuShape *shape, const void *tensor, const void *weight,
                                  int64_t row, int64_t column)
{
    int64_t start = row * shape->n;
    double squares = 0.0;
    for (int64_t i = 0; i < shape->n; i++) {
        double x = kern_gpu_value(KERN_GPU_BF16, tensor, start + i);
        squares += x * x;
    }
    return kern_gpu_value(KERN_GPU_BF16, tensor, start + column) *
           kern_gpu_value(KERN_GPU_BF16, weight, column) /
           sqrt(squares / (double)shape->n + norm_epsilon);
}

/* The score of one key, before the softmax. */
static double score_of(const KernGpuShape *shape, const void *queries, const void *keys,
                       int64_t query, int64_t key)
{
    double score = 0.0;
    for (int64_t d = 0; d < shape->head_dim; d++)
        score += kern_gpu_value(KERN_GPU_BF16, queries, query * shape->head_dim + d) *
                 kern_gpu_value(KERN_GPU_BF16, keys, key * shape->head_dim + d);
    return score / sqrt((double)shape->head_dim);
}

double kern_gpu_reference_decode(const KernGpuShape *shape, const void *queries, const void *keys,
                                 const void *values, int64_t sequence, int64_t head,
                                 int64_t dimension)
{
    int64_t kv_head = head / (shape->heads / shape->kv_heads);
    int64_t first = (sequence * shape->kv_heads + kv_head) * shape->context;
    int64_t query = sequence * shape->heads + head;
    double weights = 0.0, sum = 0.0;
    double base = score_of(shape, queries, keys, query, first);
    for (int64_t i = 0; i < shape->context; i++) {
        double weight = exp(score_of(shape, queries, keys, query, first + i) - base);
        weights += weight;
        sum += weight *
               kern_gpu_value(KERN_GPU_BF16, values, (first + i) * shape->head_dim + dimension);
    }
    return sum / weights;
}

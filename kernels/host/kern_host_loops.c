/* Norm, softmax, gated activation, rotary embedding, transposition, addition.
 *
 * A sum runs in LANES partial sums, so that the compiler can use vector registers without being
 * allowed to reorder additions. The exponential is 2^round(x / ln 2) times a polynomial of degree 6
 * on the rest (Cephes expf), without branches, because the C library's is a call per element.
 *
 *   norm      y = x r w,  r = (mean x^2 + eps)^(-1/2)              (Zhang and Sennrich 2019)
 *   backward  dx = r (dy w - x r^2 mean(x dy w)),  dw = sum over rows of x r dy
 *   softmax   p = exp(s - max) / sum;  ds = p (dp - sum(p dp))
 *   gate      y = u g / (1 + exp(-g))                              (Shazeer 2020, SwiGLU)
 *
 * Left out: dropout, biases, types other than fp32. */
#include "kern_host_loops.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 8 };
static const float EPSILON = 1e-5f;

static inline float fast_exp(float x)
{
    x = x < -80.0f ? -80.0f : x;
    x = x > 88.0f ? 88.0f : x;
    float shifted = x * 1.44269504f + 12582912.0f; /* 1.5 * 2^23 rounds to a whole number */
    float whole = shifted - 12582912.0f;
    float r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (int32_t)((uint32_t)(bits - 0x4B400000 + 127) << 23);
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

float kern_host_exp(float x)
{
    return fast_exp(x);
}

static float lanes_sum(const float *lane)
{
    float sum = 0.0f;
    for (size_t j = 0; j < LANES; j++)
        sum += lane[j];
    return sum;
}

static float dot(const float *a, const float *b, size_t count)
{
    float lane[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] += a[i + j] * b[i + j];
    for (; i < count; i++)
        lane[0] += a[i] * b[i];
    return lanes_sum(lane);
}

static float dot3(const float *a, const float *b, const float *c, size_t count)
{
    float lane[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] += a[i + j] * b[i + j] * c[i + j];
    for (; i < count; i++)
        lane[0] += a[i] * b[i] * c[i];
    return lanes_sum(lane);
}

static float row_scale(const float *x, size_t width)
{
    return 1.0f / sqrtf(dot(x, x, width) / (float)width + EPSILON);
}

void kern_host_norm(const float *x, const float *w, float *y, size_t rows, size_t width)
{
    for (size_t i = 0; i < rows; i++, x += width, y += width) {
        float r = row_scale(x, width);
        for (size_t j = 0; j < width; j++)
            y[j] = x[j] * r * w[j];
    }
}

void kern_host_norm_input(const float *x, const float *w, const float *dy, float *dx, size_t rows,
                          size_t width)
{
    for (size_t i = 0; i < rows; i++, x += width, dy += width, dx += width) {
        float r = row_scale(x, width);
        float mean = dot3(x, dy, w, width) / (float)width;
        float back = r * r * r * mean;
        for (size_t j = 0; j < width; j++)
            dx[j] = r * dy[j] * w[j] - x[j] * back;
    }
}

void kern_host_norm_weight(const float *x, const float *dy, float *dw, size_t rows, size_t width)
{
    for (size_t i = 0; i < rows; i++, x += width, dy += width) {
        float r = row_scale(x, width);
        for (size_t j = 0; j < width; j++)
            dw[j] += x[j] * r * dy[j];
    }
}

static float row_max(const float *p, size_t count)
{
    float lane[LANES];
    for (size_t j = 0; j < LANES; j++)
        lane[j] = p[0];
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] = lane[j] > p[i + j] ? lane[j] : p[i + j];
    for (; i < count; i++)
        lane[0] = lane[0] > p[i] ? lane[0] : p[i];
    float max = lane[0];
    for (size_t j = 1; j < LANES; j++)
        max = max > lane[j] ? max : lane[j];
    return max;
}

static float row_exp(float *p, size_t count, float scale, float max)
{
    float lane[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++) {
            p[i + j] = fast_exp((p[i + j] - max) * scale);
            lane[j] += p[i + j];
        }
    for (; i < count; i++) {
        p[i] = fast_exp((p[i] - max) * scale);
        lane[0] += p[i];
    }
    return lanes_sum(lane);
}

void kern_host_softmax(float *p, size_t rows, size_t width, size_t seen, size_t step, float scale)
{
    for (size_t i = 0; i < rows; i++, p += width) {
        size_t count = seen + i * step;
        count = count < width ? count : width;
        for (size_t j = count; j < width; j++)
            p[j] = -3e38f;
        float max = row_max(p, width);
        float inverse = 1.0f / row_exp(p, width, scale, max);
        for (size_t j = 0; j < count; j++)
            p[j] *= inverse;
        for (size_t j = count; j < width; j++)
            p[j] = 0.0f;
    }
}

void kern_host_softmax_back(const float *p, float *dp, size_t rows, size_t width, float scale)
{
    for (size_t i = 0; i < rows; i++, p += width, dp += width) {
        float sum = dot(p, dp, width);
        for (size_t j = 0; j < width; j++)
            dp[j] = scale * p[j] * (dp[j] - sum);
    }
}

void kern_host_gate(const float *x, float *y, size_t rows, size_t width)
{
    for (size_t i = 0; i < rows; i++, x += 2 * width, y += width)
        for (size_t j = 0; j < width; j++)
            y[j] = x[width + j] * x[j] / (1.0f + fast_exp(-x[j]));
}

void kern_host_gate_back(const float *x, const float *dy, float *dx, size_t rows, size_t width)
{
    for (size_t i = 0; i < rows; i++, x += 2 * width, dx += 2 * width, dy += width)
        for (size_t j = 0; j < width; j++) {
            float g = x[j], s = 1.0f / (1.0f + fast_exp(-g));
            dx[j] = dy[j] * x[width + j] * s * (1.0f + g * (1.0f - s));
            dx[width + j] = dy[j] * g * s;
        }
}

void kern_host_rotate(float *x, const float *cosines, const float *sines, size_t rows,
                      size_t stride, size_t heads, size_t head_dim, float sign)
{
    size_t half = head_dim / 2;
    for (size_t i = 0; i < rows; i++, x += stride, cosines += half, sines += half)
        for (size_t h = 0; h < heads; h++) {
            float *low = x + h * head_dim, *high = low + half;
            for (size_t j = 0; j < half; j++) {
                float a = low[j], b = high[j], s = sign * sines[j];
                low[j] = a * cosines[j] - b * s;
                high[j] = a * s + b * cosines[j];
            }
        }
}

void kern_host_transpose(float *tokens, float *by_head, size_t rows, size_t stride, size_t heads,
                         size_t head_dim, int gather)
{
    for (size_t h = 0; h < heads; h++)
        for (size_t i = 0; i < rows; i++) {
            float *token = tokens + i * stride + h * head_dim;
            float *head = by_head + (h * rows + i) * head_dim;
            memcpy(gather ? head : token, gather ? token : head, head_dim * sizeof *token);
        }
}

void kern_host_add(const float *a, const float *b, float *y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] = a[i] + b[i];
}

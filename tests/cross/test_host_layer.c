/* The layer of tests/support/host_layer.c against a naive one in double, forward, and its backward
 * against differences of the naive forward. */
#include "host_layer.h"
#include "kern_host_bench.h"
#include "kern_host_loops.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static KernHostBlas *blas_or_skip(void)
{
    g_autoptr(GError) error = NULL;
    KernHostBlas *blas = kern_host_blas_open(1, &error);
    if (!blas)
        cr_skip_test("%s", error->message);
    return blas;
}

static void naive_norm(const double *x, const float *w, double *y, size_t width)
{
    double sum = 0.0;
    for (size_t j = 0; j < width; j++)
        sum += x[j] * x[j];
    for (size_t j = 0; j < width; j++)
        y[j] = x[j] / sqrt(sum / (double)width + 1e-5) * w[j];
}

static void naive_product(const double *x, const float *w, double *y, size_t rows, size_t n,
                          size_t k)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < n; j++) {
            y[i * n + j] = 0.0;
            for (size_t l = 0; l < k; l++)
                y[i * n + j] += x[i * k + l] * w[j * k + l];
        }
}

static void naive_rotate(double *head, size_t position, size_t d)
{
    for (size_t j = 0; j < d / 2; j++) {
        double angle = (double)position * pow(10000.0, -2.0 * (double)j / (double)d);
        double a = head[j], b = head[j + d / 2];
        head[j] = a * cos(angle) - b * sin(angle);
        head[j + d / 2] = a * sin(angle) + b * cos(angle);
    }
}

/* Attention of token @i of a sequence whose qkv rows start at @qkv. */
static void naive_attend(const HostLayerShape *s, const double *qkv, size_t i, double *out)
{
    size_t d = s->head_dim, n = s->heads * d;
    for (size_t h = 0; h < s->heads; h++) {
        double p[64], sum = 0.0;
        for (size_t j = 0; j <= i; j++) {
            p[j] = 0.0;
            for (size_t l = 0; l < d; l++)
                p[j] += qkv[i * 3 * n + h * d + l] * qkv[j * 3 * n + n + h * d + l];
            p[j] = exp(p[j] / sqrt((double)d));
            sum += p[j];
        }
        for (size_t l = 0; l < d; l++) {
            out[h * d + l] = 0.0;
            for (size_t j = 0; j <= i; j++)
                out[h * d + l] += p[j] / sum * qkv[j * 3 * n + 2 * n + h * d + l];
        }
    }
}

/* sum(dy * layer(x)); y when it is asked for. */
static double naive(const HostLayerShape *s, float *const *w, const float *x, const float *dy,
                    double *y)
{
    size_t r = host_layer_rows(s), h = s->hidden, n = s->heads * s->head_dim, f = s->ffn;
    g_autofree double *in = g_new(double, r *h);
    g_autofree double *norm = g_new(double, r *h);
    g_autofree double *qkv = g_new(double, r * 3 * n);
    g_autofree double *context = g_new(double, r *n);
    g_autofree double *branch = g_new(double, r *h);
    g_autofree double *up = g_new(double, r * 2 * f);
    g_autofree double *active = g_new(double, r *f);
    for (size_t i = 0; i < r * h; i++)
        in[i] = x[i];
    for (size_t i = 0; i < r; i++)
        naive_norm(in + i * h, w[HOST_NORM1], norm + i * h, h);
    naive_product(norm, w[HOST_QKV], qkv, r, 3 * n, h);
    for (size_t i = 0; i < r; i++)
        for (size_t j = 0; j < 2 * s->heads; j++)
            naive_rotate(qkv + i * 3 * n + j * s->head_dim, i % s->tokens, s->head_dim);
    for (size_t i = 0; i < r; i++)
        naive_attend(s, qkv + i / s->tokens * s->tokens * 3 * n, i % s->tokens, context + i * n);
    naive_product(context, w[HOST_OUT], branch, r, h, n);
    for (size_t i = 0; i < r * h; i++)
        in[i] += branch[i];
    for (size_t i = 0; i < r; i++)
        naive_norm(in + i * h, w[HOST_NORM2], norm + i * h, h);
    naive_product(norm, w[HOST_UP], up, r, 2 * f, h);
    for (size_t i = 0; i < r * f; i++) {
        double g = up[i / f * 2 * f + i % f], u = up[i / f * 2 * f + f + i % f];
        active[i] = u * g / (1.0 + exp(-g));
    }
    naive_product(active, w[HOST_DOWN], branch, r, h, f);
    double sum = 0.0;
    for (size_t i = 0; i < r * h; i++) {
        sum += dy[i] * (in[i] + branch[i]);
        if (y)
            y[i] = in[i] + branch[i];
    }
    return sum;
}

static const HostLayerShape tiny = {2, 7, 7, 24, 3, 8, 40};

Test(host_layer, forward_is_that_of_a_naive_layer)
{
    g_autoptr(KernHostBlas) blas = blas_or_skip();
    g_autoptr(HostLayer) layer = host_layer_new(blas, &tiny, 1);
    size_t count = host_layer_rows(&tiny) * tiny.hidden;
    g_autofree float *x = kern_host_buffer(count);
    g_autofree float *y = g_new(float, count);
    g_autofree double *want = g_new(double, count);
    host_layer_forward(layer, 0, x, y);
    naive(&tiny, host_layer_weights(layer, 0)->tensor, x, x, want);
    for (size_t i = 0; i < count; i++)
        cr_assert(fabs(y[i] - want[i]) < 2e-5 * (1.0 + fabs(want[i])), "%zu: %g for %g", i,
                  (double)y[i], want[i]);
}

/* The token that is decoded after others comes out as if all had been computed together. */
Test(host_layer, decode_continues_prefill)
{
    g_autoptr(KernHostBlas) blas = blas_or_skip();
    HostLayerShape one = tiny;
    one.tokens = 1;
    g_autoptr(HostLayer) decode = host_layer_new(blas, &one, 1);
    size_t h = tiny.hidden, rows = host_layer_rows(&tiny);
    g_autofree float *x = kern_host_buffer(rows * h);
    g_autofree double *want = g_new(double, rows *h);
    g_autofree float *last = g_new(float, tiny.sequences *h);
    g_autofree float *y = g_new(float, tiny.sequences *h);
    naive(&tiny, host_layer_weights(decode, 0)->tensor, x, x, want);
    for (size_t t = 0; t < tiny.tokens; t++) {
        for (size_t b = 0; b < tiny.sequences; b++)
            memcpy(last + b * h, x + (b * tiny.tokens + t) * h, h * sizeof *last);
        host_layer_decode(decode, 0, t, last, y);
    }
    for (size_t b = 0; b < tiny.sequences; b++)
        for (size_t j = 0; j < h; j++) {
            double expected = want[(b * tiny.tokens + tiny.tokens - 1) * h + j];
            cr_assert(fabs(y[b * h + j] - expected) < 2e-5 * (1.0 + fabs(expected)));
        }
}

static void check_gradient(float *at, double got, float *const *w, float *x, const float *dy,
                           const char *what, size_t index)
{
    const float step = 1e-3f, kept = *at;
    volatile float high = kept + step, low = kept - step;
    *at = high;
    double above = naive(&tiny, w, x, dy, NULL);
    *at = low;
    double below = naive(&tiny, w, x, dy, NULL);
    *at = kept;
    double want = (above - below) / ((double)high - (double)low);
    cr_expect(fabs(got - want) < 1e-4 * (1.0 + fabs(want)), "%s %zu: %g for %g", what, index, got,
              want);
}

Test(host_layer, backward_is_the_slope_of_the_forward)
{
    static const char *const names[] = {"norm1", "qkv", "out", "norm2", "up", "down"};
    g_autoptr(KernHostBlas) blas = blas_or_skip();
    g_autoptr(HostLayer) layer = host_layer_new(blas, &tiny, 1);
    size_t count = host_layer_rows(&tiny) * tiny.hidden;
    g_autofree float *x = kern_host_buffer(count);
    g_autofree float *dy = kern_host_buffer(2 * count);
    g_autofree float *y = g_new(float, count);
    g_autofree float *dx = g_new(float, count);
    HostWeights *w = host_layer_weights(layer, 0), *g = host_layer_gradients(layer, 0);
    host_layer_forward(layer, 0, x, y);
    host_layer_backward(layer, 0, x, dy + count, dx);
    for (size_t i = 0; i < count; i += 5)
        check_gradient(&x[i], dx[i], w->tensor, x, dy + count, "x", i);
    for (int t = 0; t < HOST_TENSORS; t++)
        for (size_t i = 0; i < host_layer_size(&tiny, (HostTensor)t); i += 37)
            check_gradient(&w->tensor[t][i], g->tensor[t][i], w->tensor, x, dy + count, names[t],
                           i);
}

Test(host_layer, the_exponential_of_the_loops_is_one)
{
    for (double x = -79.9; x < 87.9; x += 0.0371) {
        double want = exp((double)(float)x), got = kern_host_exp((float)x);
        cr_assert(fabs(got / want - 1.0) < 3e-7, "exp(%g) = %g", x, got);
    }
}

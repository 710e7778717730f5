/* The layer, operation by operation in the order of models/model_ops.c. */
#include "host_layer.h"

#include "kern_host_bench.h"
#include "kern_host_loops.h"

#include <math.h>
#include <string.h>

struct HostLayer {
    const KernHostBlas *blas;
    HostLayerShape s;
    size_t copies, rows, inner; /* inner = heads x head_dim */
    size_t seen;                /* keys that the last token attends to, at most s.keys */
    HostWeights *weights, *gradients;
    float **cache_k, **cache_v; /* decode: of each copy; prefill: copy 0 serves all */
    float *cosines, *sines;
    /* Kept from forward to backward. */
    float *norm1, *qkv, *q, *scores, *context, *middle, *norm2, *up, *active, *branch;
    /* Of the backward. */
    float *d_active, *d_up, *d_norm, *d_branch, *d_middle, *d_context, *d_scores, *dq, *dk, *dv,
        *d_qkv;
};

size_t host_layer_rows(const HostLayerShape *s)
{
    return s->sequences * s->tokens;
}

size_t host_layer_size(const HostLayerShape *s, HostTensor tensor)
{
    size_t inner = s->heads * s->head_dim;
    const size_t sizes[] = {
        [HOST_NORM1] = s->hidden,           [HOST_QKV] = 3 * inner * s->hidden,
        [HOST_OUT] = inner * s->hidden,     [HOST_NORM2] = s->hidden,
        [HOST_UP] = 2 * s->ffn * s->hidden, [HOST_DOWN] = s->ffn * s->hidden,
    };
    return sizes[tensor];
}

/* Values whose products stay of the order of one. */
static float *scaled(size_t count, float scale, float offset)
{
    float *values = kern_host_buffer(count);
    for (size_t i = 0; i < count; i++)
        values[i] = offset + scale * values[i];
    return values;
}

static void fill_weights(HostLayer *l, size_t copy)
{
    for (int t = 0; t < HOST_TENSORS; t++) {
        size_t size = host_layer_size(&l->s, (HostTensor)t);
        bool norm = t == HOST_NORM1 || t == HOST_NORM2;
        float scale = norm ? 0.5f : 2.0f / sqrtf((float)l->s.hidden);
        l->weights[copy].tensor[t] = scaled(size, scale, norm ? 1.0f : 0.0f);
        l->gradients[copy].tensor[t] = scaled(size, 0.0f, 0.0f);
    }
    size_t keys = l->s.sequences * l->s.keys * l->inner;
    l->cache_k[copy] = scaled(keys, 1.0f, 0.0f);
    l->cache_v[copy] = scaled(keys, 1.0f, 0.0f);
}

static void fill_angles(HostLayer *l)
{
    size_t half = l->s.head_dim / 2, rows = l->rows;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < half; j++) {
            size_t position = l->seen - l->s.tokens + i % l->s.tokens;
            double angle =
                (double)position * pow(10000.0, -2.0 * (double)j / (double)l->s.head_dim);
            l->cosines[i * half + j] = (float)cos(angle);
            l->sines[i * half + j] = (float)sin(angle);
        }
}

HostLayer *host_layer_new(const KernHostBlas *blas, const HostLayerShape *shape, size_t copies)
{
    HostLayer *l = g_new0(HostLayer, 1);
    l->blas = blas;
    l->s = *shape;
    l->copies = copies;
    l->rows = host_layer_rows(shape);
    l->inner = shape->heads * shape->head_dim;
    l->weights = g_new0(HostWeights, copies);
    l->gradients = g_new0(HostWeights, copies);
    l->cache_k = g_new0(float *, copies);
    l->cache_v = g_new0(float *, copies);
    for (size_t i = 0; i < copies; i++)
        fill_weights(l, i);
    l->seen = shape->keys;
    l->cosines = g_new(float, l->rows * shape->head_dim / 2);
    l->sines = g_new(float, l->rows * shape->head_dim / 2);
    fill_angles(l);
    size_t r = l->rows, h = shape->hidden, f = shape->ffn, n = l->inner;
    size_t scores = shape->sequences * shape->heads * shape->tokens * shape->keys;
    const struct {
        float **at;
        size_t count;
    } buffers[] = {
        {&l->norm1,     r * h    },
        {&l->qkv,       r * 3 * n},
        {&l->q,         r * n    },
        {&l->scores,    scores   },
        {&l->context,   r * n    },
        {&l->middle,    r * h    },
        {&l->norm2,     r * h    },
        {&l->up,        r * 2 * f},
        {&l->active,    r * f    },
        {&l->branch,    r * h    },
        {&l->d_active,  r * f    },
        {&l->d_up,      r * 2 * f},
        {&l->d_norm,    r * h    },
        {&l->d_branch,  r * h    },
        {&l->d_middle,  r * h    },
        {&l->d_context, r * n    },
        {&l->d_scores,  scores   },
        {&l->dq,        r * n    },
        {&l->dk,        r * n    },
        {&l->dv,        r * n    },
        {&l->d_qkv,     r * 3 * n},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(buffers); i++)
        *buffers[i].at = kern_host_buffer(buffers[i].count);
    return l;
}

void host_layer_free(HostLayer *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->copies; i++) {
        for (int t = 0; t < HOST_TENSORS; t++) {
            g_free(l->weights[i].tensor[t]);
            g_free(l->gradients[i].tensor[t]);
        }
        g_free(l->cache_k[i]);
        g_free(l->cache_v[i]);
    }
    float *buffers[] = {l->cosines,  l->sines,  l->norm1,  l->qkv,      l->q,        l->scores,
                        l->context,  l->middle, l->norm2,  l->up,       l->active,   l->branch,
                        l->d_active, l->d_up,   l->d_norm, l->d_branch, l->d_middle, l->d_context,
                        l->d_scores, l->dq,     l->dk,     l->dv,       l->d_qkv};
    for (size_t i = 0; i < G_N_ELEMENTS(buffers); i++)
        g_free(buffers[i]);
    g_free(l->weights);
    g_free(l->gradients);
    g_free(l->cache_k);
    g_free(l->cache_v);
    g_free(l);
}

HostWeights *host_layer_weights(HostLayer *layer, size_t copy)
{
    return &layer->weights[copy];
}

HostWeights *host_layer_gradients(HostLayer *layer, size_t copy)
{
    return &layer->gradients[copy];
}

/* Densely stored operands. */
static void multiply(HostLayer *l, KernHostSides sides, size_t m, size_t n, size_t k,
                     const float *a, const float *b, float *c)
{
    kern_host_blas_multiply(l->blas, sides, (int)m, (int)n, (int)k, a,
                            (int)(sides == KERN_HOST_TN ? m : k), b,
                            (int)(sides == KERN_HOST_NT ? k : n), c, (int)n);
}

/* From token order to head order, sequence by sequence, or back. */
static void transpose(HostLayer *l, float *tokens, size_t stride, float *by_head, size_t length,
                      size_t at, int gather)
{
    size_t t = l->s.tokens;
    for (size_t b = 0; b < l->s.sequences; b++) {
        float *from = tokens + b * t * stride;
        float *to = by_head + b * l->s.heads * length * l->s.head_dim;
        if (length == t)
            kern_host_transpose(from, to, t, stride, l->s.heads, l->s.head_dim, gather);
        else
            for (size_t h = 0; h < l->s.heads; h++)
                memcpy(to + (h * length + at) * l->s.head_dim, from + h * l->s.head_dim,
                       l->s.head_dim * sizeof *to);
    }
}

static void attend(HostLayer *l, size_t copy)
{
    size_t d = l->s.head_dim, t = l->s.tokens, keys = l->seen, n = l->inner;
    size_t room = l->s.keys * d; /* of a head in the cache */
    float scale = 1.0f / sqrtf((float)d);
    float *k = l->cache_k[copy], *v = l->cache_v[copy];
    transpose(l, l->qkv, 3 * n, l->q, t, 0, 1);
    transpose(l, l->qkv + n, 3 * n, k, l->s.keys, keys - t, 1);
    transpose(l, l->qkv + 2 * n, 3 * n, v, l->s.keys, keys - t, 1);
    size_t heads = l->s.sequences * l->s.heads;
    for (size_t i = 0; i < heads; i++)
        multiply(l, KERN_HOST_NT, t, keys, d, l->q + i * t * d, k + i * room,
                 l->scores + i * t * keys);
    for (size_t i = 0; i < heads; i++)
        kern_host_softmax(l->scores + i * t * keys, t, keys, keys - t + 1, 1, scale);
    for (size_t i = 0; i < heads; i++) {
        float *out = l->context + i / l->s.heads * t * n + i % l->s.heads * d;
        kern_host_blas_multiply(l->blas, KERN_HOST_NN, (int)t, (int)d, (int)keys,
                                l->scores + i * t * keys, (int)keys, v + i * room, (int)d, out,
                                (int)n);
    }
}

static void rotate(HostLayer *l, float *qkv, float sign)
{
    size_t n = l->inner;
    for (size_t part = 0; part < 2; part++)
        kern_host_rotate(qkv + part * n, l->cosines, l->sines, l->rows, 3 * n, l->s.heads,
                         l->s.head_dim, sign);
}

void host_layer_forward(HostLayer *l, size_t copy, const float *x, float *y)
{
    float **w = l->weights[copy].tensor;
    size_t r = l->rows, h = l->s.hidden, n = l->inner, f = l->s.ffn;
    kern_host_norm(x, w[HOST_NORM1], l->norm1, r, h);
    multiply(l, KERN_HOST_NT, r, 3 * n, h, l->norm1, w[HOST_QKV], l->qkv);
    rotate(l, l->qkv, 1.0f);
    attend(l, copy);
    multiply(l, KERN_HOST_NT, r, h, n, l->context, w[HOST_OUT], l->branch);
    kern_host_add(x, l->branch, l->middle, r * h);
    kern_host_norm(l->middle, w[HOST_NORM2], l->norm2, r, h);
    multiply(l, KERN_HOST_NT, r, 2 * f, h, l->norm2, w[HOST_UP], l->up);
    kern_host_gate(l->up, l->active, r, f);
    multiply(l, KERN_HOST_NT, r, h, f, l->active, w[HOST_DOWN], l->branch);
    kern_host_add(l->middle, l->branch, y, r * h);
}

void host_layer_decode(HostLayer *l, size_t copy, size_t position, const float *x, float *y)
{
    l->seen = position + 1;
    fill_angles(l);
    host_layer_forward(l, copy, x, y);
}

static void attend_back(HostLayer *l, size_t copy)
{
    size_t d = l->s.head_dim, t = l->s.tokens, n = l->inner, heads = l->s.sequences * l->s.heads;
    float scale = 1.0f / sqrtf((float)d);
    for (size_t i = 0; i < heads; i++) {
        const float *out = l->d_context + i / l->s.heads * t * n + i % l->s.heads * d;
        kern_host_blas_multiply(l->blas, KERN_HOST_NT, (int)t, (int)t, (int)d, out, (int)n,
                                l->cache_v[copy] + i * t * d, (int)d, l->d_scores + i * t * t,
                                (int)t);
        kern_host_blas_multiply(l->blas, KERN_HOST_TN, (int)t, (int)d, (int)t,
                                l->scores + i * t * t, (int)t, out, (int)n, l->dv + i * t * d,
                                (int)d);
    }
    for (size_t i = 0; i < heads; i++)
        kern_host_softmax_back(l->scores + i * t * t, l->d_scores + i * t * t, t, t, scale);
    for (size_t i = 0; i < heads; i++) {
        multiply(l, KERN_HOST_NN, t, d, t, l->d_scores + i * t * t, l->cache_k[copy] + i * t * d,
                 l->dq + i * t * d);
        multiply(l, KERN_HOST_TN, t, d, t, l->d_scores + i * t * t, l->q + i * t * d,
                 l->dk + i * t * d);
    }
    transpose(l, l->d_qkv, 3 * n, l->dq, t, 0, 0);
    transpose(l, l->d_qkv + n, 3 * n, l->dk, t, 0, 0);
    transpose(l, l->d_qkv + 2 * n, 3 * n, l->dv, t, 0, 0);
}

void host_layer_backward(HostLayer *l, size_t copy, const float *x, const float *dy, float *dx)
{
    float **w = l->weights[copy].tensor, **g = l->gradients[copy].tensor;
    size_t r = l->rows, h = l->s.hidden, n = l->inner, f = l->s.ffn;
    multiply(l, KERN_HOST_NN, r, f, h, dy, w[HOST_DOWN], l->d_active);
    multiply(l, KERN_HOST_TN, h, f, r, dy, l->active, g[HOST_DOWN]);
    kern_host_gate_back(l->up, l->d_active, l->d_up, r, f);
    multiply(l, KERN_HOST_NN, r, h, 2 * f, l->d_up, w[HOST_UP], l->d_norm);
    multiply(l, KERN_HOST_TN, 2 * f, h, r, l->d_up, l->norm2, g[HOST_UP]);
    kern_host_norm_input(l->middle, w[HOST_NORM2], l->d_norm, l->d_branch, r, h);
    kern_host_norm_weight(l->middle, l->d_norm, g[HOST_NORM2], r, h);
    kern_host_add(dy, l->d_branch, l->d_middle, r * h);
    multiply(l, KERN_HOST_NN, r, n, h, l->d_middle, w[HOST_OUT], l->d_context);
    multiply(l, KERN_HOST_TN, h, n, r, l->d_middle, l->context, g[HOST_OUT]);
    attend_back(l, copy);
    rotate(l, l->d_qkv, -1.0f);
    multiply(l, KERN_HOST_NN, r, h, 3 * n, l->d_qkv, w[HOST_QKV], l->d_norm);
    multiply(l, KERN_HOST_TN, 3 * n, h, r, l->d_qkv, l->norm1, g[HOST_QKV]);
    kern_host_norm_input(x, w[HOST_NORM1], l->d_norm, l->d_branch, r, h);
    kern_host_norm_weight(x, l->d_norm, g[HOST_NORM1], r, h);
    kern_host_add(l->d_middle, l->d_branch, dx, r * h);
}

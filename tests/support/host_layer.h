/** A transformer layer that really runs: OpenBLAS for products, kern_host_loops.h for the rest. RMS
 *  norms, rotary positions, causal attention, gated MLP, no biases; fp32. */
#ifndef HOST_LAYER_H
#define HOST_LAYER_H

#include "kern_host_blas.h"

#include <stddef.h>

/** @sequences sequences; prefill computes @tokens tokens of each, decode (@tokens = 1) one that
 *  follows keys - 1 others. Prefill has keys = tokens. */
typedef struct HostLayerShape {
    size_t sequences, tokens, keys, hidden, heads, head_dim, ffn;
} HostLayerShape;

typedef enum HostTensor {
    HOST_NORM1,
    HOST_QKV,
    HOST_OUT,
    HOST_NORM2,
    HOST_UP,
    HOST_DOWN,
    HOST_TENSORS
} HostTensor;

/** Parameters of one layer, or their gradients. Matrices are [output][input]. */
typedef struct HostWeights {
    float *tensor[HOST_TENSORS];
} HostWeights;

typedef struct HostLayer HostLayer;

/** A stack of @copies layers with weights of their own; decode has caches of their own as well. */
HostLayer *host_layer_new(const KernHostBlas *blas, const HostLayerShape *shape, size_t copies);
void host_layer_free(HostLayer *layer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HostLayer, host_layer_free)

size_t host_layer_rows(const HostLayerShape *shape);
size_t host_layer_size(const HostLayerShape *shape, HostTensor tensor);

HostWeights *host_layer_weights(HostLayer *layer, size_t copy);
HostWeights *host_layer_gradients(HostLayer *layer, size_t copy);

/** y = layer(x), both rows x hidden. */
void host_layer_forward(HostLayer *layer, size_t copy, const float *x, float *y);

/** Decode: the tokens at @position (from 0) of all sequences, after those before them. */
void host_layer_decode(HostLayer *layer, size_t copy, size_t position, const float *x, float *y);

/** dx and the gradients from @dy, after a forward of the same copy from the same @x; prefill. */
void host_layer_backward(HostLayer *layer, size_t copy, const float *x, const float *dy, float *dx);

#endif

/** Seconds of fused (FlashAttention) prefill attention, forward and backward. */
#ifndef KERN_ATTENTION_H
#define KERN_ATTENTION_H

#include "kern_profile.h"

/** Generations of fused attention. */
typedef enum KernAttentionKernels {
    KERN_ATTENTION_FITTED, /* what the profile was fitted on: the best of that GPU */
    KERN_ATTENTION_FLASH_1,
    KERN_ATTENTION_FLASH_2,
} KernAttentionKernels;

/** @batch (sequences x query heads) products of @queries against @keys, heads @head_dim wide,
 *  of which @unmasked_fraction is not masked away. */
typedef struct KernAttentionShape {
    int64_t batch;
    int64_t kv_batch; /* sequences x key/value heads; 0: not told */
    int64_t queries;
    int64_t keys;
    int64_t head_dim;
    double unmasked_fraction;
    TopoDtype dtype;
    KernAttentionKernels kernels;
} KernAttentionShape;

/** Two products: 4 batch queries keys head_dim, times what is not masked. */
double kern_attention_forward_flop(const KernAttentionShape *shape);

/** Seconds of the forward kernel. Pure. */
double kern_attention_forward_s(const KernDevice *device, const KernAttentionShape *shape);

/** Seconds of the backward kernels: five products where the forward has two. Pure. */
double kern_attention_backward_s(const KernDevice *device, const KernAttentionShape *shape);

/** The forward with explicit coefficients (what the fit iterates on). */
double kern_attention_form_s(const KernDevice *device, const KernAttentionFit *fit,
                             const KernAttentionShape *shape);

#endif

/** Seconds of prefill attention as a serving engine runs it, cache write included. */
#ifndef KERN_PREFILL_H
#define KERN_PREFILL_H

#include "kern_profile.h"

/** @sequences new prompts of @queries tokens each, causal; chunks, when @past is not 0. */
typedef struct KernPrefillShape {
    int64_t sequences;
    int64_t queries;
    int64_t past; /* tokens of the sequence that the cache holds already; 0: a whole prompt */
    int64_t heads;
    int64_t kv_heads;
    int64_t head_dim;
    int64_t value_dim; /* width of the values; 0: head_dim (MLA: narrower than the keys) */
    int64_t window;    /* keys that a query sees; 0: all before it */
    TopoDtype dtype;   /* of the products */
    bool fp8_cache;
} KernPrefillShape;

/** Floating-point operations that the mask leaves. */
double kern_prefill_flop(const KernPrefillShape *shape);

/** The fit for @shape: of its class, else of the nearest head width; NULL when the profile has
 *  none. */
const KernPrefillFit *kern_prefill_fit(const KernProfile *profile, const KernPrefillShape *shape);

/** Seconds on @device: by its table where that reaches, else by its profile; pure. A profile
 * without prefill fits is priced by its fused attention (kern_attention.h): no better than a
 * datasheet. */
double kern_prefill_s(const KernDevice *device, const KernPrefillShape *shape);

/** As kern_prefill_s() with explicit coefficients. */
double kern_prefill_form_s(const KernDevice *device, const KernPrefillFit *fit,
                           const KernPrefillShape *shape);

#endif

/** Seconds of decode attention: one new token of each sequence against its KV cache. */
#ifndef KERN_DECODE_H
#define KERN_DECODE_H

#include "kern_profile.h"

typedef struct KernDecodeShape {
    int64_t sequences;
    int64_t context; /* tokens of each, the new one included */
    int64_t heads;
    int64_t kv_heads;
    int64_t head_dim;
    int64_t window;       /* tokens that count; 0: all */
    int64_t latent_width; /* MLA: width of the vector that all heads share; 0: ordinary heads */
    int64_t rope_width;   /* MLA: its rotary part */
    TopoDtype dtype;      /* of the products */
    bool fp8_cache;
} KernDecodeShape;

/** Bytes of the cache that must be read. */
double kern_decode_cache_bytes(const KernDecodeShape *shape);

/** Floating-point operations of all heads. */
double kern_decode_flop(const KernDecodeShape *shape);

/** The fit for @shape: of its class, else of the nearest head width; NULL when the profile has
 *  none. */
const KernDecodeFit *kern_decode_fit(const KernProfile *profile, const KernDecodeShape *shape);

/** Seconds on @device: by its table where that reaches, else by its profile; pure. Without a fit, a
 * pass over the cache (kern_pass.h). */
double kern_decode_s(const KernDevice *device, const KernDecodeShape *shape);

/** As kern_decode_s() with explicit coefficients. */
double kern_decode_form_s(const KernDevice *device, const KernDecodeFit *fit,
                          const KernDecodeShape *shape);

#endif

/** Seconds of a layer of experts on one rank: routing, grouped products, activation, combine. */
#ifndef KERN_MOE_H
#define KERN_MOE_H

#include "kern_profile.h"

typedef struct KernMoeShape {
    int64_t tokens; /* of all ranks that share the experts */
    int64_t hidden;
    int64_t inter; /* width of an expert, before it is cut */
    int64_t topk;
    int64_t experts;      /* of the layer */
    int64_t tensor;       /* ranks that cut each expert */
    int64_t expert;       /* ranks that share the experts out */
    double power;         /* exponent of the power law of the experts' loads; 0: balanced */
    KernMoeType type;     /* of weights and products */
    bool ungated;         /* two matrices an expert, not three */
    KernMoeFamily family; /* of kernels */
} KernMoeShape;

/** What the routing leaves on the fullest rank. */
typedef struct KernMoeLoad {
    double assignments; /* tokens times the experts that they chose here */
    double touched;     /* experts with any token */
} KernMoeLoad;
KernMoeLoad kern_moe_load(const KernMoeFit *fit, const KernMoeShape *shape);

/** Bytes of one weight of @type, scales included. */
double kern_moe_weight_bytes(KernMoeType type);

/** The type of the products of @type. */
TopoDtype kern_moe_dtype(KernMoeType type);

/** The fit for @shape: of its type and family, else of its type, else of bf16; NULL when the
 *  profile has none. */
const KernMoeFit *kern_moe_fit(const KernProfile *profile, const KernMoeShape *shape);

/** Seconds on @device: by its table where that reaches, else by its profile; pure. Without a fit, a
 * pass over the weights that are touched. */
double kern_moe_s(const KernDevice *device, const KernMoeShape *shape);

/** As kern_moe_s() with explicit coefficients. */
double kern_moe_form_s(const KernDevice *device, const KernMoeFit *fit, const KernMoeShape *shape);

#endif

/** What a device was measured to do: the coefficients that turn a shape into seconds. */
#ifndef KERN_PROFILE_H
#define KERN_PROFILE_H

#include "kern_serve_fit.h"
#include "topo_cluster.h"

#include <glib.h>

/** How sure a cost is, from best to worst; an answer takes the weakest grade of its parts. */
typedef enum KernGrade {
    KERN_GRADE_FITTED,    /* measured on this device, fitted */
    KERN_GRADE_DATASHEET, /* borrowed from another device's fit, scaled by datasheet rates */
} KernGrade;

/** Output tiles of a GEMM kernel; both orders of a pair are tried. */
typedef enum KernTile {
    KERN_TILE_256X128,
    KERN_TILE_128X128,
    KERN_TILE_128X64,
    KERN_TILE_64X64,
    KERN_TILE_64X16,
    KERN_TILE_COUNT
} KernTile;

/** Coefficients of the GEMM form of kern_gemm.c for one input type. Fractions are of the
 *  datasheet's rates. */
typedef struct KernGemmFit {
    double tile_fraction[KERN_TILE_COUNT]; /* steady-state rate of one SM with that tile */
    double tile_overhead_k;                /* prologue and epilogue of a tile, in steps of k */
    double wave_quantisation;              /* 1: a last, partial wave costs a whole one; 0: free */
    double memory_fraction;                /* of HBM bandwidth */
    double overlap_exponent;               /* p of the p-norm that joins compute and memory */
    double launch_s;
    double median_error_fraction; /* of the fit, over @rows */
    double p90_error_fraction;
    int64_t rows;
} KernGemmFit;

/** Fused attention: see kern_attention.c. */
typedef struct KernAttentionFit {
    const char *source;      /* of the backward, which the fit leaves alone */
    double forward_fraction; /* of peak, long sequences, causal, counted FLOPs */
    double backward_fraction;
    double head_dim_half; /* head width at which half the rate is reached: d / (d + half) */
    double sequence_half; /* keys of a sequence, likewise */
    double launch_s;
    double sustained_clock_fraction; /* of a long run, over boost; 0: the profile's */
    double median_error_fraction;
    double p90_error_fraction;
    int64_t rows;
} KernAttentionFit;

/** Passes over HBM: norms, activations, softmax, optimizer. */
typedef struct KernMemoryFit {
    const char *source;
    double fraction;   /* of HBM bandwidth on large tensors */
    double half_bytes; /* size at which half of it is reached */
    double launch_s;
} KernMemoryFit;

/** One device. Strings are borrowed. */
typedef struct KernProfile {
    const char *name;
    const char *source;
    KernGrade grade;
    KernGemmFit gemm[TOPO_DTYPE_COUNT]; /* rows == 0: not fitted for that type */
    KernAttentionFit attention;
    KernPrefillFit prefill[KERN_HEAD_COUNT][KERN_CACHE_COUNT];
    KernDecodeFit decode[KERN_HEAD_COUNT][KERN_CACHE_COUNT];
    KernMoeFit moe[KERN_MOE_TYPES][KERN_MOE_FAMILIES];
    KernMemoryFit memory;
    double sustained_clock_fraction; /* clock under the power cap over boost clock */
    const char *sustained_clock_source;
} KernProfile;

/** A device with the profile that prices it; both are borrowed. */
typedef struct KernDevice {
    const TopoGpu *gpu;
    const KernProfile *profile;
    double clock_fraction; /* 1 at boost clock; a step runs at the profile's sustained clock */
} KernDevice;

#endif

/** What a device was measured to do: the coefficients that turn a shape into seconds. */
#ifndef KERN_PROFILE_H
#define KERN_PROFILE_H

#include "kern_host_profile.h"
#include "kern_range.h"
#include "kern_serve_fit.h"
#include "topo_cluster.h"

#include <glib.h>

typedef struct KernTable KernTable; /* kern_table.h */
typedef struct KernTally KernTally;

/** How sure a cost is, from best to worst; an answer takes the weakest grade of its parts. */
typedef enum KernGrade {
    KERN_GRADE_FITTED,    /* measured on this device, fitted */
    KERN_GRADE_DATASHEET, /* borrowed from another device's fit, scaled by datasheet rates */
} KernGrade;

/** Who decides which kernel runs a product whose activations are converted, and between which;
 *  other products run on the fastest. */
typedef enum KernGemmKernels {
    KERN_GEMM_FASTEST,    /* the library tries its tiles and takes the fastest (cuBLAS) */
    KERN_GEMM_VLLM_SM90,  /* vLLM's fp8 kernels of CUTLASS for Hopper, by m and n */
    KERN_GEMM_VLLM_SM100, /* and for Blackwell */
    KERN_GEMM_KERNELS
} KernGemmKernels;

/** How the weights B of a product are stored, where not in the type of A. */
typedef enum KernGemmWeights {
    KERN_WEIGHTS_PLAIN,
    KERN_WEIGHTS_BLOCK_SCALED, /* fp8 with a scale for every 128 x 128; A has one for every 128 */
    KERN_WEIGHTS_INT8,         /* A and the product stay in 16 bits */
    KERN_WEIGHTS_INT4,
} KernGemmWeights;

/** Types of products that are fitted apart: those of TopoDtype, by its values, then others by
 *  their weights, in the order of KernGemmWeights. */
typedef enum KernGemmType {
    KERN_GEMM_FP8_BLOCK = TOPO_DTYPE_COUNT,
    KERN_GEMM_INT8_WO,
    KERN_GEMM_INT4_WO,
    KERN_GEMM_TYPES
} KernGemmType;

/** Coefficients of the GEMM form of kern_gemm.c for one type. Fractions are of the
 *  datasheet's rates; seconds are at the clock of the measurements. */
typedef struct KernGemmFit {
    const char *source; /* software and rows; NULL: the profile's */
    KernGemmKernels kernels;
    double compute_fraction;     /* of the tensor cores' peak, inside a tile */
    double feed_bytes_per_clock; /* operands into one SM, at boost clock; 0: no limit */
    double step_s;               /* least time of 32 steps of k */
    double prologue_s;           /* of a tile, before and after its steps */
    double epilogue_s;           /* of a tile of 128 x 128 outputs, likewise */
    double wave_quantisation;    /* 1: a last, partial wave costs a whole one; 0: free */
    double memory_fraction;      /* of HBM bandwidth */
    double overlap_loss;         /* share of the quicker pipe that is not hidden */
    double split_s;              /* of a product whose k is split: the second kernel */
    double unpaired_fraction;    /* lost where SMs work in pairs and a tile has no partner */
    double launch_s;
    double dequantise_per_clock;  /* integer weights that an SM widens, at boost clock; 0: all */
    double vector_step_s;         /* least time of 32 steps of k, integer weights and few rows */
    double host_s;                /* least time of a call outside a CUDA graph; block scales only */
    double host_few_s;            /* likewise below 32 rows, where that is another kernel */
    double host_unaligned_s;      /* more of it, where the rows are no multiple of 4 */
    double host_ragged_s;         /* likewise of widths that only CUTLASS takes */
    double quantise_launch_s;     /* the kernel that converts A, where it arrives wider */
    double quantise_row_s;        /* one row of it */
    double quantise_pass_s;       /* a row's every further 2048 elements */
    double quantise_latency_s;    /* likewise, of one row alone */
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
    double flash_1_fraction;         /* of these rates at the same clock, of FlashAttention-1, */
    double flash_2_forward_fraction; /* and FlashAttention-2; 0: not known, or as quick */
    double flash_2_backward_fraction;
    double older_clock_fraction; /* at which FlashAttention-2 runs, over boost; 0: as products */
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
    KernGemmFit gemm[KERN_GEMM_TYPES]; /* rows == 0: not fitted for that type */
    KernAttentionFit attention;
    KernPrefillFit prefill[KERN_HEAD_COUNT][KERN_CACHE_COUNT];
    KernDecodeFit decode[KERN_HEAD_COUNT][KERN_CACHE_COUNT];
    KernMoeFit moe[KERN_MOE_TYPES][KERN_MOE_FAMILIES];
    KernMemoryFit memory;
    KernHostFit host;                /* of a CPU, which it prices instead of the fits above */
    double sustained_clock_fraction; /* clock under the power cap over boost clock */
    const char *sustained_clock_source;
    KernFittedOn fitted_on;
    KernTable *table; /* measurements to ask first; owned by the scenario; NULL: none */
} KernProfile;

/** A device with what prices it; all is borrowed. */
typedef struct KernDevice {
    const TopoGpu *gpu;
    const KernProfile *profile;
    double clock_fraction;    /* 1 at boost clock; a step runs at the profile's sustained clock */
    double throttle_fraction; /* part of clock_fraction that this GPU alone is slower by; 0: none */
    const KernTable *table;   /* measurements, asked before the profile; NULL: none */
    KernTally *tally;         /* told what the table answered; NULL: nobody asks */
} KernDevice;

/** @device with @fraction, in (0, 1], of its clock left. What HBM bounds stays as fast. */
static inline KernDevice kern_device_throttled(const KernDevice *device, double fraction)
{
    KernDevice slow = *device;
    slow.clock_fraction *= fraction;
    slow.throttle_fraction = fraction;
    return slow;
}

#endif

/** What a CPU was measured to do. See kern_host_gemm.c and kern_host_pass.c for the forms. */
#ifndef KERN_HOST_PROFILE_H
#define KERN_HOST_PROFILE_H

#include "topo_cluster.h"

/** Matrix products through a BLAS, of one input type. */
typedef struct KernHostGemmFit {
    double call_s;         /* of one product */
    double flop_per_s;     /* steady rate */
    double left_s;         /* per element of A: read, packed */
    double right_s;        /* per element of B, where it has 1024 columns */
    double right_exponent; /* growth of that with the columns */
    double output_s;       /* per element of C */
    double edge_fraction;  /* lost where m is no multiple of the kernel's rows */
    double vector_call_s;  /* of one matrix-vector product (m = 1) */
    double vector_right_s; /* per element of its matrix */
    double median_error_fraction;
    double p90_error_fraction;
    int64_t rows; /* measurements fitted; 0: none */
} KernHostGemmFit;

/** Families of loops over memory. */
typedef enum KernHostPass {
    KERN_HOST_PASS_ADD, /* residuals, and whatever has no family of its own */
    KERN_HOST_PASS_NORM,
    KERN_HOST_PASS_SOFTMAX,
    KERN_HOST_PASS_ACTIVATION,
    KERN_HOST_PASS_ROTARY,
    KERN_HOST_PASS_TRANSPOSE,
    KERN_HOST_PASS_COUNT
} KernHostPass;

enum { KERN_HOST_LEVELS = 6 };

/** Seconds per byte that one family moves, at the sizes of KernHostFit. */
typedef struct KernHostPassFit {
    double forward_s[KERN_HOST_LEVELS];
    double backward_s[KERN_HOST_LEVELS];
} KernHostPassFit;

/** A CPU. Products with weights find them in DRAM; products of activations find both in cache. */
typedef struct KernHostFit {
    int64_t threads; /* 0: the device is no CPU */
    KernHostGemmFit weights[TOPO_DTYPE_COUNT];
    KernHostGemmFit activations[TOPO_DTYPE_COUNT];
    double level_bytes[KERN_HOST_LEVELS]; /* ascending */
    KernHostPassFit pass[KERN_HOST_PASS_COUNT];
    double pass_spread_fraction; /* of the measurements, quartile to quartile */
} KernHostFit;

#endif

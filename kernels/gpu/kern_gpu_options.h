/** The command line of the GPU measurement kit. */
#ifndef KERN_GPU_OPTIONS_H
#define KERN_GPU_OPTIONS_H

#include "kern_gpu_shape.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum KernGpuAction {
    KERN_GPU_MEASURE,
    KERN_GPU_SHOW_PLAN, /* print the shapes, touch no GPU */
    KERN_GPU_CHECK,     /* compare every kernel with a reference on the CPU */
    KERN_GPU_SHOW_HELP,
} KernGpuAction;

typedef struct KernGpuOptions {
    KernGpuAction action;
    bool thorough;
    bool warm_l2;
    bool ops[KERN_GPU_OP_COUNT];
    bool types[KERN_GPU_TYPE_COUNT];
    int device;
    int repeats;     /* at most, of one shape */
    int algorithms;  /* of cuBLASLt's heuristic, tried for each product */
    int64_t first;   /* shapes before this one, counted from 0, are left out */
    double budget_s; /* of one shape's repeats */
    const char *out; /* borrowed from the arguments; NULL: standard output */
} KernGpuOptions;

/** Reads the command line into @options. False: it is wrong, and @error, of @error_size bytes, says
 *  which argument, and what is accepted. */
bool kern_gpu_options_parse(KernGpuOptions *options, int count, char *const *arguments, char *error,
                            size_t error_size);

/** Prints what the options do. */
void kern_gpu_options_help(FILE *out);

#ifdef __cplusplus
}
#endif

#endif

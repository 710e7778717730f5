/** Do the kernels of this build, on this GPU, compute what they should? */
#ifndef KERN_GPU_CHECK_CUH
#define KERN_GPU_CHECK_CUH

#include "kern_gpu_lab.cuh"

/** Runs every kernel on small tensors, compares samples of the result with a reference on the CPU,
 *  and prints a line for each. Returns whether all agree. */
bool kern_gpu_check(KernGpuLab *lab, FILE *out);

#endif

/** Which shapes are measured, in which order. */
#ifndef KERN_GPU_PLAN_H
#define KERN_GPU_PLAN_H

#include "kern_gpu_options.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Writes the first @room shapes that @options asks for into @shapes and returns how many there
 *  are; @room may be 0. The same options give the same shapes in the same order. */
size_t kern_gpu_plan(const KernGpuOptions *options, KernGpuShape *shapes, size_t room);

#ifdef __cplusplus
}
#endif

#endif

/** Eight bf16 values at a time, in one 16-byte word, and sums over a block. */
#ifndef KERN_GPU_VECTOR_CUH
#define KERN_GPU_VECTOR_CUH

#include <cuda_bf16.h>

enum { KERN_GPU_LANES = 8 };

/** bf16 is the upper half of a float. */
static __device__ __forceinline__ void kern_gpu_unpack(uint4 word, float *values)
{
    const unsigned pairs[4] = {word.x, word.y, word.z, word.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        values[2 * i] = __uint_as_float(pairs[i] << 16);
        values[2 * i + 1] = __uint_as_float(pairs[i] & 0xffff0000u);
    }
}

static __device__ __forceinline__ unsigned kern_gpu_pack_pair(float low, float high)
{
    return (unsigned)__bfloat16_as_ushort(__float2bfloat16_rn(low)) |
           (unsigned)__bfloat16_as_ushort(__float2bfloat16_rn(high)) << 16;
}

static __device__ __forceinline__ uint4 kern_gpu_pack(const float *values)
{
    uint4 word;
    word.x = kern_gpu_pack_pair(values[0], values[1]);
    word.y = kern_gpu_pack_pair(values[2], values[3]);
    word.z = kern_gpu_pack_pair(values[4], values[5]);
    word.w = kern_gpu_pack_pair(values[6], values[7]);
    return word;
}

#endif

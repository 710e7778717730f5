/* Passes over memory in bf16: copy, add, and the row-wise softmax and RMS norm.
 *
 * They move 16 bytes a thread and access, and keep their sums in fp32. Copy and add stride over the
 * whole tensor. A row pass gives each row to one block, which reads it twice: the second reading is
 * met by the L1 or L2 cache for rows of a model's width, so that memory sees each element once in
 * and once out. They are plain kernels, near what the memory gives for large tensors; libraries
 * that keep a row in registers can be faster on short ones. */
#include "kern_gpu_ops.cuh"
#include "kern_gpu_vector.cuh"

enum { THREADS = 256, WARP = 32, WARPS = THREADS / WARP, BLOCKS_PER_SM = 16 };

static __global__ void copy(uint4 *out, const uint4 *in, size_t words)
{
    size_t stride = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < words; i += stride)
        out[i] = in[i];
}

static __global__ void add(uint4 *out, const uint4 *a, const uint4 *b, size_t words)
{
    size_t stride = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < words; i += stride) {
        float x[KERN_GPU_LANES], y[KERN_GPU_LANES];
        kern_gpu_unpack(a[i], x);
        kern_gpu_unpack(b[i], y);
        for (int lane = 0; lane < KERN_GPU_LANES; lane++)
            x[lane] += 3.0f * y[lane];
        out[i] = kern_gpu_pack(x);
    }
}

/* The maximum of some values and the sum of exp(value - maximum) over them. */
struct Tail {
    float most;
    float sum;
};

static __device__ __forceinline__ Tail joined(Tail a, Tail b)
{
    Tail tail;
    tail.most = fmaxf(a.most, b.most);
    tail.sum = a.sum * __expf(a.most - tail.most) + b.sum * __expf(b.most - tail.most);
    return tail;
}

/* The tail of all threads of the block, told to each; @shared has room for a value a warp. */
static __device__ Tail block_tail(Tail tail, Tail *shared)
{
    for (int offset = WARP / 2; offset > 0; offset /= 2) {
        Tail other;
        other.most = __shfl_xor_sync(0xffffffffu, tail.most, offset);
        other.sum = __shfl_xor_sync(0xffffffffu, tail.sum, offset);
        tail = joined(tail, other);
    }
    if (threadIdx.x % WARP == 0)
        shared[threadIdx.x / WARP] = tail;
    __syncthreads();
    tail = shared[0];
    for (int warp = 1; warp < WARPS; warp++)
        tail = joined(tail, shared[warp]);
    return tail;
}

static __device__ float block_sum(float sum, float *shared)
{
    for (int offset = WARP / 2; offset > 0; offset /= 2)
        sum += __shfl_xor_sync(0xffffffffu, sum, offset);
    if (threadIdx.x % WARP == 0)
        shared[threadIdx.x / WARP] = sum;
    __syncthreads();
    sum = shared[0];
    for (int warp = 1; warp < WARPS; warp++)
        sum += shared[warp];
    return sum;
}

/* One block a row of @words words; @out may be @in. The floor of the maximum is finite, so that
 * a thread without elements adds 0 and not NaN. */
static __global__ void softmax(uint4 *out, const uint4 *in, int words)
{
    __shared__ Tail shared[WARPS];
    size_t row = (size_t)blockIdx.x * words;
    Tail tail = {-1e30f, 0.0f};
    float x[KERN_GPU_LANES];
    for (int i = threadIdx.x; i < words; i += blockDim.x) {
        kern_gpu_unpack(in[row + i], x);
        Tail here = {x[0], 0.0f};
        for (int lane = 1; lane < KERN_GPU_LANES; lane++)
            here.most = fmaxf(here.most, x[lane]);
        for (int lane = 0; lane < KERN_GPU_LANES; lane++)
            here.sum += __expf(x[lane] - here.most);
        tail = joined(tail, here);
    }
    tail = block_tail(tail, shared);
    float scale = 1.0f / tail.sum;
    for (int i = threadIdx.x; i < words; i += blockDim.x) {
        kern_gpu_unpack(in[row + i], x);
        for (int lane = 0; lane < KERN_GPU_LANES; lane++)
            x[lane] = __expf(x[lane] - tail.most) * scale;
        out[row + i] = kern_gpu_pack(x);
    }
}

static __global__ void rmsnorm(uint4 *out, const uint4 *in, const uint4 *weight, int words)
{
    __shared__ float shared[WARPS];
    size_t row = (size_t)blockIdx.x * words;
    float x[KERN_GPU_LANES], w[KERN_GPU_LANES], squares = 0.0f;
    for (int i = threadIdx.x; i < words; i += blockDim.x) {
        kern_gpu_unpack(in[row + i], x);
        for (int lane = 0; lane < KERN_GPU_LANES; lane++)
            squares += x[lane] * x[lane];
    }
    squares = block_sum(squares, shared);
    float scale = rsqrtf(squares / (float)(words * KERN_GPU_LANES) + 1e-6f);
    for (int i = threadIdx.x; i < words; i += blockDim.x) {
        kern_gpu_unpack(in[row + i], x);
        kern_gpu_unpack(weight[i], w);
        for (int lane = 0; lane < KERN_GPU_LANES; lane++)
            x[lane] *= scale * w[lane];
        out[row + i] = kern_gpu_pack(x);
    }
}

bool kern_gpu_pass_call(KernGpuLab *lab, const void *context)
{
    const KernGpuWork *work = (const KernGpuWork *)context;
    const KernGpuTensors *t = &work->tensors;
    uint4 *out = (uint4 *)t->output;
    const uint4 *a = (const uint4 *)t->inputs[0], *b = (const uint4 *)t->inputs[1];
    int row_words = (int)(work->shape.n / KERN_GPU_LANES);
    size_t words = (size_t)work->shape.m * (size_t)row_words;
    size_t wanted = (words + THREADS - 1) / THREADS, most = (size_t)lab->sms * BLOCKS_PER_SM;
    unsigned blocks = (unsigned)(wanted < most ? wanted : most), rows = (unsigned)work->shape.m;
    if (work->shape.op == KERN_GPU_COPY)
        copy<<<blocks, THREADS, 0, lab->stream>>>(out, a, words);
    else if (work->shape.op == KERN_GPU_ADD)
        add<<<blocks, THREADS, 0, lab->stream>>>(out, a, b, words);
    else if (work->shape.op == KERN_GPU_SOFTMAX)
        softmax<<<rows, THREADS, 0, lab->stream>>>(out, a, row_words);
    else
        rmsnorm<<<rows, THREADS, 0, lab->stream>>>(out, a, b, row_words);
    KERN_GPU_TRY(lab, cudaGetLastError());
    return true;
}
